"""A row a trade, from the fill that opens it to the one that closes the last lot."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Struct
from msgspec.structs import replace

from application.catalogue import Fact
from application.views.trade import TradeView, amount_of
from domain.account.events import (
    CloseReason,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    PositionProtected,
    Swap,
    SwapAccrued,
    SwapPosted,
)
from domain.account.position import Fill
from domain.values.quote import Side
from projections.asking import Pool, Slice, fetch_one, fetch_slice
from projections.table import Projection, Rows, Table, Wanted, says
from projections.told import Told


class Trade(Struct, frozen=True):
    trade_id: Annotated[str, says("The trade: a position from open to close")]
    account_id: Annotated[str, says("The account that holds it")]
    order_id: Annotated[str, says("The order that opened it")]
    client_order_id: Annotated[str | None, says("The name its sender gave the order")]
    symbol: Annotated[str, says("What is traded")]
    side: Annotated[Side, says("buy or sell")]
    quantity: Annotated[Decimal, says("Lots opened, in whichever deals")]
    status: Annotated[Literal["open", "closed"], says("closed: no lot is left")]
    open_price: Annotated[Decimal, says("Of all its opening deals: their average")]
    bid: Annotated[Decimal, says("Bid of the quote that filled it")]
    ask: Annotated[Decimal, says("Ask of the quote that filled it")]
    quote_sequence: Annotated[int, says("That quote's number in the venue's sequence")]
    commission: Annotated[Decimal, says("A cost, as far as it has been charged")]
    opened_at: Annotated[datetime, says("Engine time of the opening")]
    trading_day: Annotated[date, says("The account's own day on which it was opened")]
    stop_loss: Annotated[Decimal | None, says("Closes at a loss when reached")]
    take_profit: Annotated[Decimal | None, says("Closes at a gain when reached")]
    trailing: Annotated[
        Decimal | None, says("How far the stop loss follows the price, where it does")
    ]
    revision: Annotated[int, says("How often it has been told of: its ETag")]
    closed_quantity: Annotated[Decimal, says("Lots closed so far")]
    close_price: Annotated[Decimal | None, says("Price of the latest closing fill")]
    closed_at: Annotated[datetime | None, says("Engine time of the last lot's closing")]
    close_reason: Annotated[
        CloseReason | None,
        says("Of the latest fill: trader, stop_loss, liquidation, stop_out and so on"),
    ]
    profit: Annotated[Decimal, says("Realised so far, without commission and swap")]
    swap: Annotated[Decimal, says("Posted so far; a cost is below zero")]
    accrued_swap: Annotated[Decimal, says("Not posted yet, but part of equity")]
    balance: Annotated[Decimal, says("Of the account, after this trade's latest fill")]
    currency: Annotated[str, says("Of commission, profit and balance")]
    partition: Annotated[str, says("Where its events are stored")]
    position: Annotated[int, says("Of its latest event in that partition")]
    version: Annotated[int, says("Of the account's stream at that event")]


TABLE = Table(
    "trades",
    Trade,
    key="trade_id",
    comment="A row a trade: a position from its opening to its last closing fill",
    indexes=("(account_id, opened_at, trade_id)",),
    fillfactor=70,
)


def wanted(page: Sequence[Told]) -> Wanted:
    return Wanted(frozenset(id_ for each in page for id_ in moved(each.fact)))


def moved(fact: Fact) -> Iterator[str]:
    """The trades that it changes, and that are there already."""
    if isinstance(fact, PositionClosed):
        yield from (fill.closed.trade_id for fill in fact.fills)
    elif isinstance(fact, SwapPosted | SwapAccrued):
        yield from (swap.trade_id for swap in fact.swaps)
    elif isinstance(fact, PositionIncreased):
        yield fact.position.trade_id
    elif isinstance(fact, PositionProtected):
        yield fact.trade_id


def fold(rows: Rows[Trade], told: Told) -> None:
    match told.fact:
        case PositionOpened():
            rows.put(told.fact.position.trade_id, opened(told, told.fact))
        case PositionIncreased(position=position):
            held = rows.get(position.trade_id)
            assert held is not None, "increased before it was opened"
            rows.put(held.trade_id, increased(held, told, told.fact))
        case PositionProtected():
            held = rows.get(told.fact.trade_id)
            assert held is not None, "protected before it was opened"
            rows.put(held.trade_id, protected(held, told, told.fact))
        case PositionClosed():
            for fill in told.fact.fills:
                held = rows.get(fill.closed.trade_id)
                assert held is not None, "closed before it was opened"
                rows.put(held.trade_id, filled(held, fill, told, told.fact))
        case SwapPosted(swaps=swaps) | SwapAccrued(swaps=swaps):
            for swap in swaps:
                held = rows.get(swap.trade_id)
                assert held is not None, "held before it was opened"
                rows.put(held.trade_id, rolled(held, swap, told, told.fact))


def opened(told: Told, fact: PositionOpened) -> Trade:
    held = fact.position
    return Trade(
        trade_id=held.trade_id,
        account_id=told.subject,
        order_id=held.order_id,
        client_order_id=held.client_order_id,
        symbol=held.symbol,
        side=held.side,
        quantity=held.opened_quantity,
        status="open",
        open_price=held.open_price,
        bid=held.quote.bid,
        ask=held.quote.ask,
        quote_sequence=held.quote.sequence,
        commission=held.commission.amount,
        opened_at=held.opened_at,
        trading_day=fact.trading_day,
        stop_loss=held.stop_loss,
        take_profit=held.take_profit,
        trailing=held.trailing,
        revision=held.version,
        closed_quantity=held.opened_quantity - held.quantity,
        close_price=None,
        closed_at=None,
        close_reason=None,
        profit=held.realised.amount,
        swap=amount_of(held.swap, fact.balance.currency),
        accrued_swap=amount_of(held.accrued, fact.balance.currency),
        balance=fact.balance.amount,
        currency=fact.balance.currency,
        partition=told.partition,
        position=told.position,
        version=told.version,
    )


def increased(held: Trade, told: Told, fact: PositionIncreased) -> Trade:
    position = fact.position
    return replace(
        held,
        quantity=position.opened_quantity,
        open_price=position.open_price,
        commission=position.commission.amount,
        stop_loss=position.stop_loss,
        take_profit=position.take_profit,
        trailing=position.trailing,
        revision=held.revision + 1,
        balance=fact.balance.amount,
        position=told.position,
        version=told.version,
    )


def protected(held: Trade, told: Told, fact: PositionProtected) -> Trade:
    return replace(
        held,
        stop_loss=fact.stop_loss,
        take_profit=fact.take_profit,
        trailing=fact.trailing,
        revision=held.revision + 1,
        position=told.position,
        version=told.version,
    )


def filled(held: Trade, fill: Fill, told: Told, fact: PositionClosed) -> Trade:
    return replace(
        held,
        status="open" if fill.left else "closed",
        closed_quantity=held.closed_quantity + fill.closed.quantity,
        close_price=fill.closed.price,
        closed_at=None if fill.left else fact.at,
        close_reason=fact.reason,
        profit=held.profit + fill.closed.profit.amount,
        commission=held.commission + amount_of(fill.commission, held.currency),
        swap=held.swap + amount_of(fill.swap, held.currency),
        accrued_swap=held.accrued_swap - amount_of(fill.swap, held.currency),
        revision=held.revision + 1,
        balance=fact.balance.amount,
        position=told.position,
        version=told.version,
    )


def rolled(
    held: Trade, swap: Swap, told: Told, fact: SwapPosted | SwapAccrued
) -> Trade:
    seen = replace(held, position=told.position, version=told.version)
    if isinstance(fact, SwapAccrued):
        return replace(seen, accrued_swap=held.accrued_swap + swap.amount.amount)
    balance = fact.balance.amount
    return replace(seen, swap=held.swap + swap.amount.amount, balance=balance)


HEARS = (
    PositionOpened,
    PositionIncreased,
    PositionClosed,
    PositionProtected,
    SwapPosted,
    SwapAccrued,
)
TRADES = Projection(TABLE, HEARS, wanted, fold)

SELECT = """
    SELECT trade_id, order_id, client_order_id, account_id, symbol, side, quantity,
        status, open_price, bid, ask, quote_sequence, commission, opened_at, stop_loss,
        take_profit, "trailing", revision, closed_quantity, close_price, closed_at,
        profit, swap, accrued_swap, balance, partition || '-' || position AS position,
        version
    FROM read.trades
