"""What is recorded of a venue beside its quotes, which live in the tick log."""

from datetime import datetime

from msgspec import Struct

from domain.values.instrument import Instrument
from domain.values.trading_day import TradingDay
from domain.venue.gate import GateParameters


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


VenueEvent = VenueOpened | DayBoundaryPassed | ClockAdvanced | FeedGap
