"""What the rules make of one instant, of one boundary, and of a timer that runs out.

Everything that judges calls these functions: the live engine, replay, bridge
accounts and the cases. They are pure; who acts on a verdict is not their business.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from domain.rules.limit import Effect, Evaluated
from domain.rules.marks import Mark
from domain.rules.objective import Target
from domain.rules.phase import LimitRule, Phase, TargetRule, TimerRule
from domain.rules.record import Record
from domain.rules.standing import Standing
from domain.rules.timer import Deadline, Strike
from domain.values.money import Money

Floors = tuple[tuple[LimitRule, Money], ...]


class Breach(Struct, frozen=True, kw_only=True):
    """A crossed floor, and how it came about: its terms, its anchor and that tick."""

    limit: LimitRule
    anchor: Mark
    floor: Money  # the level crossed: of a cap it may be the ceiling
    observed: Money

    @property
    def is_ceiling(self) -> bool:
        return self.anchor.amount < self.floor


class Reached(Struct, frozen=True, kw_only=True):
    """A met target: its terms, its level, and what reached it."""

    target: TargetRule
    level: Money
    observed: Money


class Struck(Struct, frozen=True, kw_only=True):
    """A timer that ran out: its terms, and the clock that it went by."""

    timer: TimerRule
    deadline: Deadline


class Verdict(Struct, frozen=True, kw_only=True):
    """Breaches, the primary one first; or what was reached; or, mostly, nothing."""

    breaches: tuple[Breach, ...] = ()
    reached: tuple[Reached, ...] = ()
    struck: tuple[Struck, ...] = ()

    @property
    def is_hard(self) -> bool:
        return any(each.limit.effect is Effect.HARD for each in self.breaches)

    @property
    def is_expired(self) -> bool:
        return any(each.deadline.strike is Strike.EXPIRE for each in self.struck)

    @property
    def is_final(self) -> bool:
        return self.is_hard or bool(self.reached) or self.is_expired


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
    standing = turned(phase, standing, tick, at)
    if closing.is_hard:
        return standing, closing
    standing, opening = judge(phase, standing)
    breaches = (*closing.breaches, *opening.breaches)
    return standing, Verdict(breaches=breaches, reached=opening.reached)


def at_deadline(
    phase: Phase, opened_at: datetime, record: Record, at: datetime
) -> Verdict:
    """What has run out by now. An end is told without the warnings of its instant."""
    found = [
        Struck(timer=timer, deadline=deadline)
        for timer, deadline in deadlines(phase, opened_at, record)
        if deadline.at <= at
    ]
    found.sort(key=lambda each: each.timer.id)
    ends = [each for each in found if each.deadline.strike is Strike.EXPIRE]
    return Verdict(struck=tuple(ends or found))


def next_deadline(phase: Phase, opened_at: datetime, record: Record) -> datetime | None:
    """When `at_deadline` has something to say; None: never, as things are."""
    known = (each.at for _, each in deadlines(phase, opened_at, record))
    return min(known, default=None)


def deadlines(
    phase: Phase, opened_at: datetime, record: Record
) -> Iterator[tuple[TimerRule, Deadline]]:
    for timer in phase.timers:
        deadline = timer.next_deadline(opened_at, record, phase.trading_day)
        if deadline is not None:
            yield timer, deadline


def raised(standing: Standing, tick: int, at: datetime) -> Standing:
    marks = standing.marks.raised(
        standing.balance, standing.equity, tick, at, is_flat=standing.is_flat
    )
    return standing if marks is standing.marks else replace(standing, marks=marks)


def turned(phase: Phase, standing: Standing, tick: int, at: datetime) -> Standing:
    balance = Mark(standing.balance, tick, at)
    equity = Mark(standing.equity, tick, at)
    marks, record = standing.marks.turned(balance, equity), standing.record
    if phase.week is not None and phase.trading_day.begins_week(at, phase.week):
        marks = marks.week_turned()
    if phase.keeps_record:
        floating = None if standing.is_flat else standing.equity - standing.balance
        record = record.turned(at, phase.trading_day, floating)
    return replace(standing, marks=marks, record=record, paused=frozenset())


def warned(record: Record, struck: Iterable[Struck]) -> Record:
    for each in struck:
        if each.deadline.strike is Strike.WARN:
            record = record.warned_by(each.timer.id, each.deadline.since)
    return record


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
    found = tuple((limit, limit.floor(standing)) for limit in phase.tick_limits)
    standing.marks.__dict__["floors"] = (phase, found)
    return found


def judge_closing_day(phase: Phase, standing: Standing) -> Verdict:
    limits = [
        limit
        for limit in phase.day_limits
        if limit.is_crossed(standing, limit.floor(standing))
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
            floor=limit.crossed(standing),
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
    for target in phase.targets:
        if not target.is_met(standing):  # as at almost every instant
            continue
        if not all(each.is_met(standing) for each in phase.conditions):
            return ()
        level, observed = weighed(phase, target, standing)
        if level <= observed:
            return (Reached(target=target, level=level, observed=observed),)
    return ()


def weighed(phase: Phase, target: Target, standing: Standing) -> tuple[Money, Money]:
    """What the target asks for, and what counts towards it; weights only add to it."""
    level, observed = target.level(standing), target.observed(standing)
    for weight in phase.weights:
        level, observed = weight.weighed(level, observed, standing)
    return level, observed
