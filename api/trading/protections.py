"""Open trades: their stop, target and trailing stop, and closing several at once."""

from typing import Any

from litestar import Request, Response, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from msgspec import UNSET, Struct, UnsetType

from api.conventions import IdInPath, IdText, PositiveText
from api.doors import SIGNED_IN
from api.trading.asking import Asking
from api.trading.orders import NOTHING, maybe_number
from api.trading.reads import Reads
from api.trading.seen import seen_version, with_etag
from api.trading.trades import account_of
from application.caller import Caller
from application.gateway import Gateway
from application.views.ordered import ClosedAll, ClosedBy
from application.views.trade import TradeView
from domain.account.commands import CloseAll, ClosePositionBy, ProtectPosition


class Protection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is not sent stays as it is; null takes it away."""

    stop_loss: PositiveText | UnsetType | None = UNSET
    take_profit: PositiveText | UnsetType | None = UNSET
    trailing: PositiveText | UnsetType | None = UNSET


class CloseBy(Struct, frozen=True, forbid_unknown_fields=True):
    trade_id: IdText


@patch("/trades/{trade_id:str}", opt=dict(SIGNED_IN))
async def protect_trade(
    request: Request[Any, Any, Any],
    trade_id: IdInPath,
    data: JSONBody[Protection],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
) -> Response[TradeView]:
    """Move its stop loss, target or trailing stop, which is a distance in price."""
    command = ProtectPosition(
        trade_id=trade_id,
        stop_loss=maybe_number(data.stop_loss),
        take_profit=maybe_number(data.take_profit),
        trailing=maybe_number(data.trailing),
        seen=seen_version(request),
    )
    account_id = await account_of(trade_id, gateway, reads)
    answer = await Asking(request, caller, data).answer(
        gateway,
        gateway.partition_of_account(account_id),
        f"account-{account_id}",
        command,
    )
    return with_etag(answer)


@post("/trades/{trade_id:str}/close-by", status_code=200, opt=dict(SIGNED_IN))
async def close_trade_by(
    request: Request[Any, Any, Any],
    trade_id: IdInPath,
    data: JSONBody[CloseBy],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
) -> Response[ClosedBy]:
    """Close two opposite trades of a symbol against each other: no spread is paid."""
    account_id = await account_of(trade_id, gateway, reads)
    return await Asking(request, caller, data).answer(
        gateway,
        gateway.partition_of_account(account_id),
        f"account-{account_id}",
        ClosePositionBy(trade_id=trade_id, by=data.trade_id),
    )


@post("/accounts/{account_id:str}/close-all", status_code=200, opt=dict(SIGNED_IN))
async def close_everything(
    request: Request[Any, Any, Any],
    account_id: IdInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
) -> Response[ClosedAll]:
    """Close every trade whose market has a price, and cancel every order."""
    return await Asking(request, caller, NOTHING).answer(
        gateway,
        gateway.partition_of_account(account_id),
        f"account-{account_id}",
        CloseAll(),
    )
