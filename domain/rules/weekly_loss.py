"""From one week's first boundary to the next, the account may fall by an allowance."""

from enum import StrEnum

from msgspec import field

from domain.rules.limit import Limit
from domain.rules.marks import Mark, higher
from domain.rules.standing import Standing
from domain.values.trading_day import Weekday


class WeekAnchor(StrEnum):
    """What stood just before the week's boundary; in the first week, the deposit."""

    BALANCE = "balance"
    EQUITY = "equity"
    HIGHER_OF_BOTH = "max"
    DEPOSIT = "initial"
    PEAK_EQUITY = "trail_equity"  # follows the week's highest equity up


class WeeklyLoss(
    Limit,
    frozen=True,
    kw_only=True,
    tag="weekly",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """A pause ends with the day, as every pause: a floor still crossed begins another.

    Judged at the end of the day it looks at every day's end, against its week's floor.
    """

    measured_from: WeekAnchor = field(name="anchor")
    week: Weekday  # with whose trading day it begins

    def anchor(self, standing: Standing) -> Mark:
        marks = standing.marks
        match self.measured_from:
            case WeekAnchor.BALANCE:
                return marks.week_balance
            case WeekAnchor.EQUITY:
                return marks.week_equity
            case WeekAnchor.HIGHER_OF_BOTH:
                return higher(marks.week_balance, marks.week_equity)
            case WeekAnchor.DEPOSIT:
                return marks.deposit
            case WeekAnchor.PEAK_EQUITY:
                return marks.week_peak_equity

    def anchor_is(self) -> str:
        match self.measured_from:
            case WeekAnchor.BALANCE:
                return "the week turned with a balance of"
            case WeekAnchor.EQUITY:
                return "the week turned with an equity of"
            case WeekAnchor.HIGHER_OF_BOTH:
                return "the week turned; the higher of balance and equity was"
            case WeekAnchor.DEPOSIT:
                return "deposit"
            case WeekAnchor.PEAK_EQUITY:
                return "the week's highest equity was"
