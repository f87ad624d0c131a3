"""From one day boundary to the next, the account may fall by an allowance."""

from enum import StrEnum

from msgspec import field

from domain.rules.limit import Limit
from domain.rules.marks import Mark, higher
from domain.rules.standing import Standing


class DayAnchor(StrEnum):
    """What stood just before the boundary; on the first day all are the deposit."""

    BALANCE = "balance"
    EQUITY = "equity"
    HIGHER_OF_BOTH = "max"
    DEPOSIT = "initial"
    PEAK_EQUITY = "trail_equity"  # follows the day's highest equity up


class DailyLoss(
    Limit,
    frozen=True,
    kw_only=True,
    tag="daily",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    measured_from: DayAnchor = field(name="anchor")

    def anchor(self, standing: Standing) -> Mark:
        marks = standing.marks
        match self.measured_from:
            case DayAnchor.BALANCE:
                return marks.day_balance
            case DayAnchor.EQUITY:
                return marks.day_equity
            case DayAnchor.HIGHER_OF_BOTH:
                return higher(marks.day_balance, marks.day_equity)
            case DayAnchor.DEPOSIT:
                return marks.deposit
            case DayAnchor.PEAK_EQUITY:
                return marks.day_peak_equity

    def anchor_is(self) -> str:
        match self.measured_from:
            case DayAnchor.BALANCE:
                return "the day turned with a balance of"
            case DayAnchor.EQUITY:
                return "the day turned with an equity of"
            case DayAnchor.HIGHER_OF_BOTH:
                return "the day turned; the higher of balance and equity was"
            case DayAnchor.DEPOSIT:
                return "deposit"
            case DayAnchor.PEAK_EQUITY:
                return "the day's highest equity was"
