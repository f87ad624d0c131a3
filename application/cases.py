"""Reads a rule case, in which choices have defaults, and lets the adjudicator judge it.

The plan of the product has no defaults; here they are written out.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from domain.rules.adjudicate import Verdict, at_boundary, at_instant
from domain.rules.marks import Mark, Marks
from domain.rules.phase import Phase
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


class CaseEvent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    at: Instant
    balance: str | None = None
    equity: str | None = None
    flat: bool | None = None
    opened: bool = False
    floors: dict[str, str] = {}
    days: int | None = None


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
        self._days: set[date] = set()
        self._is_over = False
        self._next = phase.trading_day.next_after(began)
        self._passed = 0
        self._standing = Standing(
            balance=deposit,
            equity=deposit,
            marks=Marks.at_opening(Mark(deposit, 0, began)),
            trading_days=0,
            is_flat=True,
        )

    def see(self, number: int, event: CaseEvent) -> None:
        at = max(self.now, event.at.astimezone(UTC))  # no event turns the clock back
        for boundary in self._boundaries(at):
            self._note(
                f"reset@{boundary:%Y-%m-%dT%H:%M}Z",
                *at_boundary(self.phase, self._standing, number, boundary),
            )
        self.now = at
        if event.balance is not None or event.equity is not None:  # else it asserts
            if event.opened:
                self._days.add(self.phase.trading_day.day_of(at))
            self._standing = self._valued(event)
            self._note(
                f"e{number}",
                *at_instant(self.phase, self._standing, number, at),
            )
        self._assert(number, event)

    def _boundaries(self, at: datetime) -> Iterator[datetime]:
        while self._next <= at:
            self._passed += 1
            if self._passed > MOST_BOUNDARIES:
                raise ValueError(f"more than {MOST_BOUNDARIES} day boundaries")
            yield self._next
            self._next = self.phase.trading_day.next_after(self._next)

    def _valued(self, event: CaseEvent) -> Standing:
        balance = self._standing.balance
        if event.balance is not None:
            balance = Money.rounded(exact(event.balance), CURRENCY)
        equity = balance
        if event.equity is not None:
            equity = Money.rounded(exact(event.equity), CURRENCY)
        is_flat = balance == equity if event.flat is None else event.flat
        return replace(
            self._standing,
            balance=balance,
            equity=equity,
            is_flat=is_flat,
            trading_days=len(self._days),
        )

    def _note(self, label: str, standing: Standing, verdict: Verdict) -> None:
        self._standing = standing
        if self._is_over:
            return
        self.verdicts.extend(rows(label, verdict))
        self._is_over = verdict.is_final

    def _assert(self, number: int, event: CaseEvent) -> None:
        floors = {each.id: each.floor(self._standing) for each in self.phase.limits}
        for rule, wanted in event.floors.items():
            stands = str(floors[rule].amount) if rule in floors else "no such limit"
            if rule not in floors or floors[rule].amount != Decimal(wanted):
                self.failed.append(f"e{number}: floor {rule} is {stands}, not {wanted}")
        if event.days is not None and event.days != len(self._days):
            self.failed.append(
                f"e{number}: {len(self._days)} trading days, not {event.days}"
            )


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
    return [*breaches, *passes]
