"""What is reported of an account from outside, judged in order and by its own clock.

An observed account and a rule case are both read by this, so they cannot differ.
"""

from bisect import bisect
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from domain.rules.adjudicate import (
    NOTHING,
    Verdict,
    at_boundary,
    at_deadline,
    at_instant,
    next_deadline,
    warned,
)
from domain.rules.marks import Mark, Marks
from domain.rules.phase import Phase
from domain.rules.record import Closed, Record
from domain.rules.standing import Standing
from domain.values.money import Money


class ObservedClose(Struct, frozen=True, kw_only=True, omit_defaults=True):
    opened_at: datetime  # that of an observation with `opened`, this or an earlier one
    profit: Decimal  # of this close
    result: Decimal | None = None  # of the whole trade; None: a rest of it stays open


class Observation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an account stands elsewhere. Without an amount nothing has changed."""

    sequence: int  # its place; what is later by the clock may come before
    at: datetime
    balance: Decimal | None = None
    equity: Decimal | None = None  # None: the balance, if that is given
    flat: bool | None = None  # None: flat when both amounts are the same
    opened: bool = False  # a position was, then
    closed: tuple[ObservedClose, ...] = ()
    flow: Decimal | None = None  # of the balance: what came or went by no trade

    @property
    def is_silent(self) -> bool:
        """It says of no amount: nothing is judged."""
        return self.balance is self.equity is self.flow is None


class Noted(Struct, frozen=True, kw_only=True):
    """A verdict, what it was found at, and the state that it judged."""

    label: str  # `e<sequence>`, `reset@<minute>` or `timer@<minute>`
    sequence: int  # of the observation before which, or at which, it was due
    at: datetime
    standing: Standing
    verdict: Verdict


class Course(Struct, frozen=True, kw_only=True):
    """How far an observed account has come, by its own time."""

    began: datetime
    now: datetime
    boundary: datetime  # the next one
    standing: Standing
    days: frozenset[date] = frozenset()  # on which a position was opened
    is_over: bool = False  # nothing is judged any more; values still carry on

    @property
    def currency(self) -> str:
        return self.standing.balance.currency


Step = tuple[Course, Noted]


def beginning(phase: Phase, deposit: Money, at: datetime) -> Course:
    standing = Standing(
        balance=deposit,
        equity=deposit,
        marks=Marks.at_opening(Mark(deposit, 0, at)),
        record=Record.beginning(at, phase.trading_day, deposit),
        trading_days=0,
        is_flat=True,
    )
    boundary = phase.trading_day.next_after(at)
    return Course(began=at, now=at, boundary=boundary, standing=standing)


def see(
    course: Course, phase: Phase, seen: Observation
) -> tuple[Course, tuple[Noted, ...]]:
    """Judge what was due before, each at its own instant, and then what is reported.

    Raises `ValueError` where an amount or an instant is beyond all bounds, or where a
    trade was closed that was never opened.
    """
    at = max(course.now, seen.at)  # no observation turns the clock back
    notes: list[Noted] = []
    while (step := next_due(course, phase, seen.sequence, at)) is not None:
        course, noted = step
        notes.append(noted)
    course = replace(course, now=at)
    if seen.flow is not None:
        course = flowed(course, phase, seen, seen.flow)
    if seen.balance is not None or seen.equity is not None:
        course = valued(course, phase, seen)
    if not seen.is_silent:
        standing, verdict = at_instant(phase, course.standing, seen.sequence, at)
        label = f"e{seen.sequence}"
        course, noted = after(course, label, seen.sequence, at, standing, verdict)
        notes.append(noted)
    return course, tuple(each for each in notes if each.verdict is not NOTHING)


def next_due(
    course: Course, phase: Phase, sequence: int, until: datetime
) -> Step | None:
    """What comes first by then; of one instant a boundary before a timer."""
    deadline = None
    if phase.timers and not course.is_over:
        deadline = next_deadline(phase, course.began, course.standing.record)
    if deadline is not None and deadline < course.boundary:
        return strike(course, phase, sequence, deadline) if deadline <= until else None
    return turn(course, phase, sequence) if course.boundary <= until else None


def strike(course: Course, phase: Phase, sequence: int, at: datetime) -> Step:
    record = course.standing.record
    verdict = at_deadline(phase, course.began, record, at)
    record = warned(record, verdict.struck)
    standing = replace(course.standing, record=record)
    return after(course, f"timer@{minute(at)}", sequence, at, standing, verdict)


def turn(course: Course, phase: Phase, sequence: int) -> Step:
    at = course.boundary
    standing, verdict = at_boundary(phase, course.standing, sequence, at)
    course = replace(course, boundary=phase.trading_day.next_after(at))
    return after(course, f"reset@{minute(at)}", sequence, at, standing, verdict)


def after(
    course: Course,
    label: str,
    sequence: int,
    at: datetime,
    standing: Standing,
    verdict: Verdict,
) -> Step:
    if course.is_over or not (verdict.breaches or verdict.reached or verdict.struck):
        verdict = NOTHING
    is_over = course.is_over or verdict.is_final
    noted = Noted(
        label=label, sequence=sequence, at=at, standing=standing, verdict=verdict
    )
    return replace(course, standing=standing, is_over=is_over), noted


def flowed(course: Course, phase: Phase, seen: Observation, flow: Decimal) -> Course:
    """The amounts that come with it are those after it."""
    before, amount = course.standing, Money.rounded(flow, course.currency)
    how = phase.flow_marks
    standing = replace(
        before,
        balance=before.balance + amount,
        equity=before.equity + amount,
        marks=before.marks.flowed(amount, how, seen.sequence, course.now),
    )
    return replace(course, standing=standing)


def valued(course: Course, phase: Phase, seen: Observation) -> Course:
    before, currency = course.standing, course.currency
    balance = before.balance
    if seen.balance is not None:
        balance = Money.rounded(seen.balance, currency)
    equity = balance
    if seen.equity is not None:
        equity = Money.rounded(seen.equity, currency)
    days = course.days
    if seen.opened:
        days |= {phase.trading_day.day_of(course.now)}
    standing = replace(
        before,
        balance=balance,
        equity=equity,
        is_flat=balance == equity if seen.flat is None else seen.flat,
        trading_days=len(days),
        record=recorded(course, seen, balance),
    )
    return replace(course, standing=standing, days=days)


def recorded(course: Course, seen: Observation, balance: Money) -> Record:
    """What no close has brought was booked beside: a commission, say."""
    record = course.standing.record
    if seen.opened:
        record = record.opened(course.now)
    closes = tuple(close(record, each, course.currency) for each in seen.closed)
    profit = sum((each.profit for each in closes), Money.zero(course.currency))
    if closes:
        record = record.closed(course.now, closes)
    return record.booked(balance - course.standing.balance - profit)


def close(record: Record, seen: ObservedClose, currency: str) -> Closed:
    days = record.days
    place = bisect(days, seen.opened_at, key=lambda day: day.began) - 1
    if place < 0 or not days[place].opened:
        raise ValueError(f"nothing was opened at {seen.opened_at.isoformat()}")
    result = seen.result
    return Closed(
        opened_at=seen.opened_at,
        profit=Money.rounded(seen.profit, currency),
        result=None if result is None else Money.rounded(result, currency),
    )


def floors(course: Course, phase: Phase) -> Mapping[str, Money]:
    """By the rule's id, of every limit."""
    return {each.id: each.floor(course.standing) for each in phase.limits}


def minute(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M}Z"
