"""Reads a rule case, in which choices have defaults, and lets the adjudicator judge it.

The plan of the product has no defaults; here they are written out.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from domain.rules.adjudicate import (
    Verdict,
    at_boundary,
    at_deadline,
    at_instant,
    next_deadline,
    warned,
)
from domain.rules.asked import asked
from domain.rules.marks import Mark, Marks
from domain.rules.phase import Phase
from domain.rules.record import Closed, Record
from domain.rules.standing import Standing
from domain.values.exact import exact
from domain.values.money import Money

CURRENCY = "USD"
MOST_BOUNDARIES = 10_000  # of one case: more than 27 years of days
LOSS_DEFAULTS = {"cmp": "lt", "measured": "equity", "eval": "tick", "effect": "hard"}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "daily": LOSS_DEFAULTS,
    "max": {**LOSS_DEFAULTS, "hwm_on": None, "lock": None},
    "target": {"flat": True},
    "min_days": {},
}

Row = tuple[str, str, str, str, str]
Instant = Annotated[datetime, Meta(tz=True)]


class CaseClose(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A close, for rules that look at days and trades."""

    opened_at: Instant  # that of an event with `opened`, this one or an earlier
    profit: str  # of this close
    result: str | None = None  # of the whole trade; absent: a rest of it stays open


class CaseEvent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    at: Instant
    balance: str | None = None
    equity: str | None = None
    flat: bool | None = None
    opened: bool = False
    closed: tuple[CaseClose, ...] = ()
    floors: dict[str, str] = {}
    days: int | None = None
    required: dict[str, str] = {}
    actual: dict[str, str] = {}
    met: dict[str, bool] = {}


class CasePlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    initial: str
    reset: tuple[str, str]
    rules: tuple[dict[str, Any], ...]
    start: Instant | None = None


class Case(Struct, frozen=True, kw_only=True):
    id: str
    plan: CasePlan
    events: tuple[CaseEvent, ...]
    expect: tuple[Row, ...] | None = None


class Judged(Struct, frozen=True, kw_only=True):
    id: str
    verdicts: tuple[Row, ...]
    assertions_failed: tuple[str, ...]


def phase_of(plan: CasePlan, name: str = "evaluation") -> Phase:
    """Write out the defaults of the case format. Raises `msgspec.ValidationError`."""
    rules = [written_out(rule) for rule in plan.rules]
    written = {"name": name, "reset": plan.reset, "rules": rules}
    return msgspec.convert(written, Phase, strict=True)


def written_out(rule: Mapping[str, Any]) -> dict[str, Any]:
    written = {**DEFAULTS.get(str(rule.get("kind")), {}), **rule}
    if written.get("mode") == "static":
        written["hwm_on"] = None  # whatever it says: a static floor follows no mark
    return written


def adjudicate(case: Case) -> Judged:
    phase = phase_of(case.plan)
    deposit = Money.parse(case.plan.initial, CURRENCY)
    if not case.events:
        return Judged(id=case.id, verdicts=(), assertions_failed=())
    began = (case.plan.start or case.events[0].at).astimezone(UTC)
    run = Run(phase, deposit, began)
    for number, event in enumerate(case.events, start=1):
        run.see(number, event)
    return Judged(
        id=case.id,
        verdicts=tuple(run.verdicts),
        assertions_failed=tuple(run.failed),
    )


