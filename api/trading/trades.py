"""Rows 11 to 13 of the contract: open by market, close in whole or part, list."""

from typing import Annotated, Any, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, SkipValidation
from msgspec import Meta, Struct

from api.conventions import (
    CursorText,
    IdInPath,
    IdText,
    Limit,
    MinPosition,
    Page,
    PositiveText,
)
from api.doors import SIGNED_IN
from api.trading.asking import Asking, client_order, owner_for
from api.trading.reads import Reads, after, cursor_after
from api.trading.seen import etag
from application.caller import Caller
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION, Gateway
from application.refusals import NotFound
from application.views.trade import TradeView
from domain.account.commands import ClosePosition, OpenPosition
from domain.values.exact import exact
from domain.values.quote import Side
from projections.trades import account_of_trade, trade, trades_of

SymbolText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,23}$(?!\n)")]
ClientOrderText = Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,64}$(?!\n)")]


class OpenTrade(Struct, frozen=True, forbid_unknown_fields=True):
    account_id: IdText
    symbol: SymbolText
    side: Literal["buy", "sell"]
    quantity: PositiveText
    client_order_id: ClientOrderText | None = None
    stop_loss: PositiveText | None = None
    take_profit: PositiveText | None = None


class CloseTrade(Struct, frozen=True, forbid_unknown_fields=True):
    quantity: PositiveText | None = None


@post("/trades", opt=dict(SIGNED_IN))
async def open_trade(
    request: Request[Any, Any, Any],
    data: JSONBody[OpenTrade],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
) -> Response[TradeView]:
    """Fill at the last accepted quote; the same client order id opens one trade."""
    asking = Asking(request, caller, data)
    stop, target = data.stop_loss, data.take_profit
    command = OpenPosition(
        trade_id=asking.id_for("trade"),
        order_id=asking.id_for("order"),
        client_order_id=data.client_order_id,
        symbol=data.symbol,
        side=Side(data.side),
        quantity=exact(data.quantity),
        stop_loss=exact(stop) if stop else None,
        take_profit=exact(target) if target else None,
    )
    return await asking.answer(
        gateway,
        gateway.partition_of_account(data.account_id),
        f"account-{data.account_id}",
        command,
        natural_id=client_order(data.account_id, data.client_order_id),
    )


@post("/trades/{trade_id:str}/close", status_code=200, opt=dict(SIGNED_IN))
async def close_trade(
    request: Request[Any, Any, Any],
    trade_id: IdInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    data: JSONBody[CloseTrade | None] = None,
) -> Response[TradeView]:
    asking = Asking(request, caller, data or CloseTrade())
    account_id = await account_of(trade_id, gateway, reads)
    quantity = exact(data.quantity) if data and data.quantity else None
    return await asking.answer(
        gateway,
        gateway.partition_of_account(account_id),
        f"account-{account_id}",
        ClosePosition(trade_id=trade_id, quantity=quantity),
    )


async def account_of(trade_id: str, gateway: Gateway, reads: Reads) -> str:
    account_id = gateway.account_of_trade(trade_id)
    if account_id is None:  # closed already, or never there: the tables know
        await reads.catch_up(LIVE_PARTITION, None)
        await reads.catch_up(SANDBOX_PARTITION, None)
        account_id = await account_of_trade(reads.pool, trade_id)
    if account_id is None:
        await reads.know_all(LIVE_PARTITION, SANDBOX_PARTITION)
        account_id = await account_of_trade(reads.pool, trade_id)
    if account_id is None:
        raise NotFound(trade_id)
    return account_id


@get("/trades", opt=dict(SIGNED_IN))
async def trades(  # noqa: PLR0913, PLR0917 - a list with all the usual parameters
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    account_id: FromQuery[IdText | None] = None,
    status: FromQuery[Literal["open", "closed"] | None] = None,
    min_position: MinPosition = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Page[TradeView]:
    """List those of one account, or all of mine, the newest first."""
    partition = LIVE_PARTITION
    if account_id is not None:
        partition = gateway.see_account(account_id, owner_for(caller))
    else:
        await reads.catch_up(SANDBOX_PARTITION, None)
    position = await reads.catch_up(partition, min_position)
    found = await trades_of(
        reads.pool,
        account_id=account_id,
        trader_id=caller.trader_id,
        status=status,
        after=after(cursor),
        limit=limit,
    )
    return Page(items=found.items, next=cursor_after(found), position=position)


@get("/trades/{trade_id:str}", opt=dict(SIGNED_IN))
async def one_trade(
    trade_id: IdInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    min_position: MinPosition = None,
) -> Response[TradeView]:
    await reads.reach(min_position)
    account_id = gateway.account_of_trade(trade_id)
    if account_id is not None:
        partition = gateway.see_account(account_id, owner_for(caller))
        await reads.catch_up(partition, None)
    else:
        await reads.catch_up(LIVE_PARTITION, None)
        await reads.catch_up(SANDBOX_PARTITION, None)
    found = await trade(reads.pool, trade_id)
    if found is None:
        await reads.know_all(LIVE_PARTITION, SANDBOX_PARTITION)
        found = await trade(reads.pool, trade_id)
    if found is None:
        raise NotFound(trade_id)
    gateway.see_account(found.account_id, owner_for(caller))
    return Response(found, headers={"ETag": etag(found.revision)})
