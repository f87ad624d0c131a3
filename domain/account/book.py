"""The working orders of an account, the oldest first: a fold of their facts."""

from typing import assert_never

from msgspec.structs import replace

from domain.account.events import (
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    OrderTriggered,
    PositionClosed,
)
from domain.account.order import Order

Book = tuple[Order, ...]
BookEvent = OrderPlaced | OrderChanged | OrderTriggered | OrderCancelled


def book_after(orders: Book, event: BookEvent) -> Book:
    match event:
        case OrderPlaced(order=order):
            return (*linked(orders, order), order)
        case OrderChanged(order=order):
            return tuple(
                order if each.order_id == order.order_id else each for each in orders
            )
        case OrderTriggered(order_id=order_id):
            return tuple(
                woken(each) if each.order_id == order_id else each for each in orders
            )
        case OrderCancelled(order_ids=order_ids):
            return remaining(orders, *order_ids)
        case _:
            assert_never(event)


def after_netting(orders: Book, event: PositionClosed) -> Book:
    """In a netting book an order may be filled by closing."""
    if not orders or event.order is None:
        return orders
    return remaining(orders, event.order.order_id)


def linked(orders: Book, order: Order) -> Book:
    """A link holds in both directions."""
    return tuple(
        replace(each, oco=order.order_id) if each.order_id == order.oco else each
        for each in orders
    )


def woken(order: Order) -> Order:
    return replace(order, is_triggered=True, version=order.version + 1)


def remaining(orders: Book, *order_ids: str) -> Book:
    if not orders:  # as in almost every account
        return orders
    return tuple(each for each in orders if each.order_id not in order_ids)
