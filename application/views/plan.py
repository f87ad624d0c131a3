"""A plan on sale, with every number and choice of its terms written out."""

from msgspec import UNSET, Struct, UnsetType

from domain.plan.add_ons import AddOn
from domain.plan.decider import Plan, Status
from domain.plan.events import Size
from domain.plan.findings import Finding
from domain.rules.phase import Phase
from domain.rules.terms import Terms


class PlanView(Struct, frozen=True, kw_only=True):
    plan_id: str
    version: int
    name: str
    status: Status
    currency: str
    terms_hash: str
    sizes: tuple[Size, ...]
    phases: tuple[Phase, ...]
    add_ons: tuple[AddOn, ...]
    terms: Terms  # exactly what is hashed, without any add-on
    position: str | UnsetType = UNSET
    warnings: tuple[Finding, ...] | UnsetType = UNSET  # of a draft, as it is made


def plan_view(plan: Plan, version: int) -> PlanView:
    draft = plan.drafts[version - 1]
    return PlanView(
        plan_id=plan.plan_id,
        version=version,
        name=draft.name,
        status=plan.status(version),
        currency=draft.terms.currency,
        terms_hash=draft.terms_hash,
        sizes=draft.sizes,
        phases=draft.terms.phases,
        add_ons=draft.add_ons,
        terms=draft.terms,
    )


def latest(plan: Plan) -> PlanView:
    """What is on sale; before anything is, the newest draft."""
    return plan_view(plan, plan.active or len(plan.drafts))
