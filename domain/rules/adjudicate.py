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

Floors = tuple[tuple[LimitRule, Money], ...]


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
    paused = standing.paused
    limits = [
        limit
        for limit, floor in floors(phase, standing)
        if limit.is_crossed(standing, floor) and limit.id not in paused
    ]
    if not limits:  # as at almost every instant
        met = reached(phase, standing)
        return standing, Verdict(reached=met) if met else NOTHING
    breaches = crossed(limits, standing)
    found = Verdict(breaches=breaches)
    if not found.is_hard:
        found = Verdict(breaches=breaches, reached=reached(phase, standing))
    if silent := silenced(found.breaches):
        standing = replace(standing, paused=paused | silent)
    return standing, found


def floors(phase: Phase, standing: Standing) -> Floors:
    """Of the limits that every tick is held against; marks alone move a floor.

    So they are kept with the marks, which most instants leave as they are.
    """
    kept = standing.marks.__dict__.get("floors")
    if kept is not None and kept[0] is phase:
        known: Floors = kept[1]
        return known
    found = tuple(
        (limit, limit.floor(standing))
        for limit in phase.limits
        if limit.evaluated is Evaluated.EVERY_TICK
    )
    standing.marks.__dict__["floors"] = (phase, found)
    return found


def judge_closing_day(phase: Phase, standing: Standing) -> Verdict:
    limits = [
        limit
        for limit in phase.limits
        if limit.evaluated is Evaluated.END_OF_DAY
        and limit.is_crossed(standing, limit.floor(standing))
    ]
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
    """What each was crossed at, the highest first: falling equity met that one first.

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
    if not phase.targets:
        return ()
    for target in phase.targets:
        if target.is_met(standing):
            if not all(each.is_met(standing) for each in phase.conditions):
                return ()
            level, observed = target.level(standing), target.observed(standing)
            return (Reached(target=target, level=level, observed=observed),)
    return ()
