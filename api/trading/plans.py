"""Row 5 of the contract: what is on sale, every number and choice written out."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from api.conventions import IdInPath, Page
from api.doors import ANYONE
from application.gateway import LIVE_PARTITION, Gateway
from application.views.plan import PlanView


@get("/plans", opt=dict(ANYONE))
async def plans(gateway: NamedDependency[SkipValidation[Gateway]]) -> Page[PlanView]:
    """List the active plans; a firm has a handful, so they make one page."""
    position = f"{LIVE_PARTITION}-{gateway.position(LIVE_PARTITION)}"
    return Page(items=gateway.plans(), next=None, position=position)


@get("/plans/{plan_id:str}", opt=dict(ANYONE))
async def one_plan(
    plan_id: IdInPath, gateway: NamedDependency[SkipValidation[Gateway]]
) -> PlanView:
    return gateway.plan(plan_id)
