"""What an operator can ask of a venue. Imperative, and free to be refused."""

from datetime import datetime

from msgspec import Struct

from domain.values.instrument import Instrument


class ReleaseSymbol(Struct, frozen=True, kw_only=True, tag=True):
    """The source has been looked at: believe the symbol's next quote."""

    venue_id: str
    symbol: str
    reason: str


class SpecifyInstrument(Struct, frozen=True, kw_only=True, tag=True):
    """List a symbol, or change what a listed one is specified as."""

    venue_id: str
    instrument: Instrument  # its version is given by the venue
    reason: str
    effective_from: datetime | None  # None: at once


ListingCommand = ReleaseSymbol | SpecifyInstrument
