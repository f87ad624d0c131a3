"""A plan on sale, with every number and choice of its terms written out."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from domain.plan.decider import Plan
from domain.plan.events import Size
from domain.rules.phase import Phase
from domain.rules.terms import Terms


class PlanView(Struct, frozen=True, kw_only=True):
    plan_id: str
    version: int
    name: str
    status: Literal["draft", "active", "superseded"]
    currency: str
    terms_hash: str
    sizes: tuple[Size, ...]
    phases: tuple[Phase, ...]
    terms: Terms  # exactly what is hashed
    position: str | UnsetType = UNSET


def plan_view(plan: Plan, version: int) -> PlanView:
    draft = plan.drafts[version - 1]
    status: Literal["draft", "active", "superseded"] = "draft"
    if plan.active is not None and version <= plan.active:
        status = "active" if version == plan.active else "superseded"
    return PlanView(
        plan_id=plan.plan_id,
        version=version,
        name=draft.name,
        status=status,
        currency=draft.terms.currency,
        terms_hash=draft.terms_hash,
        sizes=draft.sizes,
        phases=draft.terms.phases,
        terms=draft.terms,
    )


def latest(plan: Plan) -> PlanView:
    """What is on sale; before anything is, the newest draft."""
    return plan_view(plan, plan.active or len(plan.drafts))
