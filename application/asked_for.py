"""Which command about orders a fact has come of, for whoever decides it again."""

from datetime import datetime

from msgspec import UNSET

from domain.account.commands import (
    CancelOrders,
    ChangeOrder,
    CloseAll,
    ClosePositionBy,
    OrderCommand,
    PlaceOrder,
    ProtectPosition,
)
from domain.account.events import (
    AccountEvent,
    CancelReason,
    CloseReason,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    PositionClosed,
    PositionProtected,
)
from domain.account.order import Order, TimeInForce


def order_command_of(fact: AccountEvent) -> OrderCommand | None:
    """None: nobody has asked for it, or not for an order."""
    match fact:
        case PositionClosed(reason=CloseReason.CLOSE_BY, fills=(fill, other)):
            return ClosePositionBy(
                trade_id=fill.closed.trade_id, by=other.closed.trade_id
            )
        case PositionClosed(reason=CloseReason.CLOSE_ALL):
            return CloseAll()
        case PositionProtected():
            return ProtectPosition(
                trade_id=fact.trade_id,
                stop_loss=fact.stop_loss,
                take_profit=fact.take_profit,
                trailing=fact.trailing,
            )
        case OrderPlaced(order=order):
            return placing(order)
        case OrderChanged(order=order):
            return changing(order)
        case OrderCancelled(reason=CancelReason.TRADER):
            return CancelOrders(order_ids=fact.order_ids)
        case _:
            return None


def placing(order: Order) -> PlaceOrder:
    return PlaceOrder(
        order_id=order.order_id,
        trade_id=order.trade_id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        price=order.price,
        stop_price=order.stop_price,
        time_in_force=order.time_in_force,
        expires_at=end_asked_for(order),
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        trailing=order.trailing,
        oco=order.oco,
    )


def changing(order: Order) -> ChangeOrder:
    return ChangeOrder(
        order_id=order.order_id,
        quantity=order.quantity,
        price=order.price if order.price is not None else UNSET,
        stop_price=order.stop_price if order.stop_price is not None else UNSET,
        time_in_force=order.time_in_force,
        expires_at=end_asked_for(order) or UNSET,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        trailing=order.trailing,
    )


def end_asked_for(order: Order) -> datetime | None:
    return order.expires_at if order.time_in_force is TimeInForce.GTD else None
