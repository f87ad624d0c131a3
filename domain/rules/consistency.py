"""No single day, or trade, may make too much of the profit.

Shares are never divided out: the profit that the best would need beside it, rounded up
to the minor unit, is held against the profit there is. Where there is none the rule is
not met. It never breaches: it holds back a pass or a payout, or raises the target.
"""

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, assert_never

from msgspec import field

from domain.rules.allowance import HUNDRED
from domain.rules.objective import Objective
from domain.rules.standing import Standing
from domain.values.exact import positive, product, quotient_up
from domain.values.money import Money, minor_unit


class Best(StrEnum):
    """Whose share is looked at."""

    CLOSING_DAY = "day"  # profit on the day of its close, costs on their own
    OPENING_DAY = "open_day"  # all that the trades opened on a day have brought
    TRADE = "trade"  # closed to its end, costs included


class Whole(StrEnum):
    """What it is a share of."""

    NET = "net"  # all that was booked since the deposit
    POSITIVE = "positive"  # the days, or trades, that brought something, added up


class Excess(StrEnum):
    """Whether touching the share is allowed."""

    ABOVE = "gt"
    AT_OR_ABOVE = "ge"


class Consequence(StrEnum):
    BLOCKS_PASS = "block_pass"  # noqa: S105 - of a phase, not of a person
    BLOCKS_PAYOUT = "block_payout"
    RAISES_TARGET = "raise_target"  # to the profit that the best would need


class Consistency(
    Objective,
    frozen=True,
    kw_only=True,
    tag="consistency",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    best: Best
    whole: Whole = field(name="of")
    percent: Decimal = field(name="pct")
    excess: Excess = field(name="cmp")
    consequence: Consequence = field(name="effect")

    reads_record: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self.percent)
        if self.percent > HUNDRED:
            raise ValueError("a share is at most the whole")
        raises_target = self.consequence is Consequence.RAISES_TARGET
        if raises_target and self.whole is not Whole.NET:
            raise ValueError("what raises a target is a share of the net profit")

    @property
    def blocks_pass(self) -> bool:
        return self.consequence is Consequence.BLOCKS_PASS

    def is_met(self, standing: Standing) -> bool:
        whole = self.profit(standing)
        return whole.amount > 0 and self.needed(standing) <= whole

    def weighed(
        self, level: Money, observed: Money, standing: Standing
    ) -> tuple[Money, Money]:
        if self.consequence is Consequence.RAISES_TARGET:
            level = max(level, standing.capital + self.needed(standing))
        return level, observed

    def needed(self, standing: Standing) -> Money:
        """The least profit, in whole minor units, of which the best is no excess."""
        best = self.best_of(standing)
        unit = minor_unit(best.currency)
        hundredfold = product(best.amount, HUNDRED)
        amount = quotient_up(hundredfold, self.percent, unit)
        if self.excess is Excess.AT_OR_ABOVE and (
            product(amount, self.percent) == hundredfold
        ):
            amount += unit
        return Money(amount, best.currency)

    def best_of(self, standing: Standing) -> Money:
        """Of what brought something; nothing, where nothing did."""
        if self.best is Best.TRADE:
            return standing.record.best_trade
        return max(self.days(standing), default=Money.zero(standing.deposit.currency))

    def profit(self, standing: Standing) -> Money:
        match self.whole:
            case Whole.NET:
                return standing.balance - standing.capital
            case Whole.POSITIVE if self.best is Best.TRADE:
                return standing.record.won
            case Whole.POSITIVE:
                zero = Money.zero(standing.deposit.currency)
                return sum(self.days(standing), zero)
            case _:
                assert_never(self.whole)

    def days(self, standing: Standing) -> list[Money]:
        """What each day brought that brought something, this one by now."""
        days = standing.record.days
        if self.best is Best.OPENING_DAY:
            return [day.earned for day in days if day.earned.amount > 0]
        return [day.booked for day in days if day.booked.amount > 0]

    def required(self, standing: Standing) -> str:
        return str(self.needed(standing).amount)

    def actual(self, standing: Standing) -> str:
        return str(self.profit(standing).amount)
