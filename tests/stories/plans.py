"""Plans as a firm writes them, for the stories: small, and each passes the linter."""

from typing import Any

import msgspec
from msgspec import to_builtins

from domain.plan.document import PlanDocument
from domain.plan.events import Size
from domain.rules.terms import Terms

MAX_LOSS: dict[str, Any] = {
    "id": "max",
    "kind": "max",
    "mode": "static",
    "amount": ["pct_initial", "10"],
    "cmp": "lt",
    "measured": "equity",
    "eval": "tick",
    "effect": "hard",
}
DAILY: dict[str, Any] = {
    "id": "daily",
    "kind": "daily",
    "anchor": "balance",
    "amount": ["pct_initial", "5"],
    "cmp": "lt",
    "measured": "equity",
    "eval": "tick",
    "effect": "hard",
}
TRAILING: dict[str, Any] = MAX_LOSS | {
    "mode": "trail",
    "hwm_on": "equity",
    "lock": None,
}
TARGET: dict[str, Any] = {
    "id": "target",
    "kind": "target",
    "pct": "8",
    "basis": "closed",
    "flat": True,
}
DAYS: dict[str, Any] = {"id": "days", "kind": "min_days", "n": 4}
GREEN: dict[str, Any] = {
    "id": "green",
    "kind": "profitable_days",
    "n": 4,
    "amount": ["pct_initial", "0.5"],
    "counted": "closed",
    "ended": True,
}
SHARE: dict[str, Any] = {
    "id": "share",
    "kind": "consistency",
    "best": "day",
    "of": "net",
    "pct": "40",
    "cmp": "gt",
    "effect": "block_pass",
}
TIME: dict[str, Any] = {
    "id": "time",
    "kind": "time_limit",
    "after": ["calendar", 30],
    "from": "start",
}
IDLE: dict[str, Any] = {
    "id": "idle",
    "kind": "inactivity",
    "activity": "opened",
    "warn": ["elapsed", 15],
    "after": ["elapsed", 30],
    "from": "activity",
}


def phase(*rules: dict[str, Any], name: str = "evaluation", **rest: Any) -> Any:
    return {"name": name, "reset": ["Europe/Prague", "00:00"], "rules": [*rules]} | rest


def written(*phases: Any, **rest: Any) -> dict[str, Any]:
    """One size of 100,000 for 540, in dollars, unless something else is said."""
    return {
        "name": "Two steps",
        "currency": "USD",
        "sizes": [{"deposit": "100000", "price": "540"}],
        "phases": [*phases],
    } | rest


def document(*phases: Any, **rest: Any) -> PlanDocument:
    return msgspec.convert(written(*phases, **rest), PlanDocument)


def document_of(name: str, sizes: tuple[Size, ...], terms: Terms) -> PlanDocument:
    """Write down what has been built."""
    built = to_builtins(terms)
    return msgspec.convert(
        {
            "name": name,
            "currency": terms.currency,
            "sizes": to_builtins(sizes),
            "phases": built["phases"],
        },
        PlanDocument,
    )
