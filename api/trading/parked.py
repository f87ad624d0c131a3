"""What failed and waits for somebody's decision: to be asked again, or left undone."""

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, SkipValidation
from msgspec import Meta, Struct

from api.conventions import (
    CursorText,
    IdInPath,
    Limit,
    Page,
    cursor_of,
    place_of,
)
from api.doors import only
from api.trading.asking import Asking
from application.caller import Caller, Role
from application.engine.parking import decision_id
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION, Gateway
from application.parked import RetryParked, SkipParked
from application.views.parked import DecisionView, ParkedView

PARTITIONS: Final = (LIVE_PARTITION, SANDBOX_PARTITION)  # in the order of the list

ParkedId = Annotated[str, PathParameter(pattern=r"^[1-9][0-9]{0,17}$(?!\n)")]
GatewayHere = NamedDependency[SkipValidation[Gateway]]
AnyRequest = Request[Any, Any, Any]


class Retry(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to say beside which."""


class Skip(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=500,
            description="Kept for ever: name no person in it.",
        ),
    ]


@get("/admin/parked", opt=dict(only(Role.ADMIN)))
async def parked(
    gateway: GatewayHere, cursor: CursorText = None, limit: Limit = 50
) -> Page[ParkedView]:
    """List what nobody has decided about, the oldest of each partition first."""
    start, after = PARTITIONS[0], 0
    if cursor is not None:
        start, after = place_of(cursor, tuple[str, int])
    found: list[ParkedView] = []
    for partition in PARTITIONS:
        if partition >= start and len(found) <= limit:
            seen = after if partition == start else 0
            found += await gateway.parked(partition, seen, limit + 1 - len(found))
    items = tuple(found[:limit])
    following = None
    if len(found) > limit:
        following = cursor_of(items[-1].partition, int(items[-1].id))
    position = f"{LIVE_PARTITION}-{gateway.position(LIVE_PARTITION)}"
    return Page(items=items, next=following, position=position)


@post(
    "/admin/parked/{partition:str}/{parked_id:str}/retry",
    status_code=200,
    opt=dict(only(Role.ADMIN)),
)
async def retry_parked(
    request: AnyRequest,
    partition: IdInPath,
    parked_id: ParkedId,
    caller: NamedDependency[Caller],
    gateway: GatewayHere,
) -> Response[DecisionView]:
    """Ask once more for what failed; asking for it twice does it once."""
    item = await gateway.parked_item(partition, int(parked_id))
    command = RetryParked(parked_id=int(parked_id), kind=item.kind)
    asking = Asking(request, caller, Retry())
    return await decided(gateway, asking, partition, command)


@post(
    "/admin/parked/{partition:str}/{parked_id:str}/skip",
    status_code=200,
    opt=dict(only(Role.ADMIN)),
)
async def skip_parked(
    request: AnyRequest,
    partition: IdInPath,
    parked_id: ParkedId,
    data: JSONBody[Skip],
    caller: NamedDependency[Caller],
    gateway: GatewayHere,
) -> Response[DecisionView]:
    """Leave it undone, for a reason that everybody can read later."""
    await gateway.parked_item(partition, int(parked_id))
    command = SkipParked(parked_id=int(parked_id), reason=data.reason)
    asking = Asking(request, caller, data)
    return await decided(gateway, asking, partition, command)


async def decided(
    gateway: Gateway,
    asking: Asking,
    partition: str,
    command: RetryParked | SkipParked,
) -> Response[DecisionView]:
    natural_id = decision_id(partition, command)
    stream = f"parked-{command.parked_id}"
    return await asking.answer(
        gateway, partition, stream, command, natural_id=natural_id
    )