class Run:
    """One account of a case, from its start to its last event."""

    def __init__(self, phase: Phase, deposit: Money, began: datetime) -> None:
        self.phase = phase
        self.now = began
        self.verdicts: list[Row] = []
        self.failed: list[str] = []
        self._began = began
        self._days: set[date] = set()
        self._opened_at: set[datetime] = set()
        self._is_over = False
        self._boundary = phase.trading_day.next_after(began)
        self._passed = 0
        self._standing = Standing(
            balance=deposit,
            equity=deposit,
            marks=Marks.at_opening(Mark(deposit, 0, began)),
            record=Record.beginning(began, phase.trading_day, deposit),
            trading_days=0,
            is_flat=True,
        )

    def see(self, number: int, event: CaseEvent) -> None:
        at = max(self.now, event.at.astimezone(UTC))  # no event turns the clock back
        self._pass_time(number, at)
        self.now = at
        if event.balance is not None or event.equity is not None:  # else it asserts
            self._standing = self._valued(event, at)
            self._note(
                f"e{number}",
                *at_instant(self.phase, self._standing, number, at),
            )
        self._assert(number, event)

    def _pass_time(self, number: int, until: datetime) -> None:
        """What is due by then, in order; of one instant a boundary before a timer."""
        while True:
            deadline = self._deadline()
            if deadline is not None and deadline < self._boundary:
                if until < deadline:
                    return
                self._strike(deadline)
            elif until < self._boundary:
                return
            else:
                self._turn(number)

    def _deadline(self) -> datetime | None:
        if self._is_over or not self.phase.timers:
            return None
        return next_deadline(self.phase, self._began, self._standing.record)

    def _strike(self, at: datetime) -> None:
        record = self._standing.record
        verdict = at_deadline(self.phase, self._began, record, at)
        record = warned(record, verdict.struck)
        standing = replace(self._standing, record=record)
        self._note(f"timer@{minute(at)}", standing, verdict)

    def _turn(self, number: int) -> None:
        self._passed += 1
        if self._passed > MOST_BOUNDARIES:
            raise ValueError(f"more than {MOST_BOUNDARIES} day boundaries")
        at = self._boundary
        self._note(
            f"reset@{minute(at)}",
            *at_boundary(self.phase, self._standing, number, at),
        )
        self._boundary = self.phase.trading_day.next_after(at)

    def _valued(self, event: CaseEvent, at: datetime) -> Standing:
        balance = self._standing.balance
        if event.balance is not None:
            balance = money(event.balance)
        equity = balance
        if event.equity is not None:
            equity = money(event.equity)
        is_flat = balance == equity if event.flat is None else event.flat
        if event.opened:
            self._days.add(self.phase.trading_day.day_of(at))
        return replace(
            self._standing,
            balance=balance,
            equity=equity,
            is_flat=is_flat,
            trading_days=len(self._days),
            record=self._recorded(event, at, balance),
        )

    def _recorded(self, event: CaseEvent, at: datetime, balance: Money) -> Record:
        """What no close has brought was booked beside: a commission, say."""
        record = self._standing.record
        if event.opened:
            self._opened_at.add(at)
            record = record.opened(at)
        closes = tuple(self._close(each) for each in event.closed)
        profit = sum((each.profit for each in closes), Money.zero(CURRENCY))
        if closes:
            record = record.closed(at, closes)
        return record.booked(balance - self._standing.balance - profit)

    def _close(self, close: CaseClose) -> Closed:
        opened_at = close.opened_at.astimezone(UTC)
        if opened_at not in self._opened_at:
            raise ValueError(f"nothing was opened at {opened_at.isoformat()}")
        return Closed(
            opened_at=opened_at,
            profit=money(close.profit),
            result=None if close.result is None else money(close.result),
        )

    def _note(self, label: str, standing: Standing, verdict: Verdict) -> None:
        self._standing = standing
        if self._is_over:
            return
        self.verdicts.extend(rows(label, verdict))
        self._is_over = verdict.is_final

    def _assert(self, number: int, event: CaseEvent) -> None:
        standing = self._standing
        floors = {each.id: each.floor(standing) for each in self.phase.limits}
        for rule, wanted in event.floors.items():
            stands = str(floors[rule].amount) if rule in floors else "no such limit"
            if rule not in floors or floors[rule].amount != Decimal(wanted):
                self.failed.append(f"e{number}: floor {rule} is {stands}, not {wanted}")
        if event.days is not None and event.days != len(self._days):
            self.failed.append(
                f"e{number}: {len(self._days)} trading days, not {event.days}"
            )
        self._assert_goals(number, event)

    def _assert_goals(self, number: int, event: CaseEvent) -> None:
        """What an objective asks for and how far it is, as an account is shown."""
        goals = {each.rule: each for each in asked(self.phase, self._standing)}
        for told, expected in (
            ("required", event.required),
            ("actual", event.actual),
            ("met", event.met),
        ):
            for rule, wanted in expected.items():
                stands = getattr(goals[rule], told) if rule in goals else "nothing"
                if stands != wanted:
                    self.failed.append(
                        f"e{number}: {told} {rule} is {stands}, not {wanted}"
                    )


def minute(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M}Z"


def money(text: str) -> Money:
    return Money.rounded(exact(text), CURRENCY)


def rows(label: str, verdict: Verdict) -> Sequence[Row]:
    breaches = [
        (
            label,
            each.limit.id,
            each.limit.effect.value,
            str(each.floor.amount),
            str(each.observed.amount),
        )
        for each in verdict.breaches
    ]
    passes = [
        (
            label,
            each.target.id,
            "pass",
            str(each.level.amount),
            str(each.observed.amount),
        )
        for each in verdict.reached
    ]
    strikes = [
        (
            label,
            each.timer.id,
            each.deadline.strike.value,
            str(each.deadline.days),
            f"{each.deadline.since:%Y-%m-%dT%H:%M:%S}Z",
        )
        for each in verdict.struck
    ]
    return [*breaches, *passes, *strikes]
