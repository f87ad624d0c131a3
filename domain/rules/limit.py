"""A limit is a floor under the account, hung below an anchor, never to be crossed."""

from enum import StrEnum

from msgspec import Struct, field

from domain.rules.allowance import Allowance
from domain.rules.marks import Mark
from domain.rules.standing import Standing
from domain.values.money import Money


class Comparator(StrEnum):
    """Whether touching the floor is allowed; firms differ, so no plan may omit it."""

    BELOW = "lt"
    AT_OR_BELOW = "le"


class Measured(StrEnum):
    """What is held against the floor."""

    EQUITY = "equity"
    LOWER_OF_BOTH = "min"  # of balance and equity


class Evaluated(StrEnum):
    EVERY_TICK = "tick"
    END_OF_DAY = "eod"  # only the state just before the boundary counts


class Effect(StrEnum):
    HARD = "hard"  # ends the account
    PAUSE = "pause"  # closes what is open and silences the rule until the boundary


class Limit(Struct, frozen=True, kw_only=True):
    """The terms that every loss rule writes out; the field names are the plan's."""

    id: str
    allowance: Allowance = field(name="amount")
    comparator: Comparator = field(name="cmp")
    measured: Measured
    evaluated: Evaluated = field(name="eval")
    effect: Effect

    def anchor(self, standing: Standing) -> Mark:
        raise NotImplementedError

    def floor(self, standing: Standing) -> Money:
        anchor = self.anchor(standing).amount
        return anchor - self.allowance.in_money(standing.deposit, anchor)

    def observed(self, standing: Standing) -> Money:
        if self.measured is Measured.EQUITY:
            return standing.equity
        return min(standing.balance, standing.equity)

    def is_crossed(self, standing: Standing, floor: Money) -> bool:
        """Levels are compared, never ratios."""
        observed = self.observed(standing).amount
        if self.comparator is Comparator.BELOW:
            return observed < floor.amount
        return observed <= floor.amount