"""
OF_ACCOUNT = " WHERE account_id = %(of)s"
OF_TRADER = """
    WHERE account_id IN (SELECT account_id FROM read.accounts WHERE trader_id = %(of)s)
"""
WITH_STATUS = " AND status = %(status)s"
AFTER = """
    AND (opened_at, trade_id) < (
        SELECT opened_at, trade_id FROM read.trades WHERE trade_id = %(after)s
    )
"""
NEWEST_FIRST = " ORDER BY opened_at DESC, trade_id DESC LIMIT %(limit)s"


async def trades_of(
    pool: Pool,
    *,
    account_id: str | None = None,
    trader_id: str | None = None,
    status: Literal["open", "closed"] | None = None,
    after: str | None = None,
    limit: int,
) -> Slice[TradeView]:
    """List an account's trades, or all of a trader's, the newest first."""
    query = SELECT + (OF_TRADER if account_id is None else OF_ACCOUNT)
    if status is not None:
        query += WITH_STATUS
    if after is not None:
        query += AFTER
    return await fetch_slice(
        pool,
        query + NEWEST_FIRST,
        {"of": account_id or trader_id, "status": status, "after": after},
        TradeView,
        limit=limit,
        key="trade_id",
    )


async def trade(pool: Pool, trade_id: str) -> TradeView | None:
    query = SELECT + " WHERE trade_id = %(trade_id)s"
    return await fetch_one(pool, query, {"trade_id": trade_id}, TradeView)


async def account_of_trade(pool: Pool, trade_id: str) -> str | None:
    found = await trade(pool, trade_id)
    return found.account_id if found else None
