"""How a plan is drafted, and how one version of it goes on sale."""

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.plan.content import Content, content_of
from domain.plan.document import PlanDocument
from domain.plan.errors import (
    PlanAmbiguous,
    PlanNotActive,
    SizeNotOffered,
    VersionNotDrafted,
)
from domain.plan.events import PlanActivated, PlanDrafted, PlanEvent, Size
from domain.plan.findings import Finding, errors
from domain.plan.linter import findings_of, lint_content
from domain.plan.reading import read
from domain.values.market import Moment


class DraftPlan(Struct, frozen=True, kw_only=True, tag=True):
    """What a firm wrote; it has been read once already, so it has no fault."""

    plan_id: str
    document: PlanDocument


class ActivatePlan(Struct, frozen=True, kw_only=True, tag=True):
    plan_id: str
    version: int | None  # None: the newest


PlanCommand = DraftPlan | ActivatePlan


class Status(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    SUPERSEDED = "superseded"  # by a later one that went on sale


class Plan(Struct, frozen=True, kw_only=True):
    plan_id: str
    drafts: tuple[PlanDrafted, ...]  # every version, the first one first
    active: int | None = None  # the version on sale

    def status(self, version: int) -> Status:
        if self.active is None or self.active < version:
            return Status.DRAFT
        return Status.ACTIVE if version == self.active else Status.SUPERSEDED

    def on_sale(
        self, deposit: Decimal, version: int | None = None
    ) -> tuple[PlanDrafted, Size]:
        """The version and size that a buyer of `deposit` gets; None: what is active."""
        if self.active is None or version not in (None, self.active):
            raise PlanNotActive(self.plan_id)
        draft = self.drafts[self.active - 1]
        for size in draft.sizes:
            if size.deposit == deposit:
                return draft, size
        raise SizeNotOffered(", ".join(str(size.deposit) for size in draft.sizes))


def decide(command: PlanCommand, plan: Plan | None, moment: Moment) -> PlanEvent:
    match command:
        case DraftPlan():
            content = said_once(command.document)
            return PlanDrafted(
                at=moment.at,
                plan_id=command.plan_id,
                version=len(plan.drafts) + 1 if plan else 1,
                name=content.name,
                sizes=content.sizes,
                terms=content.terms,
                terms_hash=content.terms.hash,
                add_ons=content.add_ons,
            )
        case ActivatePlan():
            draft = draft_to_sell(plan, command.version)
            must_be_clear(lint_content(content_of(draft)))  # by what is known today
            return PlanActivated(
                at=moment.at, plan_id=command.plan_id, version=draft.version
            )
        case _:
            assert_never(command)


def said_once(document: PlanDocument) -> Content:
    """Raises `PlanAmbiguous`."""
    reading = read(document)
    must_be_clear(findings_of(reading, document.currency))
    assert reading.content is not None, reading.faults
    return reading.content


def must_be_clear(findings: Iterable[Finding]) -> None:
    if refused := errors(findings):
        raise PlanAmbiguous(refused)


def draft_to_sell(plan: Plan | None, version: int | None) -> PlanDrafted:
    if plan is None:
        raise VersionNotDrafted(str(version))
    wanted = len(plan.drafts) if version is None else version
    if not 1 <= wanted <= len(plan.drafts):
        raise VersionNotDrafted(str(wanted))
    if (status := plan.status(wanted)) is not Status.DRAFT:
        raise VersionNotDrafted(f"version {wanted} is {status}")
    return plan.drafts[wanted - 1]


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
