"""A breach is looked at again: annulled with its quotes, or, observed, decided upon.

Whoever may is an admin, alone; `decided_by` says where a second one would come in.
"""

from typing import Annotated, Any, Final
from uuid import UUID, uuid5

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from msgspec import Meta, Struct

from api.conventions import IdInPath, MinPosition
from api.doors import only
from api.trading.asking import Asking
from api.trading.flows import Reason, decided_by
from api.trading.reads import Reads
from application.caller import Caller, Role
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION, Gateway
from application.refusals import NotFound
from application.views.review import ReviewView
from domain.account.commands import (
    AnnulBreach,
    ConfirmBreach,
    DismissBreach,
    ReviewCommand,
)
from projections.breaches import Place, place_of_breach

ANNULMENTS: Final = UUID("7d0f9f4b-3c0a-5a1e-8f3b-6f8f0a5c2e47")
MOST_TICKS: Final = 1_000

Sequence = Annotated[int, Meta(ge=1, le=10**15)]
CallerHere = NamedDependency[Caller]
GatewayHere = NamedDependency[SkipValidation[Gateway]]
ReadsHere = NamedDependency[SkipValidation[Reads]]
AnyRequest = Request[Any, Any, Any]


class Annulment(Struct, frozen=True, forbid_unknown_fields=True):
    ticks: Annotated[tuple[Sequence, ...], Meta(min_length=1, max_length=MOST_TICKS)]
    reason: Reason


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


@post(
    "/admin/breaches/{breach_id:str}/annul",
    status_code=200,
    opt=dict(only(Role.ADMIN)),
)
async def annul(
    request: AnyRequest,
    breach_id: IdInPath,
    data: JSONBody[Annulment],
    caller: CallerHere,
    gateway: GatewayHere,
    reads: ReadsHere,
    min_position: MinPosition = None,
) -> Response[ReviewView]:
    """Let those quotes count no more: the account goes on, flat, without them."""
    place = await found(breach_id, reads, min_position)
    ticks = tuple(sorted(set(data.ticks)))
    command = AnnulBreach(
        breach_version=place.version,
        rules=place.rules,
        ticks=ticks,
        reason=data.reason,
        by=decided_by(caller),
        recount=await gateway.recount(place.account_id, place.version, ticks),
    )
    asking = Asking(request, caller, data)
    natural_id = uuid5(ANNULMENTS, f"{place.account_id}\n{place.version}")
    return await decided(asking, gateway, place, command, natural_id)


@post(
    "/admin/breaches/{breach_id:str}/confirm",
    status_code=200,
    opt=dict(only(Role.ADMIN)),
)
async def confirm(
    request: AnyRequest,
    breach_id: IdInPath,
    data: JSONBody[Decision],
    caller: CallerHere,
    gateway: GatewayHere,
    reads: ReadsHere,
    min_position: MinPosition = None,
) -> Response[ReviewView]:
    """What was observed was a breach: it is final."""
    place = await found(breach_id, reads, min_position)
    command = ConfirmBreach(
        breach_version=place.version,
        rules=place.rules,
        reason=data.reason,
        by=decided_by(caller),
    )
    return await decided(Asking(request, caller, data), gateway, place, command)


@post(
    "/admin/breaches/{breach_id:str}/dismiss",
    status_code=200,
    opt=dict(only(Role.ADMIN)),
)
async def dismiss(
    request: AnyRequest,
    breach_id: IdInPath,
    data: JSONBody[Decision],
    caller: CallerHere,
    gateway: GatewayHere,
    reads: ReadsHere,
    min_position: MinPosition = None,
) -> Response[ReviewView]:
    """What was observed was no breach: judging goes on with what comes next."""
    place = await found(breach_id, reads, min_position)
    command = DismissBreach(
        breach_version=place.version,
        rules=place.rules,
        reason=data.reason,
        by=decided_by(caller),
    )
    return await decided(Asking(request, caller, data), gateway, place, command)


async def found(breach_id: str, reads: Reads, min_position: str | None) -> Place:
    await reads.reach(min_position)
    place = await place_of_breach(reads.pool, breach_id)
    if place is None:
        await reads.know_all(LIVE_PARTITION, SANDBOX_PARTITION)
        place = await place_of_breach(reads.pool, breach_id)
    if place is None:
        raise NotFound(breach_id)
    return place


async def decided(
    asking: Asking,
    gateway: Gateway,
    place: Place,
    command: ReviewCommand,
    natural_id: UUID | None = None,
) -> Response[ReviewView]:
    return await asking.answer(
        gateway,
        gateway.partition_of_account(place.account_id),
        f"account-{place.account_id}",
        command,
        natural_id=natural_id,
        by_house=True,
    )
