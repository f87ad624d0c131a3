"""What an operator does about the symbols of a venue: list, change, believe again."""

from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from msgspec import UNSET, Meta, Struct, UnsetType

from api.conventions import IdInPath, Instant
from api.doors import only
from api.trading.asking import Asking
from api.trading.listing import Change, Listing, changed, listed
from api.trading.market_data import SymbolInPath
from application.caller import Caller, Role
from application.gateway import Gateway
from application.views.venue import ListedView, ReleasedView
from domain.venue.commands import ReleaseSymbol, SpecifyInstrument

GatewayHere = NamedDependency[SkipValidation[Gateway]]
CallerHere = NamedDependency[Caller]
AnyRequest = Request[Any, Any, Any]

Reason = Annotated[
    str,
    Meta(
        min_length=1, max_length=500, description="Kept for ever: name no person in it."
    ),
]


class Release(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


class NewInstrument(Listing, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    effective_from: Instant | UnsetType = UNSET


class NewSpecification(Change, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    effective_from: Instant | UnsetType = UNSET


@post("/admin/venues/{venue_id:str}/symbols", opt=dict(only(Role.ADMIN)))
async def list_symbol(
    request: AnyRequest,
    venue_id: IdInPath,
    data: JSONBody[NewInstrument],
    caller: CallerHere,
    gateway: GatewayHere,
) -> Response[ListedView]:
    """List a symbol more at a venue, at once or from an instant on."""
    told = {name: getattr(data, name) for name in Listing.__struct_fields__}
    command = SpecifyInstrument(
        venue_id=venue_id,
        instrument=listed(Listing(**told), ""),
        reason=data.reason,
        effective_from=instant(data.effective_from),
    )
    return await decided(gateway, Asking(request, caller, data), command)


@post(
    "/admin/venues/{venue_id:str}/symbols/{symbol:str}",
    status_code=200,
    opt=dict(only(Role.ADMIN)),
)
async def change_symbol(
    request: AnyRequest,
    venue_id: IdInPath,
    symbol: SymbolInPath,
    data: JSONBody[NewSpecification],
    caller: CallerHere,
    gateway: GatewayHere,
) -> Response[ListedView]:
    """Give a symbol another specification; what is open keeps the one it has."""
    told = {name: getattr(data, name) for name in Change.__struct_fields__}
    known = gateway.instrument(venue_id, symbol)
    command = SpecifyInstrument(
        venue_id=venue_id,
        instrument=changed(known, Change(**told), ""),
        reason=data.reason,
        effective_from=instant(data.effective_from),
    )
    return await decided(gateway, Asking(request, caller, data), command)


@post(
    "/admin/venues/{venue_id:str}/symbols/{symbol:str}/release",
    status_code=200,
    opt=dict(only(Role.ADMIN, Role.RISK)),
)
async def release_symbol(
    request: AnyRequest,
    venue_id: IdInPath,
    symbol: SymbolInPath,
    data: JSONBody[Release],
    caller: CallerHere,
    gateway: GatewayHere,
) -> Response[ReleasedView]:
    """Believe a symbol in quarantine again, from its next quote on."""
    command = ReleaseSymbol(venue_id=venue_id, symbol=symbol, reason=data.reason)
    return await decided(gateway, Asking(request, caller, data), command)


async def decided(
    gateway: Gateway, asking: Asking, command: ReleaseSymbol | SpecifyInstrument
) -> Response[Any]:
    venue_id = command.venue_id
    partition, stream = gateway.partition_of_venue(venue_id), f"venue-{venue_id}"
    return await asking.answer(gateway, partition, stream, command, by_house=True)


def instant(at: datetime | UnsetType) -> datetime | None:
    return at.astimezone(UTC) if isinstance(at, datetime) else None
