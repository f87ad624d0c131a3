"""How an account answers commands about orders, and what follows from the answer."""

from typing import assert_never

from domain.account.closing_out import close_all, close_position_by
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
)
from domain.account.order import Order
from domain.account.placing import (
    called_off,
    cancel_orders,
    cancelled,
    change_order,
    place_order,
)
from domain.account.protecting import protect_position
from domain.account.state import Account, evolve
from domain.account.triggering import triggered
from domain.values.market import Moment

NOTHING: tuple[AccountEvent, ...] = ()


def decide_order(
    command: OrderCommand, account: Account, moment: Moment
) -> AccountEvent:
    match command:
        case PlaceOrder():
            return place_order(command, account, moment)
        case ChangeOrder():
            return change_order(command, account, moment)
        case CancelOrders():
            return cancel_orders(command, account, moment)
        case ProtectPosition():
            return protect_position(command, account, moment)
        case ClosePositionBy():
            return close_position_by(command, account, moment)
        case CloseAll():
            return close_all(account, moment)
        case _:
            assert_never(command)


def set_off(
    account: Account, answer: AccountEvent, moment: Moment
) -> tuple[AccountEvent, ...]:
    """What an answer leads to before anything is judged, once it has been folded."""
    match answer:
        case OrderPlaced(order=order) | OrderChanged(order=order):
            return filled_at_once(order, account, moment)
        case PositionClosed(reason=CloseReason.CLOSE_ALL) if account.orders:
            return (called_off(account, CancelReason.TRADER, moment),)
        case _:
            return NOTHING


def filled_at_once(
    order: Order, account: Account, moment: Moment
) -> tuple[AccountEvent, ...]:
    """An order may find its price already; one that cannot wait is gone otherwise."""
    events = triggered(account, order.symbol, moment)
    if not order.time_in_force.is_immediate:
        return events
    for event in events:
        account = evolve(account, event)
    if all(each.order_id != order.order_id for each in account.orders):
        return events
    return (*events, cancelled((order.order_id,), CancelReason.UNFILLED, moment))


def run_out(account: Account, moment: Moment) -> tuple[OrderCancelled, ...]:
    """Orders whose own time is over."""
    over = tuple(
        each.order_id
        for each in account.orders
        if each.expires_at is not None and each.expires_at <= moment.at
    )
    return (cancelled(over, CancelReason.EXPIRED, moment),) if over else ()
