"""Row 14 of the contract: orders that wait for their price, changed and cancelled."""

from decimal import Decimal
from typing import Any, Final, Literal

from litestar import Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, SkipValidation
from msgspec import UNSET, Struct, UnsetType

from api.conventions import (
    CursorText,
    IdInPath,
    IdText,
    Instant,
    Limit,
    MinPosition,
    Page,
    PositiveText,
)
from api.doors import SIGNED_IN
from api.trading.asking import Asking, client_order, owner_for
from api.trading.reads import Reads, after, cursor_after
from api.trading.seen import etag, seen_version, with_etag
from api.trading.trades import ClientOrderText, SymbolText
from application.caller import Caller
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION, Gateway
from application.refusals import NotFound
from application.views.order import OrderStatus, OrderView
from application.views.preview import PreviewView
from domain.account.commands import CancelOrders, ChangeOrder, PlaceOrder
from domain.account.order import OrderType, TimeInForce
from domain.account.placing import PRICES
from domain.values.exact import exact
from domain.values.quote import Side
from projections.orders import order, orders_of

Lasting = Literal["gtc", "gtd", "day", "ioc", "fok", "GTC", "GTD", "DAY", "IOC", "FOK"]
LastingOn = Literal["gtc", "gtd", "day", "GTC", "GTD", "DAY"]


