"""What each command about orders, and about many trades at once, is answered with."""

from collections.abc import Iterator
from decimal import Decimal
from typing import assert_never

from msgspec import UNSET, Struct
from msgspec.structs import replace

from application.views.order import OrderView, followed, order_view
from application.views.trade import TradeView, closed_trade, opened_trade
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
    OrderCancelled,
    OrderPlaced,
    PositionClosed,
)
from domain.account.state import Account


class ClosedBy(Struct, frozen=True, kw_only=True):
    """Both trades after they have closed each other, the one that asked first."""

    account_id: str
    trades: tuple[TradeView, ...]
    balance: Decimal
    position: str
    version: int


class ClosedAll(Struct, frozen=True, kw_only=True):
    """What was closed and cancelled, and what could not be closed now."""

    account_id: str
    trades: tuple[TradeView, ...]
    cancelled: tuple[str, ...]  # orders
    left: tuple[str, ...]  # trades whose market has no price now
    balance: Decimal
    position: str
    version: int


def ordered(
    command: OrderCommand,
    before: Account,
    after: Account,
    events: tuple[AccountEvent, ...],
    position: str,
    version: int,
) -> OrderView | TradeView | ClosedBy | ClosedAll:
    match command:
        case PlaceOrder():
            placed = events[0]
            assert isinstance(placed, OrderPlaced)
            view = order_view(before.account_id, placed.order)
            return replace(followed(view, events[1:]), position=position)
        case ChangeOrder(order_id=order_id):
            return replace(changed(before, order_id, events), position=position)
        case CancelOrders(order_ids=order_ids):
            return replace(changed(before, order_ids[0], events), position=position)
        case ProtectPosition(trade_id=trade_id):
            held = next(each for each in after.positions if each.trade_id == trade_id)
            balance = after.balance.amount
            return opened_trade(before.account_id, held, balance, position, version)
        case ClosePositionBy():
            closed = events[0]
            assert isinstance(closed, PositionClosed)
            return ClosedBy(
                account_id=before.account_id,
                trades=tuple(closed_trades(before, closed)),
                balance=closed.balance.amount,
                position=position,
                version=version,
            )
        case CloseAll():
            return closed_all(before, after, events, position, version)
        case _:
            assert_never(command)


def changed(
    before: Account, order_id: str, events: tuple[AccountEvent, ...]
) -> OrderView:
    order = next(each for each in before.orders if each.order_id == order_id)
    return followed(order_view(before.account_id, order), events)


def closed_all(
    before: Account,
    after: Account,
    events: tuple[AccountEvent, ...],
    position: str,
    version: int,
) -> ClosedAll:
    closes = (e for e in events[:1] if isinstance(e, PositionClosed))
    trades = tuple(view for each in closes for view in closed_trades(before, each))
    cancelled = (e.order_ids for e in events[:2] if isinstance(e, OrderCancelled))
    return ClosedAll(
        account_id=before.account_id,
        trades=trades,
        cancelled=next(cancelled, ()),
        left=tuple(each.trade_id for each in after.positions),
        balance=after.balance.amount,
        position=position,
        version=version,
    )


def closed_trades(before: Account, event: PositionClosed) -> Iterator[TradeView]:
    held = {each.trade_id: each for each in before.positions}
    for fill in event.fills:
        view = closed_trade(
            before.account_id,
            held[fill.closed.trade_id],
            fill,
            event.at,
            event.balance.amount,
            "",
            0,
        )
        yield replace(view, balance=UNSET, position=UNSET, version=UNSET)
