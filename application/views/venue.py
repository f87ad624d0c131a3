"""A venue, what became of the quotes sent to it, and its symbols."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from domain.values.instrument import Instrument
from domain.values.market import Moment
from domain.values.session import is_open


class VenueView(Struct, frozen=True, kw_only=True):
    venue_id: str
    now: datetime
    instruments: tuple[Instrument, ...]
    position: str
    version: int


class QuoteResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    sequence: int | None
    accepted: bool
    reason: str | UnsetType = UNSET


class QuotesView(Struct, frozen=True, kw_only=True):
    results: tuple[QuoteResult, ...]
    now: datetime
    position: str
    version: int


class ClockView(Struct, frozen=True, kw_only=True):
    now: datetime
    boundaries: int
    position: str
    version: int


class SymbolView(Struct, frozen=True, kw_only=True):
    symbol: str
    bid: Decimal | None  # none before the first quote
    ask: Decimal | None
    sequence: int | None
    at: datetime | None
    session: Literal["open", "closed"]
    contract_size: Decimal
    digits: int
    quantity_step: Decimal
    quantity_min: Decimal
    quantity_max: Decimal
    currency: str
    leverage: int


def symbol_view(instrument: Instrument, moment: Moment) -> SymbolView:
    quote = moment.market.quotes.get(instrument.symbol)
    return SymbolView(
        symbol=instrument.symbol,
        bid=quote.bid if quote else None,
        ask=quote.ask if quote else None,
        sequence=quote.sequence if quote else None,
        at=quote.at if quote else None,
        session="open" if is_open(instrument.sessions, moment.at) else "closed",
        contract_size=instrument.contract_size,
        digits=instrument.digits,
        quantity_step=instrument.quantity_step,
        quantity_min=instrument.quantity_min,
        quantity_max=instrument.quantity_max,
        currency=instrument.currency,
        leverage=instrument.leverage,
    )
