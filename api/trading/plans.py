"""Rows 5 and 6 of the contract: plans, and how a firm changes them in versions."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter, SkipValidation
from msgspec import Meta, Struct

from api.conventions import IdInPath, Page
from api.doors import ANYONE, only
from api.problems import Fault, Problem
from api.trading.asking import Asking
from application.caller import Caller, Role
from application.gateway import LIVE_PARTITION, Gateway
from application.plan_documents import SentPlan, as_written
from application.views.plan import PlanView
from domain.plan.decider import ActivatePlan, DraftPlan
from domain.plan.reading import read

AnyRequest = Request[Any, Any, Any]
GatewayHere = NamedDependency[SkipValidation[Gateway]]
CallerHere = NamedDependency[Caller]
Version = Annotated[int, Meta(ge=1, le=2**31)]


class Activation(Struct, frozen=True, forbid_unknown_fields=True):
    version: Version | None = None  # the newest


@get("/plans", opt=dict(ANYONE))
async def plans(gateway: GatewayHere) -> Page[PlanView]:
    """List the active plans; a firm has a handful, so they make one page."""
    position = f"{LIVE_PARTITION}-{gateway.position(LIVE_PARTITION)}"
    return Page(items=gateway.plans(), next=None, position=position)


@get("/plans/{plan_id:str}", opt=dict(ANYONE))
async def one_plan(
    plan_id: IdInPath,
    gateway: GatewayHere,
    version: Annotated[int | None, QueryParameter(ge=1)] = None,
) -> PlanView:
    """Give the version on sale; before there is one, the newest draft."""
    return gateway.plan(plan_id, version)


@get("/plans/{plan_id:str}/versions", opt=dict(ANYONE))
async def plan_versions(plan_id: IdInPath, gateway: GatewayHere) -> Page[PlanView]:
    """List every version there ever was, the first one first."""
    position = f"{LIVE_PARTITION}-{gateway.position(LIVE_PARTITION)}"
    return Page(items=gateway.plan_versions(plan_id), next=None, position=position)


@post("/plans", opt=dict(only(Role.ADMIN)))
async def draft_plan(
    request: AnyRequest,
    data: JSONBody[SentPlan],
    caller: CallerHere,
    gateway: GatewayHere,
) -> Response[PlanView]:
    """Draft a new plan; what can be read in two ways is refused with both."""
    asking = Asking(request, caller, data)
    return await drafted(gateway, asking, asking.id_for("plan"), data)


@post("/plans/{plan_id:str}/versions", opt=dict(only(Role.ADMIN)))
async def draft_version(
    request: AnyRequest,
    plan_id: IdInPath,
    data: JSONBody[SentPlan],
    caller: CallerHere,
    gateway: GatewayHere,
) -> Response[PlanView]:
    """Draft the next version of a plan; nothing of it is sold before it is active."""
    gateway.plan(plan_id)  # or it is not found
    return await drafted(gateway, Asking(request, caller, data), plan_id, data)


@post("/plans/{plan_id:str}/activate", status_code=200, opt=dict(only(Role.ADMIN)))
async def activate_plan(
    request: AnyRequest,
    plan_id: IdInPath,
    caller: CallerHere,
    gateway: GatewayHere,
    data: JSONBody[Activation | None] = None,
) -> Response[PlanView]:
    """Put a draft on sale; what was on sale is superseded, what was sold stays."""
    gateway.plan(plan_id)
    asked = data or Activation()
    command = ActivatePlan(plan_id=plan_id, version=asked.version)
    return await Asking(request, caller, asked).answer(
        gateway, LIVE_PARTITION, f"plan-{plan_id}", command
    )


async def drafted(
    gateway: Gateway, asking: Asking, plan_id: str, sent: SentPlan
) -> Response[PlanView]:
    document = as_written(sent)
    if faults := read(document).faults:
        told = tuple(Fault(each.path, each.reason) for each in faults)
        raise Problem("invalid-request", errors=told)
    command = DraftPlan(plan_id=plan_id, document=document)
    return await asking.answer(gateway, LIVE_PARTITION, f"plan-{plan_id}", command)