class NewOrder(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    account_id: IdText
    symbol: SymbolText
    side: Literal["buy", "sell"]
    type: Literal["market", "limit", "stop", "stop_limit"]
    quantity: PositiveText
    price: PositiveText | None = None
    stop_price: PositiveText | None = None
    time_in_force: Lasting | None = None
    expires_at: Instant | None = None
    stop_loss: PositiveText | None = None
    take_profit: PositiveText | None = None
    trailing: PositiveText | None = None
    oco: IdText | None = None
    client_order_id: ClientOrderText | None = None

    def __post_init__(self) -> None:
        """A stop may say its one price under either name."""
        for name, sent, is_due in zip(
            ("price", "stop_price"),
            (self.limit, self.stop),
            PRICES[OrderType(self.type)],
            strict=True,
        ):
            if (sent is not None) is not is_due:
                needs = "a" if is_due else "no"
                raise ValueError(f"a {self.type} order has {needs} {name}")
        if (self.lasts is TimeInForce.GTD) is (self.expires_at is None):
            raise ValueError("expires_at goes with gtd as time_in_force, and it alone")

    @property
    def limit(self) -> str | None:
        is_of_stop = self.type == "stop" and self.stop_price is None
        return None if is_of_stop else self.price

    @property
    def stop(self) -> str | None:
        is_of_stop = self.type == "stop" and self.stop_price is None
        return self.price if is_of_stop else self.stop_price

    @property
    def lasts(self) -> TimeInForce:
        if self.time_in_force is not None:
            return TimeInForce(self.time_in_force.lower())
        return TimeInForce.GTC if self.expires_at is None else TimeInForce.GTD


class OrderChange(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is not sent stays as it is; null takes away what an order may lack."""

    quantity: PositiveText | UnsetType = UNSET
    price: PositiveText | UnsetType = UNSET
    stop_price: PositiveText | UnsetType = UNSET
    time_in_force: LastingOn | UnsetType = UNSET
    expires_at: Instant | UnsetType = UNSET
    stop_loss: PositiveText | UnsetType | None = UNSET
    take_profit: PositiveText | UnsetType | None = UNSET
    trailing: PositiveText | UnsetType | None = UNSET

    @property
    def lasts(self) -> TimeInForce | UnsetType:
        if not isinstance(self.time_in_force, UnsetType):
            return TimeInForce(self.time_in_force.lower())
        return UNSET if isinstance(self.expires_at, UnsetType) else TimeInForce.GTD


class Nothing(Struct, frozen=True):
    """A request without a body."""


NOTHING: Final = Nothing()


@post("/orders", opt=dict(SIGNED_IN))
async def place_order(
    request: Request[Any, Any, Any],
    data: JSONBody[NewOrder],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
) -> Response[OrderView]:
    """Fill at once where the price is there already; else wait, or be cancelled."""
    asking = Asking(request, caller, data)
    answer = await asking.answer(
        gateway,
        gateway.partition_of_account(data.account_id),
        f"account-{data.account_id}",
        command_of(data, asking.id_for("order"), asking.id_for("trade")),
        natural_id=client_order(data.account_id, data.client_order_id),
    )
    return with_etag(answer)


def command_of(data: NewOrder, order_id: str, trade_id: str) -> PlaceOrder:
    return PlaceOrder(
        order_id=order_id,
        trade_id=trade_id,
        client_order_id=data.client_order_id,
        symbol=data.symbol,
        side=Side(data.side),
        type=OrderType(data.type),
        quantity=exact(data.quantity),
        price=number(data.limit),
        stop_price=number(data.stop),
        time_in_force=data.lasts,
        expires_at=data.expires_at,
        stop_loss=number(data.stop_loss),
        take_profit=number(data.take_profit),
        trailing=number(data.trailing),
        oco=data.oco,
    )


@post("/orders/preview", status_code=200, opt=dict(SIGNED_IN))
async def preview_order(
    data: JSONBody[NewOrder],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
) -> PreviewView:
    """Show what it would cost and leave; nothing is placed."""
    command = command_of(data, "preview", "preview")
    return gateway.preview(data.account_id, caller.trader_id, command)


@patch("/orders/{order_id:str}", opt=dict(SIGNED_IN))
async def change_order(
    request: Request[Any, Any, Any],
    order_id: IdInPath,
    data: JSONBody[OrderChange],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
) -> Response[OrderView]:
    """Change what still waits. `If-Match` refuses what others have changed since."""
    command = ChangeOrder(
        order_id=order_id,
        quantity=set_number(data.quantity),
        price=set_number(data.price),
        stop_price=set_number(data.stop_price),
        time_in_force=data.lasts,
        expires_at=data.expires_at,
        stop_loss=maybe_number(data.stop_loss),
        take_profit=maybe_number(data.take_profit),
        trailing=maybe_number(data.trailing),
        seen=seen_version(request),
    )
    account_id = await account_of_order(gateway, reads, order_id)
    answer = await Asking(request, caller, data).answer(
        gateway,
        gateway.partition_of_account(account_id),
        f"account-{account_id}",
        command,
    )
    return with_etag(answer)


@delete("/orders/{order_id:str}", status_code=200, opt=dict(SIGNED_IN))
async def cancel_order(
    request: Request[Any, Any, Any],
    order_id: IdInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
) -> Response[OrderView]:
    account_id = await account_of_order(gateway, reads, order_id)
    answer = await Asking(request, caller, NOTHING).answer(
        gateway,
        gateway.partition_of_account(account_id),
        f"account-{account_id}",
        CancelOrders(order_ids=(order_id,), seen=seen_version(request)),
    )
    return with_etag(answer)


@get("/orders", opt=dict(SIGNED_IN))
async def orders(  # noqa: PLR0913, PLR0917 - a list with all the usual parameters
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    account_id: FromQuery[IdText | None] = None,
    status: FromQuery[OrderStatus | None] = None,
    min_position: MinPosition = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Page[OrderView]:
    """List those of one account, or all of mine, the newest first."""
    partition = LIVE_PARTITION
    if account_id is not None:
        partition = gateway.see_account(account_id, owner_for(caller))
    else:
        await reads.catch_up(SANDBOX_PARTITION, None)
    position = await reads.catch_up(partition, min_position)
    found = await orders_of(
        reads.pool,
        account_id=account_id,
        trader_id=caller.trader_id,
        status=status,
        after=after(cursor),
        limit=limit,
    )
    return Page(items=found.items, next=cursor_after(found), position=position)


@get("/orders/{order_id:str}", opt=dict(SIGNED_IN))
async def one_order(
    order_id: IdInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    min_position: MinPosition = None,
) -> Response[OrderView]:
    await reads.reach(min_position)
    account_id = gateway.account_of_trade(order_id)
    if account_id is not None:
        partition = gateway.see_account(account_id, owner_for(caller))
        await reads.catch_up(partition, None)
    found = await found_order(reads, order_id)
    gateway.see_account(found.account_id, owner_for(caller))
    return Response(found, headers={"ETag": etag(found.version)})


async def account_of_order(gateway: Gateway, reads: Reads, order_id: str) -> str:
    """Of one that has ended the tables know."""
    account_id = gateway.account_of_trade(order_id)
    if account_id is None:
        account_id = (await found_order(reads, order_id)).account_id
    return account_id


async def found_order(reads: Reads, order_id: str) -> OrderView:
    await reads.catch_up(LIVE_PARTITION, None)
    await reads.catch_up(SANDBOX_PARTITION, None)
    found = await order(reads.pool, order_id)
    if found is None:
        await reads.know_all(LIVE_PARTITION, SANDBOX_PARTITION)
        found = await order(reads.pool, order_id)
    if found is None:
        raise NotFound(order_id)
    return found


def number(text: str | None) -> Decimal | None:
    return exact(text) if text is not None else None


def set_number(text: str | UnsetType) -> Decimal | UnsetType:
    return exact(text) if isinstance(text, str) else UNSET


def maybe_number(text: str | UnsetType | None) -> Decimal | UnsetType | None:
    return None if text is None else set_number(text)
