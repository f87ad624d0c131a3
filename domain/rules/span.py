"""A number of days that may pass: hours on a clock, or days of the plan's calendar."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from domain.rules.minimum_days import number_of_days
from domain.values.trading_day import INSTANT, TradingDay


class Unit(StrEnum):
    ELAPSED = "elapsed"  # of 24 hours each, whatever the clocks do
    CALENDAR = "calendar"  # trading days of the phase, by their names


class Span(Struct, frozen=True, array_like=True):
    """Written as in a plan: `["elapsed", 30]`."""

    unit: Unit
    days: int

    def __post_init__(self) -> None:
        number_of_days(self.days)

    def over(self, since: datetime, days: TradingDay) -> datetime:
        """The first instant at which more than the span has passed since then."""
        if self.unit is Unit.ELAPSED:
            return since + timedelta(days=self.days) + INSTANT
        return days.opens(days.day_of(since) + timedelta(days=self.days + 1))
