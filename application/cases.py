"""Reads a rule case, in which choices have defaults, and lets the adjudicator judge it.

The plan of the product has no defaults; here they are written out.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from application.views.observed import Row, rows
from domain.rules.asked import asked
from domain.rules.course import (
    Observation,
    ObservedClose,
    beginning,
    floors,
    see,
)
from domain.rules.phase import Phase
from domain.values.exact import exact
from domain.values.money import Money

CURRENCY = "USD"
MOST_DAYS = timedelta(days=10_000)  # of one case: more than 27 years
LOSS_DEFAULTS = {"cmp": "lt", "measured": "equity", "eval": "tick", "effect": "hard"}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "daily": LOSS_DEFAULTS,
    "max": {**LOSS_DEFAULTS, "hwm_on": None, "lock": None},
    "target": {"flat": True},
    "min_days": {},
}

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
    flow: str | None = None  # what came in, or went out, by no trade
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
    elif written.get("mode") == "trail":
        written.setdefault("flow_marks", "shift")
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
        self.verdicts: list[Row] = []
        self.failed: list[str] = []
        self._furthest = began + MOST_DAYS
        self._opened_at: set[datetime] = set()
        self._course = beginning(phase, deposit, began)

    def see(self, number: int, event: CaseEvent) -> None:
        seen = observation(number, event)
        if seen.at > self._furthest:
            raise ValueError(f"more than {MOST_DAYS.days} day boundaries")
        if seen.opened:
            self._opened_at.add(max(self._course.now, seen.at))
        for close in seen.closed:
            if close.opened_at not in self._opened_at:
                raise ValueError(f"nothing was opened at {close.opened_at.isoformat()}")
        self._course, notes = see(self._course, self.phase, seen)
        for noted in notes:
            self.verdicts.extend(rows(noted.label, noted.verdict))
        self._assert(number, event)

    def _assert(self, number: int, event: CaseEvent) -> None:
        levels = floors(self._course, self.phase)
        for rule, wanted in event.floors.items():
            stands = str(levels[rule].amount) if rule in levels else "no such limit"
            if rule not in levels or levels[rule].amount != Decimal(wanted):
                self.failed.append(f"e{number}: floor {rule} is {stands}, not {wanted}")
        days = len(self._course.days)
        if event.days is not None and event.days != days:
            self.failed.append(f"e{number}: {days} trading days, not {event.days}")
        self._assert_goals(number, event)

    def _assert_goals(self, number: int, event: CaseEvent) -> None:
        """What an objective asks for and how far it is, as an account is shown."""
        goals = {each.rule: each for each in asked(self.phase, self._course.standing)}
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


def observation(number: int, event: CaseEvent) -> Observation:
    return Observation(
        sequence=number,
        at=event.at.astimezone(UTC),
        balance=number_of(event.balance),
        equity=number_of(event.equity),
        flat=event.flat,
        opened=event.opened,
        closed=tuple(
            ObservedClose(
                opened_at=each.opened_at.astimezone(UTC),
                profit=exact(each.profit),
                result=number_of(each.result),
            )
            for each in event.closed
        ),
        flow=number_of(event.flow),
    )


def number_of(text: str | None) -> Decimal | None:
    return None if text is None else exact(text)
