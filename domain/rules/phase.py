"""The terms of one phase of a challenge.

Terms are a value: they travel inside the event of the sale, so what a trader bought
can be read from the log and can never change afterwards. No choice has a default: a
plan that leaves one open cannot be written down.
"""

import re
from collections import Counter
from functools import cached_property

from msgspec import Struct, field

from domain.rules.allocation_cap import AllocationCap
from domain.rules.capped_days import CappedDays
from domain.rules.consistency import Consistency
from domain.rules.daily_cap import DailyCap
from domain.rules.daily_loss import DailyLoss
from domain.rules.flow_marks import FlowMarks
from domain.rules.inactivity import Inactivity
from domain.rules.limit import Evaluated
from domain.rules.max_loss import MaxLoss
from domain.rules.minimum_days import MinimumDays
from domain.rules.objective import Objective, Target, Weight
from domain.rules.profit_target import ProfitTarget
from domain.rules.profitable_days import ProfitableDays
from domain.rules.sticky_target import StickyTarget
from domain.rules.time_limit import TimeLimit
from domain.rules.trading_days import TradingDays
from domain.rules.trading_terms import TradingTerms
from domain.rules.weekly_loss import WeeklyLoss
from domain.values.trading_day import TradingDay, Weekday

# A new rule is a line here; what is done with it, its base class says.
LimitRule = DailyLoss | MaxLoss | WeeklyLoss | DailyCap
TargetRule = ProfitTarget | StickyTarget
ObjectiveRule = TargetRule | MinimumDays | TradingDays | ProfitableDays | Consistency
TimerRule = TimeLimit | Inactivity
Rule = LimitRule | ObjectiveRule | CappedDays | TimerRule | AllocationCap

MOST_RULES = 50
NAME = re.compile("[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}")


class Phase(
    Struct,
    frozen=True,
    kw_only=True,
    dict=True,
    omit_defaults=True,  # what was sold before there were trading terms keeps its hash
    forbid_unknown_fields=True,
):
    name: str
    trading_day: TradingDay = field(name="reset")
    rules: tuple[Rule, ...]  # without a target it never ends, as when funded
    trading: TradingTerms | None = None  # None: sold without; neither swap nor stop-out

    def __post_init__(self) -> None:
        names = [self.name, *(rule.id for rule in self.rules)]
        if not all(NAME.fullmatch(name) for name in names):
            raise ValueError("not a name of 1 to 64 plain characters")
        if len(self.rules) > MOST_RULES:
            raise ValueError("too many rules")
        if any(n > 1 for n in Counter(rule.id for rule in self.rules).values()):
            raise ValueError("two rules share an id")
        weeks = {rule.week for rule in self.rules if isinstance(rule, WeeklyLoss)}
        if len(weeks) > 1:
            raise ValueError("a phase has one week: its weekly rules begin it together")
        if len({how for _, how in self.trailing}) > 1:
            raise ValueError("flows move the marks of all trailing floors alike")
        if self.flow_marks is not FlowMarks.SHIFT and any(
            isinstance(rule, StickyTarget) for rule in self.rules
        ):
            raise ValueError("what once reached a target is moved by flows: say shift")

    @cached_property
    def limits(self) -> tuple[LimitRule, ...]:
        return tuple(r for r in self.rules if isinstance(r, LimitRule))

    @cached_property
    def tick_limits(self) -> tuple[LimitRule, ...]:
        return tuple(r for r in self.limits if r.evaluated is Evaluated.EVERY_TICK)

    @cached_property
    def day_limits(self) -> tuple[LimitRule, ...]:
        return tuple(r for r in self.limits if r.evaluated is Evaluated.END_OF_DAY)

    @cached_property
    def objectives(self) -> tuple[ObjectiveRule, ...]:
        return tuple(r for r in self.rules if isinstance(r, Objective))

    @cached_property
    def targets(self) -> tuple[TargetRule, ...]:
        return tuple(r for r in self.objectives if isinstance(r, Target))

    @cached_property
    def conditions(self) -> tuple[Objective, ...]:
        """What must be met beside a target."""
        others = (r for r in self.objectives if not isinstance(r, Target))
        return tuple(r for r in others if r.blocks_pass)

    @cached_property
    def weights(self) -> tuple[Weight, ...]:
        return tuple(r for r in self.rules if isinstance(r, Weight))

    @cached_property
    def timers(self) -> tuple[TimerRule, ...]:
        return tuple(r for r in self.rules if isinstance(r, TimerRule))

    @cached_property
    def caps(self) -> tuple[AllocationCap, ...]:
        return tuple(r for r in self.rules if isinstance(r, AllocationCap))

    @cached_property
    def week(self) -> Weekday | None:
        """With which day a week begins, where a rule asks for weeks."""
        weeks = (rule.week for rule in self.rules if isinstance(rule, WeeklyLoss))
        return next(weeks, None)

    @cached_property
    def trailing(self) -> tuple[tuple[MaxLoss, FlowMarks], ...]:
        """Which floors follow a high-water mark, and what flows do to that."""
        return tuple(
            (rule, rule.flow_marks or FlowMarks.SHIFT)
            for rule in self.rules
            if isinstance(rule, MaxLoss) and rule.follows is not None
        )

    @cached_property
    def flow_marks(self) -> FlowMarks:
        return next((how for _, how in self.trailing), FlowMarks.SHIFT)

    @cached_property
    def keeps_record(self) -> bool:
        return any(rule.reads_record for rule in self.rules)
