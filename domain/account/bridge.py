"""What another platform reports of an account counts in the order of its sequence.

What comes late goes to its place, and all since the last closed boundary is judged
again. Before that boundary nothing moves any more, and no end of an account is undone.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from domain.account.errors import ObservationRefused
from domain.rules.adjudicate import Verdict
from domain.rules.course import Course, Noted, Observation, beginning, see
from domain.rules.phase import Phase
from domain.values.money import Money

MOST_KEPT: Final = 1_000  # observations, to know again what is sent again

Observations = tuple[Observation, ...]


class ObservedBreach(StrEnum):
    """Whether what was observed ends the account before anybody has looked."""

    FINAL = "final"
    REVIEW = "review"


class Bridging(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """On what terms an account is observed."""

    starts_at: datetime | None  # its own time; None: with its first observation
    watermark_seconds: int  # how long a boundary waits for what is late
    observed_breach: ObservedBreach = ObservedBreach.FINAL


class Edge(Struct, frozen=True, kw_only=True):
    """A place in the sequence, and how the account stood there."""

    sequence: int  # up to it nothing new counts from here on
    boundary: datetime | None  # that the next one crossed; None: it just begins here
    course: Course


class Heard(Struct, frozen=True, kw_only=True):
    """A verdict that was told already."""

    sequence: int
    label: str
    rule: str


class Bridge(Struct, frozen=True, kw_only=True):
    terms: Bridging
    course: Course | None = None  # None: nothing has been observed
    recent: Observations = ()  # the newest, in order
    edges: tuple[Edge, ...] = ()  # what is late counts after the first; others wait
    heard: tuple[Heard, ...] = ()  # since the first edge

    @property
    def newest(self) -> int:
        return self.recent[-1].sequence if self.recent else 0

    def fresh(self, sent: Iterable[Observation]) -> Observations:
        """What was not sent before, in order. Raises `ObservationRefused`."""
        known = {each.sequence: each for each in self.recent}
        oldest = self.recent[0].sequence if len(known) == MOST_KEPT else 0
        fresh: list[Observation] = []
        for each in sorted(sent, key=lambda one: one.sequence):
            before = known.get(each.sequence)
            if before is None and each.sequence < oldest:
                raise ObservationRefused(
                    f"{each.sequence} is older than all that is kept"
                )
            if before is None:
                known[each.sequence] = each
                fresh.append(each)
            elif before != each:
                raise ObservationRefused(f"{each.sequence} said something else before")
        return tuple(fresh)


def take(
    bridge: Bridge, phase: Phase, deposit: Money, fresh: Observations
) -> tuple[Bridge, tuple[Noted, ...]]:
    """Judge them in their places; what was told before is not told again."""
    begun = bridge if bridge.course else beginning_of(bridge, phase, deposit, fresh[0])
    every = (*bridge.recent, *fresh)
    kept = tuple(sorted(every, key=lambda each: each.sequence))
    went, notes = gone_on(begun, phase, kept, fresh)
    notes = tuple(untold(notes, bridge.heard))
    heard = (*bridge.heard, *(one for each in notes for one in heard_of(each)))
    since = went.edges[0].sequence
    heard = tuple(each for each in heard if since < each.sequence)
    return replace(went, recent=kept[-MOST_KEPT:], heard=heard), notes


def resumed(bridge: Bridge) -> Bridge:
    """Judging goes on with what comes next: nothing before is judged once more."""
    assert bridge.course is not None
    course = replace(bridge.course, is_over=False)
    edge = Edge(sequence=bridge.newest, boundary=None, course=course)
    return replace(bridge, course=course, edges=(edge,), heard=())


def beginning_of(
    bridge: Bridge, phase: Phase, deposit: Money, first: Observation
) -> Bridge:
    course = beginning(phase, deposit, bridge.terms.starts_at or first.at)
    edge = Edge(sequence=0, boundary=None, course=course)
    return replace(bridge, course=course, edges=(edge,))


def gone_on(
    bridge: Bridge, phase: Phase, kept: Observations, fresh: Observations
) -> tuple[Bridge, tuple[Noted, ...]]:
    """From where it stood, or, where something came late, from the first edge again."""
    course, edges, notes = bridge.course, bridge.edges, list[Noted]()
    assert course is not None
    closed, newest = edges[0].sequence, bridge.newest
    due = [each for each in fresh if newest < each.sequence]
    is_late = any(closed < each.sequence < newest for each in fresh)
    if is_late and not course.is_over:
        course, edges = edges[0].course, edges[:1]
        due = [each for each in kept if closed < each.sequence]
    for each in due:
        if course.boundary <= each.at:
            before, boundary = each.sequence - 1, course.boundary
            edge = Edge(sequence=before, boundary=boundary, course=course)
            edges = (*edges, edge)
        course, noted = see(course, phase, each)
        edges = closing(edges, course.now, bridge.terms)
        notes.extend(noted)
    forgotten = kept[:-MOST_KEPT]
    if forgotten and edges[0].sequence < forgotten[-1].sequence:
        edges = (Edge(sequence=kept[-1].sequence, boundary=None, course=course),)
    return replace(bridge, course=course, edges=edges), tuple(notes)


def closing(
    edges: tuple[Edge, ...], now: datetime, terms: Bridging
) -> tuple[Edge, ...]:
    """The last boundary whose watermark has passed is where what is late begins."""
    if len(edges) == 1:
        return edges
    watermark = timedelta(seconds=terms.watermark_seconds)
    last = 0
    for place, each in enumerate(edges):
        if each.boundary is not None and each.boundary + watermark <= now:
            last = place
    return edges[last:]


def untold(notes: Iterable[Noted], heard: tuple[Heard, ...]) -> Iterator[Noted]:
    known = {(each.label, each.rule) for each in heard}
    for each in notes:
        label, verdict = each.label, each.verdict
        left = Verdict(
            breaches=tuple(
                b for b in verdict.breaches if (label, b.limit.id) not in known
            ),
            reached=tuple(
                r for r in verdict.reached if (label, r.target.id) not in known
            ),
            struck=tuple(s for s in verdict.struck if (label, s.timer.id) not in known),
        )
        if left.breaches or left.reached or left.struck:
            yield replace(each, verdict=left)


def heard_of(noted: Noted) -> Iterator[Heard]:
    verdict = noted.verdict
    rules = [each.limit.id for each in verdict.breaches]
    rules += [each.target.id for each in verdict.reached]
    rules += [each.timer.id for each in verdict.struck]
    for rule in rules:
        yield Heard(sequence=noted.sequence, label=noted.label, rule=rule)
