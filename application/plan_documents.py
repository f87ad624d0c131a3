"""Where a written plan comes from: a request, a file, or the templates here."""

from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from domain.plan.document import PlanDocument

TEMPLATES: Final = (
    "sprint",
    "one-step",
    "two-step",
    "two-step-trailing",
    "instant",
    "futures",
)


class SentPlan(PlanDocument, frozen=True, kw_only=True):
    """A plan may be sent as it was answered: what the server had said is not read."""

    version: int | None = None
    status: str | None = None
    terms_hash: str | None = None
    terms: Any = None
    position: str | None = None


class KeptPlan(SentPlan, frozen=True, kw_only=True):
    """A file may hold an answer whole, with the id."""

    plan_id: str | None = None


def as_written(sent: SentPlan) -> PlanDocument:
    return PlanDocument(
        name=sent.name,
        currency=sent.currency,
        sizes=sent.sizes,
        phases=sent.phases,
        add_ons=sent.add_ons,
    )


def document_in(text: bytes) -> PlanDocument:
    """Raises `msgspec.MsgspecError`."""
    return as_written(msgspec.json.decode(text, type=KeptPlan))


@lru_cache
def template(name: str) -> PlanDocument:
    """Raises `FileNotFoundError`."""
    place = files("application.plan_templates") / f"{name}.json"
    return document_in(place.read_bytes())
