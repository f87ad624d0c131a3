"""What the rules make of one instant, and of one boundary.

Everything that judges calls these functions: the live engine, replay, bridge
accounts and the cases. They are pure; who acts on a verdict is not their business.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from domain.rules.limit import Effect, Evaluated
from domain.rules.marks import Mark
from domain.rules.phase import LimitRule, Phase
from domain.rules.profit_target import ProfitTarget
from domain.rules.standing import Standing
from domain.values.money import Money


class Breach(Struct, frozen=True, kw_only=True):
    """A crossed floor, and how it came about: its terms, its anchor and that tick."""

    limit: LimitRule
    anchor: Mark
    floor: Money
    observed: Money


class Reached(Struct, frozen=True, kw_only=True):
    """A met target: its terms, its level, and what reached it."""

    target: ProfitTarget
    level: Money
    observed: Money


class Verdict(Struct, frozen=True, kw_only=True):
    """Breaches, the primary one first; or what was reached; or, mostly, nothing."""

    breaches: tuple[Breach, ...] = ()
    reached: tuple[Reached, ...] = ()

    @property
    def is_hard(self) -> bool:
        return any(each.limit.effect is Effect.HARD for each in self.breaches)

    @property
    def is_final(self) -> bool:
        return self.is_hard or bool(self.reached)


NOTHING = Verdict()


def at_instant(
    phase: Phase, standing: Standing, tick: int, at: datetime
) -> tuple[Standing, Verdict]:
    """Raise the marks to what stands, judge the limits, then the objectives."""
    standing = raised(standing, tick, at)
    return judge(phase, standing)


def at_boundary(
    phase: Phase, standing: Standing, tick: int, at: datetime
) -> tuple[Standing, Verdict]:
    """Judge the closing day, turn it, then judge the same state against the new one."""
    closing = judge_closing_day(phase, standing)
    standing = turned(standing, tick, at)
    if closing.is_hard:
        return standing, closing
    standing, opening = judge(phase, standing)
    breaches = (*closing.breaches, *opening.breaches)
    return standing, Verdict(breaches=breaches, reached=opening.reached)


def raised(standing: Standing, tick: int, at: datetime) -> Standing:
    marks = standing.marks.raised(standing.balance, standing.equity, tick, at)
    return standing if marks is standing.marks else replace(standing, marks=marks)


def turned(standing: Standing, tick: int, at: datetime) -> Standing:
    balance = Mark(standing.balance, tick, at)
    equity = Mark(standing.equity, tick, at)
    marks = standing.marks.turned(balance, equity)
    return replace(standing, marks=marks, paused=frozenset())


def judge(phase: Phase, standing: Standing) -> tuple[Standing, Verdict]:
    """A hard breach beats a pass; a pause does not."""
    limits = (
        limit
        for limit in phase.limits
        if limit.evaluated is Evaluated.EVERY_TICK and limit.id not in standing.paused
    )
    breaches = crossed(limits, standing)
    if not breaches:  # as at almost every instant
        met = reached(phase, standing)
        return standing, Verdict(reached=met) if met else NOTHING
    found = Verdict(breaches=breaches)
    if not found.is_hard:
        found = Verdict(breaches=breaches, reached=reached(phase, standing))
    paused = silenced(found.breaches)
    if paused:
        standing = replace(standing, paused=standing.paused | paused)
    return standing, found


def judge_closing_day(phase: Phase, standing: Standing) -> Verdict:
    limits = (
        limit for limit in phase.limits if limit.evaluated is Evaluated.END_OF_DAY
    )
    return Verdict(breaches=crossed(limits, standing))


def silenced(breaches: Iterable[Breach]) -> frozenset[str]:
    """A pause found at the end of a day ends with it, so it silences nothing."""
    return frozenset(
        each.limit.id
        for each in breaches
        if each.limit.effect is Effect.PAUSE
        and each.limit.evaluated is Evaluated.EVERY_TICK
    )


def crossed(limits: Iterable[LimitRule], standing: Standing) -> tuple[Breach, ...]:
    """Every floor crossed, the highest first: falling equity met that one first.

    At equal floors hard comes before pause, then the rule's id decides.
    """
    found = [
        Breach(
            limit=limit,
            anchor=limit.anchor(standing),
            floor=limit.floor(standing),
            observed=limit.observed(standing),
        )
        for limit in limits
        if limit.is_crossed(standing)
    ]
    found.sort(
        key=lambda each: (
            -each.floor.amount,
            each.limit.effect is not Effect.HARD,
            each.limit.id,
        )
    )
    return tuple(found)


def reached(phase: Phase, standing: Standing) -> tuple[Reached, ...]:
    """The first target that is met, once everything that is no target is met too."""
    objectives = phase.objectives
    targets = [each for each in objectives if isinstance(each, ProfitTarget)]
    if not all(each.is_met(standing) for each in objectives if each not in targets):
        return ()
    for target in targets:
        if target.is_met(standing):
            level, observed = target.level(standing), target.observed(standing)
            return (Reached(target=target, level=level, observed=observed),)
    return ()
