"""A day may neither lose nor gain more than an allowance: either side closes it."""

from domain.rules.daily_loss import DailyLoss, DayAnchor
from domain.rules.limit import Comparator
from domain.rules.standing import Standing
from domain.values.money import Money


class DailyCap(
    DailyLoss,
    frozen=True,
    kw_only=True,
    tag="daily_cap",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """A floor below the day's anchor, and a ceiling as far above it."""

    def __post_init__(self) -> None:
        if self.measured_from is DayAnchor.PEAK_EQUITY:
            raise ValueError("a ceiling above the day's own peak is never reached")

    def ceiling(self, standing: Standing) -> Money:
        anchor = self.anchor(standing).amount
        return anchor + self.allowance.in_money(standing.deposit, anchor)

    def is_crossed(self, standing: Standing, floor: Money) -> bool:
        return super().is_crossed(standing, floor) or self.is_above(standing)

    def is_above(self, standing: Standing) -> bool:
        observed, ceiling = self.observed(standing), self.ceiling(standing)
        if self.comparator is Comparator.BELOW:
            return ceiling < observed
        return ceiling <= observed

    def crossed(self, standing: Standing) -> Money:
        if self.is_above(standing):
            return self.ceiling(standing)
        return self.floor(standing)
