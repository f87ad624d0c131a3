"""What is recorded of a venue beside its quotes, which live in the tick log."""

from datetime import datetime

from msgspec import Struct

from domain.values.instrument import Instrument
from domain.values.trading_day import TradingDay
from domain.venue.gate import GateParameters, Reason


class Event(Struct, frozen=True, kw_only=True):
    at: datetime  # engine time, stamped when the fact got its place in the sequence


class VenueOpened(Event, frozen=True, kw_only=True, tag="venue.opened/1"):
    venue_id: str
    owner: str | None  # the trader whose sandbox it is; None: the live venue
    gate: GateParameters
    instruments: tuple[Instrument, ...]
    stale_after_seconds: int | None


class DayBoundaryPassed(
    Event, frozen=True, kw_only=True, tag="venue.day-boundary-passed/1"
):
    """One for all accounts with this trading day; `tick` is the last before it."""

    trading_day: TradingDay
    tick: int
    tzdata: str  # the version of the zone rules that placed it


class ClockAdvanced(Event, frozen=True, kw_only=True, tag="venue.clock-advanced/1"):
    """A sandbox's clock was moved by hand."""


class FeedGap(Event, frozen=True, kw_only=True, tag="venue.feed-gap/1"):
    """Nothing was heard of the market from `since` to `at`: nothing is judged in it."""

    since: datetime
    tick: int  # the last one before it


class SymbolQuarantined(
    Event, frozen=True, kw_only=True, tag="venue.symbol-quarantined/1"
):
    """Its source is at fault: by this price nobody is judged, and nothing is filled.

    The next quote that the gate admits ends it, and is its own record in the tick log.
    """

    symbol: str
    tick: int  # the last of the venue
    reason: Reason  # of the latest fault
    faults: int  # in a row


class SymbolReleased(Event, frozen=True, kw_only=True, tag="venue.symbol-released/1"):
    """An operator has looked: what the gate knew of the price is forgotten.

    The next quote in order is believed as a first one, and ends the quarantine.
    """

    symbol: str
    tick: int
    reason: str


class InstrumentListed(
    Event, frozen=True, kw_only=True, tag="venue.instrument-listed/1"
):
    """A symbol more, in its first version; `venue.opened` lists the first ones."""

    tick: int
    instrument: Instrument
    effective_from: datetime
    reason: str


class InstrumentChanged(
    Event, frozen=True, kw_only=True, tag="venue.instrument-changed/1"
):
    """What is opened from then on is specified so; what is open keeps what it has."""

    tick: int
    instrument: Instrument  # with its new version
    effective_from: datetime
    reason: str


class JudgingDeferred(Event, frozen=True, kw_only=True, tag="venue.judging-deferred/1"):
    """What has just happened touches more accounts than are judged at once.

    From here on some are judged later than others, each by all that concerns it.
    """

    tick: int  # the last one by then


class JudgingCaughtUp(
    Event, frozen=True, kw_only=True, tag="venue.judging-caught-up/1"
):
    """Every account has been judged by all that has happened."""

    tick: int  # likewise


VenueEvent = (
    VenueOpened
    | DayBoundaryPassed
    | ClockAdvanced
    | FeedGap
    | SymbolQuarantined
    | SymbolReleased
    | InstrumentListed
    | InstrumentChanged
    | JudgingDeferred
    | JudgingCaughtUp
)
