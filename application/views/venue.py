"""A venue, what became of the quotes sent to it, and its symbols."""

from datetime import datetime
from decimal import Decimal
from typing import Literal, assert_never

from msgspec import UNSET, Struct, UnsetType

from domain.values.instrument import Instrument, Rights
from domain.values.market import Moment
from domain.values.session import closes_next, is_open, opens_next
from domain.venue.decider import Decided
from domain.venue.events import SymbolReleased


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


class ReleasedView(Struct, frozen=True, kw_only=True):
    """The symbol's next quote in order is believed, and ends its quarantine."""

    venue_id: str
    symbol: str
    reason: str
    at: datetime
    position: str
    version: int


class ListedView(Struct, frozen=True, kw_only=True):
    venue_id: str
    symbol: str
    instrument: Instrument  # with its version
    effective_from: datetime
    reason: str
    at: datetime
    position: str
    version: int


def listing_view(
    fact: Decided, venue_id: str, position: str, version: int
) -> ReleasedView | ListedView:
    if isinstance(fact, SymbolReleased):
        return ReleasedView(
            venue_id=venue_id,
            symbol=fact.symbol,
            reason=fact.reason,
            at=fact.at,
            position=position,
            version=version,
        )
    return ListedView(
        venue_id=venue_id,
        symbol=fact.instrument.symbol,
        instrument=fact.instrument,
        effective_from=fact.effective_from,
        reason=fact.reason,
        at=fact.at,
        position=position,
        version=version,
    )


Status = Literal["trading", "close_only", "disabled", "quarantined"]


class SymbolView(Struct, frozen=True, kw_only=True):
    symbol: str
    bid: Decimal | None  # none before the first quote
    ask: Decimal | None
    sequence: int | None
    at: datetime | None
    session: Literal["open", "closed"]
    session_changes_at: datetime | None  # when it next closes or opens; None: never
    contract_size: Decimal
    digits: int
    quantity_step: Decimal
    quantity_min: Decimal
    quantity_max: Decimal
    currency: str
    leverage: int
    status: Status
    specification: int  # the version of it


def status_of(instrument: Instrument, moment: Moment) -> Status:
    if instrument.symbol in moment.market.suspended:
        return "quarantined"
    match instrument.rights:
        case Rights.FULL:
            return "trading"
        case Rights.CLOSE_ONLY:
            return "close_only"
        case Rights.DISABLED:
            return "disabled"
        case _:
            assert_never(instrument.rights)


def symbol_view(instrument: Instrument, moment: Moment) -> SymbolView:
    quote = moment.market.quotes.get(instrument.symbol)
    sessions = instrument.sessions
    opened = is_open(sessions, moment.at)
    return SymbolView(
        symbol=instrument.symbol,
        bid=quote.bid if quote else None,
        ask=quote.ask if quote else None,
        sequence=quote.sequence if quote else None,
        at=quote.at if quote else None,
        session="open" if opened else "closed",
        session_changes_at=(closes_next if opened else opens_next)(sessions, moment.at),
        contract_size=instrument.contract_size,
        digits=instrument.digits,
        quantity_step=instrument.quantity_step,
        quantity_min=instrument.quantity_min,
        quantity_max=instrument.quantity_max,
        currency=instrument.currency,
        leverage=instrument.leverage,
        status=status_of(instrument, moment),
        specification=instrument.version,
    )
