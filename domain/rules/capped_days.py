"""Of what a day brings, only so much counts towards the target."""

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct, field

from domain.rules.allowance import HUNDRED, share
from domain.rules.record import Day
from domain.rules.standing import Standing
from domain.values.exact import positive
from domain.values.money import Money


class DayOf(StrEnum):
    """Which day a profit counts on."""

    CLOSING = "closed"  # the day of the close, where every cost has its own
    OPENING = "opened"  # the day that opened the trade


class CappedDays(
    Struct,
    frozen=True,
    kw_only=True,
    tag="capped_days",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """The cap is `percent` of the profit that the target asks for.

    A loss counts in full. Where open gains count they come with this day's.
    """

    id: str
    percent: Decimal = field(name="pct")
    counted: DayOf

    reads_record: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self.percent)
        if self.percent > HUNDRED:
            raise ValueError("a share is at most the whole")

    def weighed(
        self, level: Money, observed: Money, standing: Standing
    ) -> tuple[Money, Money]:
        cap = share(self.percent, level - standing.capital)
        record, zero = standing.record, Money.zero(level.currency)
        floating = observed - standing.balance
        brought = [self.brought(day) for day in record.before]
        brought.append(self.brought(record.today) + floating)
        excess = sum((max(each - cap, zero) for each in brought), zero)
        return level, observed - excess

    def brought(self, day: Day) -> Money:
        return day.booked if self.counted is DayOf.CLOSING else day.earned
