"""A limit is a floor under the account, hung below an anchor, never to be crossed."""

from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar

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

    reads_record: ClassVar[bool] = False

    def anchor(self, standing: Standing) -> Mark:
        raise NotImplementedError

    def anchor_is(self) -> str:
        """What the anchor's amount was, in words that go before it."""
        raise NotImplementedError

    def floor(self, standing: Standing) -> Money:
        anchor = self.anchor(standing).amount
        return anchor - self.allowance.in_money(standing.deposit, anchor)

    def ceiling(self, standing: Standing) -> Money | None:  # noqa: ARG002 - a cap asks
        """Where a gain is too much as well; mostly nowhere."""
        return None

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

    def crossed(self, standing: Standing) -> Money:
        """The level that is crossed, once one is."""
        return self.floor(standing)

    @property
    def is_locked(self) -> bool:
        """Whether the floor stops somewhere, wherever its anchor goes."""
        return False

    def lock_claims(self, hung: Money, deposit: Money) -> Iterator[str]:
        """Where it stops, a claim a line; asked only of what is locked."""
        raise NotImplementedError
