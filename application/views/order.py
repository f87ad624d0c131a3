"""An order as its owner sees it: what it waits for, and what has become of it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.account.events import (
    AccountEvent,
    CancelReason,
    OpenReason,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    OrderTriggered,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
)
from domain.account.order import Order, OrderType, TimeInForce
from domain.values.quote import Side
from domain.values.refusal import Arithmetic

REJECTED: Final = frozenset(
    {CancelReason.MARGIN, CancelReason.SYMBOL, CancelReason.CONVERSION}
)

OrderStatus = Literal["working", "filled", "rejected", "cancelled", "expired"]


class OrderView(Struct, frozen=True, kw_only=True):
    order_id: str
    status: OrderStatus
    trade_id: str | None = None  # once it is filled
    client_order_id: str | None
    account_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    time_in_force: TimeInForce
    expires_at: datetime | None
    stop_loss: Decimal | None
    take_profit: Decimal | None
    trailing: Decimal | None
    oco: str | None
    is_triggered: bool
    placed_at: datetime
    fill_price: Decimal | None
    ended_at: datetime | None
    reason: CancelReason | None  # why it was not filled
    arithmetic: Arithmetic | None = None  # what a rejection has found missing
    position: str | UnsetType = UNSET
    version: int | UnsetType = UNSET  # of the order


def order_view(account_id: str, order: Order) -> OrderView:
    """As it waits."""
    return OrderView(
        order_id=order.order_id,
        status="working",
        client_order_id=order.client_order_id,
        account_id=account_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        price=order.price,
        stop_price=order.stop_price,
        time_in_force=order.time_in_force,
        expires_at=order.expires_at,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        trailing=order.trailing,
        oco=order.oco,
        is_triggered=order.is_triggered,
        placed_at=order.placed_at,
        fill_price=None,
        ended_at=None,
        reason=None,
        version=order.version,
    )


def followed(view: OrderView, events: Iterable[AccountEvent]) -> OrderView:
    """What has become of it by those events."""
    for event in events:
        view = after(view, event)
    return view


def after(view: OrderView, event: AccountEvent) -> OrderView:
    match event:
        case OrderPlaced(order=order) | OrderChanged(order=order):
            if order.order_id == view.order_id:
                return order_view(view.account_id, order)
        case OrderTriggered(order_id=order_id):
            if order_id == view.order_id:
                return replace(view, is_triggered=True, version=following(view))
        case PositionOpened() | PositionIncreased() | PositionClosed():
            for fill in fills_of(event):
                if fill.order_id == view.order_id:
                    return replace(
                        view,
                        status="filled",
                        trade_id=fill.trade_id,
                        fill_price=fill.price,
                        ended_at=event.at,
                        version=following(view),
                    )
        case OrderCancelled(order_ids=order_ids):
            if view.order_id in order_ids:
                return replace(
                    view,
                    status=status_after(event.reason),
                    ended_at=event.at,
                    reason=event.reason,
                    arithmetic=event.arithmetic,
                    version=following(view),
                )
    return view


class OrderFill(Struct, frozen=True):
    order_id: str
    trade_id: str  # that it opened, or what was open before and it dealt in
    price: Decimal
    reason: OpenReason


def fills_of(event: AccountEvent) -> Iterator[OrderFill]:
    """In a netting book an order may also add to what is open, or close it."""
    match event:
        case PositionOpened(position=held):
            yield OrderFill(held.order_id, held.trade_id, held.open_price, event.reason)
        case PositionIncreased(deal=deal, position=held):
            yield OrderFill(deal.order_id, held.trade_id, deal.price, deal.reason)
        case PositionClosed(order=order, fills=(fill, *_)) if order is not None:
            closed = fill.closed
            yield OrderFill(order.order_id, closed.trade_id, closed.price, order.reason)


def following(view: OrderView) -> int:
    assert isinstance(view.version, int)
    return view.version + 1


def status_after(reason: CancelReason) -> OrderStatus:
    if reason is CancelReason.EXPIRED:
        return "expired"
    return "rejected" if reason in REJECTED else "cancelled"
