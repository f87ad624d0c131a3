"""A row an order, from its placing to the fill or the cancellation that ends it.

A trade that was asked for at the market has no order of its own here: see `trades`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace

from application.catalogue import Fact
from application.views.order import OrderStatus, OrderView, fills_of, status_after
from domain.account.events import (
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
from domain.account.order import Order as Waiting
from domain.account.order import OrderType, TimeInForce
from domain.values.quote import Side
from domain.values.refusal import Arithmetic
from projections.asking import Pool, Slice, fetch_one, fetch_slice
from projections.table import Projection, Rows, Table, Wanted, says
from projections.told import Told


class Order(Struct, frozen=True):
    order_id: Annotated[str, says("The order")]
    account_id: Annotated[str, says("The account that placed it")]
    trade_id: Annotated[str | None, says("The trade that its fill was in")]
    client_order_id: Annotated[str | None, says("The name its sender gave it")]
    symbol: Annotated[str, says("What is to be traded")]
    side: Annotated[Side, says("buy or sell")]
    type: Annotated[OrderType, says("market, limit, stop or stop_limit")]
    quantity: Annotated[Decimal, says("Lots")]
    status: Annotated[
        OrderStatus, says("working, filled, rejected, cancelled or expired")
    ]
    price: Annotated[Decimal | None, says("Of a limit: no fill is worse")]
    stop_price: Annotated[Decimal | None, says("Of a stop: what wakes it")]
    time_in_force: Annotated[TimeInForce, says("gtc, gtd, day, ioc or fok")]
    expires_at: Annotated[datetime | None, says("From when on it waits no more")]
    stop_loss: Annotated[Decimal | None, says("Of the trade, once it is filled")]
    take_profit: Annotated[Decimal | None, says("Likewise")]
    trailing: Annotated[Decimal | None, says("Likewise: how far its stop follows")]
    oco: Annotated[str | None, says("The order that is cancelled when this one fills")]
    is_triggered: Annotated[bool, says("Its stop was reached: its limit waits")]
    placed_at: Annotated[datetime, says("Engine time of the placing")]
    ended_at: Annotated[datetime | None, says("When it was filled or cancelled")]
    fill_price: Annotated[Decimal | None, says("At which the trade was opened")]
    reason: Annotated[CancelReason | None, says("Why it was not filled")]
    arithmetic: Annotated[
        Arithmetic | None, says("What was missing when its price came")
    ]
    revision: Annotated[int, says("How often it has been told of: its ETag")]
    partition: Annotated[str, says("Where its events are stored")]
    position: Annotated[int, says("Of its latest event in that partition")]


TABLE = Table(
    "orders",
    Order,
    key="order_id",
    comment="A row an order: what it waits for, and what has become of it",
    indexes=("(account_id, placed_at, order_id)",),
    fillfactor=70,
)


def wanted(page: Sequence[Told]) -> Wanted:
    return Wanted(frozenset(name for told in page for name in named(told.fact)))


def named(fact: Fact) -> Iterator[str]:
    """The orders that are there already, of which it tells."""
    match fact:
        case OrderPlaced(order=order) if order.oco is not None:
            yield order.oco
        case OrderChanged(order=order):
            yield order.order_id
        case OrderTriggered(order_id=order_id):
            yield order_id
        case OrderCancelled(order_ids=order_ids):
            yield from order_ids
        case PositionOpened() | PositionIncreased() | PositionClosed():
            for fill in fills_of(fact):
                if fill.reason is not OpenReason.TRADER:
                    yield fill.order_id


def fold(rows: Rows[Order], told: Told) -> None:
    fact = told.fact
    for order_id in named(fact):
        row = rows.get(order_id)
        assert row is not None, "no order begins otherwise than by being placed"
        rows.put(order_id, after(row, told))
    if isinstance(fact, OrderPlaced):
        rows.put(fact.order.order_id, placed(told, fact.order))


def after(row: Order, told: Told) -> Order:
    match told.fact:
        case OrderPlaced(order=order):  # which links itself to this one
            return replace(row, oco=order.order_id)
        case OrderChanged(order=order):
            return placed(told, order)
        case OrderTriggered():
            return seen(replace(row, is_triggered=True), told)
        case OrderCancelled() as fact:
            ended = replace(
                row,
                status=status_after(fact.reason),
                ended_at=fact.at,
                reason=fact.reason,
                arithmetic=fact.arithmetic,
            )
            return seen(ended, told)
        case PositionOpened() | PositionIncreased() | PositionClosed() as fact:
            (fill,) = fills_of(fact)
            ended = replace(
                row,
                status="filled",
                trade_id=fill.trade_id,
                ended_at=fact.at,
                fill_price=fill.price,
            )
            return seen(ended, told)
        case _:
            return row


def seen(row: Order, told: Told) -> Order:
    return replace(row, revision=row.revision + 1, position=told.position)


def placed(told: Told, order: Waiting) -> Order:
    return Order(
        order_id=order.order_id,
        account_id=told.subject,
        trade_id=None,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        status="working",
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
        ended_at=None,
        fill_price=None,
        reason=None,
        arithmetic=None,
        revision=order.version,
        partition=told.partition,
        position=told.position,
    )


HEARS = (
    OrderPlaced,
    OrderChanged,
    OrderTriggered,
    OrderCancelled,
    PositionOpened,
    PositionIncreased,
    PositionClosed,
)
ORDERS = Projection(TABLE, HEARS, wanted, fold)

SELECT = """
    SELECT order_id, status, trade_id, client_order_id, account_id, symbol, side, type,
        quantity, price, stop_price, time_in_force, expires_at, stop_loss, take_profit,
        "trailing", oco, is_triggered, placed_at, fill_price, ended_at, reason,
        arithmetic, partition || '-' || position AS position, revision AS version
    FROM read.orders
"""
OF_ACCOUNT = " WHERE account_id = %(of)s"
OF_TRADER = """
    WHERE account_id IN (SELECT account_id FROM read.accounts WHERE trader_id = %(of)s)
"""
WITH_STATUS = " AND status = %(status)s"
AFTER = """
    AND (placed_at, order_id) < (
        SELECT placed_at, order_id FROM read.orders WHERE order_id = %(after)s
    )
"""
NEWEST_FIRST = " ORDER BY placed_at DESC, order_id DESC LIMIT %(limit)s"


async def orders_of(
    pool: Pool,
    *,
    account_id: str | None = None,
    trader_id: str | None = None,
    status: OrderStatus | None = None,
    after: str | None = None,
    limit: int,
) -> Slice[OrderView]:
    """List an account's orders, or all of a trader's, the newest first."""
    query = SELECT + (OF_TRADER if account_id is None else OF_ACCOUNT)
    if status is not None:
        query += WITH_STATUS
    if after is not None:
        query += AFTER
    return await fetch_slice(
        pool,
        query + NEWEST_FIRST,
        {"of": account_id or trader_id, "status": status, "after": after},
        OrderView,
        limit=limit,
        key="order_id",
    )


async def order(pool: Pool, order_id: str) -> OrderView | None:
    query = SELECT + " WHERE order_id = %(order_id)s"
    return await fetch_one(pool, query, {"order_id": order_id}, OrderView)
