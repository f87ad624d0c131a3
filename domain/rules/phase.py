"""The terms of one phase of a challenge.

Terms are a value: they travel inside the event of the sale, so what a trader bought
can be read from the log and can never change afterwards. No field has a default: a
plan that leaves a choice open cannot be written down.
"""

import re
from collections import Counter
from functools import cached_property

from msgspec import Struct, field

from domain.rules.daily_loss import DailyLoss
from domain.rules.max_loss import MaxLoss
from domain.rules.minimum_days import MinimumDays
from domain.rules.profit_target import ProfitTarget
from domain.values.trading_day import TradingDay

LimitRule = DailyLoss | MaxLoss
ObjectiveRule = ProfitTarget | MinimumDays
Rule = DailyLoss | MaxLoss | ProfitTarget | MinimumDays

MOST_RULES = 50
NAME = re.compile("[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}")


class Phase(Struct, frozen=True, kw_only=True, dict=True, forbid_unknown_fields=True):
    name: str
    trading_day: TradingDay = field(name="reset")
    rules: tuple[Rule, ...]  # without objectives it never ends, as when funded

    def __post_init__(self) -> None:
        names = [self.name, *(rule.id for rule in self.rules)]
        if not all(NAME.fullmatch(name) for name in names):
            raise ValueError("not a name of 1 to 64 plain characters")
        if len(self.rules) > MOST_RULES:
            raise ValueError("too many rules")
        if any(n > 1 for n in Counter(rule.id for rule in self.rules).values()):
            raise ValueError("two rules share an id")

    @cached_property
    def limits(self) -> tuple[LimitRule, ...]:
        return tuple(r for r in self.rules if isinstance(r, LimitRule))

    @cached_property
    def targets(self) -> tuple[ProfitTarget, ...]:
        return tuple(r for r in self.rules if isinstance(r, ProfitTarget))

    @cached_property
    def conditions(self) -> tuple[MinimumDays, ...]:
        """What must hold beside a target."""
        return tuple(r for r in self.rules if isinstance(r, MinimumDays))

    @cached_property
    def objectives(self) -> tuple[ObjectiveRule, ...]:
        return tuple(r for r in self.rules if isinstance(r, ObjectiveRule))
