"""How a plan is drafted, and how one version of it goes on sale."""

from decimal import Decimal
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.plan.errors import PlanNotActive, SizeNotOffered, VersionNotDrafted
from domain.plan.events import PlanActivated, PlanDrafted, PlanEvent, Size
from domain.rules.terms import Terms
from domain.values.market import Moment

MOST_SIZES = 50


class DraftPlan(Struct, frozen=True, kw_only=True, tag=True):
    plan_id: str
    name: str
    sizes: tuple[Size, ...]
    terms: Terms


class ActivatePlan(Struct, frozen=True, kw_only=True, tag=True):
    plan_id: str
    version: int


PlanCommand = DraftPlan | ActivatePlan


class Plan(Struct, frozen=True, kw_only=True):
    plan_id: str
    drafts: tuple[PlanDrafted, ...]  # every version, the first one first
    active: int | None = None  # the version on sale

    def on_sale(self, deposit: Decimal) -> tuple[PlanDrafted, Size]:
        """The version and size that a buyer of `deposit` gets."""
        if self.active is None:
            raise PlanNotActive(self.plan_id)
        draft = self.drafts[self.active - 1]
        for size in draft.sizes:
            if size.deposit == deposit:
                return draft, size
        raise SizeNotOffered(", ".join(str(size.deposit) for size in draft.sizes))


def decide(command: PlanCommand, plan: Plan | None, moment: Moment) -> PlanEvent:
    match command:
        case DraftPlan():
            return PlanDrafted(
                at=moment.at,
                plan_id=command.plan_id,
                version=len(plan.drafts) + 1 if plan else 1,
                name=command.name,
                sizes=command.sizes,
                terms=command.terms,
                terms_hash=command.terms.hash,
            )
        case ActivatePlan():
            if plan is None or not 1 <= command.version <= len(plan.drafts):
                raise VersionNotDrafted(str(command.version))
            return PlanActivated(
                at=moment.at, plan_id=command.plan_id, version=command.version
            )
        case _:
            assert_never(command)


def evolve(plan: Plan | None, event: PlanEvent) -> Plan:
    match event:
        case PlanDrafted():
            if plan is None:
                return Plan(plan_id=event.plan_id, drafts=(event,))
            return replace(plan, drafts=(*plan.drafts, event))
        case PlanActivated():
            assert plan is not None
            return replace(plan, active=event.version)
        case _:
            assert_never(event)
