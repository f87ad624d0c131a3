"""Minimum days, for firms that count them in another way than by openings."""

from enum import StrEnum
from typing import ClassVar, assert_never

from msgspec import field

from domain.rules.minimum_days import number_of_days
from domain.rules.objective import Objective
from domain.rules.record import Day
from domain.rules.standing import Standing


class Counted(StrEnum):
    """Which days count. Those with an opening are what `min_days` asks for."""

    CLOSED = "closed"  # a position was closed, wholly or in part
    FILLED = "filled"  # a position was opened or closed
    COMPLETED = "completed"  # a trade was opened that has been closed since
    HELD = "held"  # a position was open at some time
    HELD_WEEKDAYS = "held_weekdays"  # likewise, without Saturdays and Sundays


class TradingDays(
    Objective,
    frozen=True,
    kw_only=True,
    tag="trading_days",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    days: int = field(name="n")
    counted: Counted

    reads_record: ClassVar[bool] = True

    def __post_init__(self) -> None:
        number_of_days(self.days)

    def count(self, standing: Standing) -> int:
        return sum(self.counts(day) for day in standing.record.days)

    def counts(self, day: Day) -> bool:
        match self.counted:
            case Counted.CLOSED:
                return day.closed
            case Counted.FILLED:
                return day.opened or day.closed
            case Counted.COMPLETED:
                return day.completed
            case Counted.HELD:
                return day.held
            case Counted.HELD_WEEKDAYS:
                return day.held and not day.is_weekend
            case _:
                assert_never(self.counted)

    def is_met(self, standing: Standing) -> bool:
        return self.days <= self.count(standing)

    def required(self, standing: Standing) -> str:  # noqa: ARG002 - others look at it
        return str(self.days)

    def actual(self, standing: Standing) -> str:
        return str(self.count(standing))
