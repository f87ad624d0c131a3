"""A trade as its owner sees it: from the fill that opened it to what closed it."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from domain.account.position import Fill, Position
from domain.values.money import Money
from domain.values.quote import Side


class TradeView(Struct, frozen=True, kw_only=True):
    trade_id: str
    order_id: str
    client_order_id: str | None
    account_id: str
    symbol: str
    side: Side
    quantity: Decimal  # as opened
    status: Literal["open", "closed"]
    open_price: Decimal
    bid: Decimal
    ask: Decimal
    quote_sequence: int
    commission: Decimal  # a cost, as far as it has been charged
    opened_at: datetime
    stop_loss: Decimal | None
    take_profit: Decimal | None
    trailing: Decimal | None  # how far the stop loss follows the price
    revision: int  # how often it has been told of: its ETag
    closed_quantity: Decimal
    close_price: Decimal | None  # of the latest fill
    closed_at: datetime | None
    profit: Decimal  # realised so far, without commission and swap
    swap: Decimal  # posted so far; a cost is below zero
    accrued_swap: Decimal  # not posted yet, but part of equity
    balance: Decimal | UnsetType = UNSET  # of the account, after this answer's fill
    position: str | UnsetType = UNSET
    version: int | UnsetType = UNSET


def opened_trade(
    account_id: str, held: Position, balance: Decimal, position: str, version: int
) -> TradeView:
    currency = held.realised.currency
    return TradeView(
        trade_id=held.trade_id,
        order_id=held.order_id,
        client_order_id=held.client_order_id,
        account_id=account_id,
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
        stop_loss=held.stop_loss,
        take_profit=held.take_profit,
        trailing=held.trailing,
        revision=held.version,
        closed_quantity=held.opened_quantity - held.quantity,
        close_price=None,
        closed_at=None,
        profit=held.realised.amount,
        swap=amount_of(held.swap, currency),
        accrued_swap=amount_of(held.accrued, currency),
        balance=balance,
        position=position,
        version=version,
    )


def closed_trade(
    account_id: str,
    held: Position,
    fill: Fill,
    at: datetime,
    balance: Decimal,
    position: str,
    version: int,
) -> TradeView:
    """`held` is the position before the fill."""
    currency = held.realised.currency
    return TradeView(
        trade_id=held.trade_id,
        order_id=held.order_id,
        client_order_id=held.client_order_id,
        account_id=account_id,
        symbol=held.symbol,
        side=held.side,
        quantity=held.opened_quantity,
        status="open" if fill.left else "closed",
        open_price=held.open_price,
        bid=held.quote.bid,
        ask=held.quote.ask,
        quote_sequence=held.quote.sequence,
        commission=held.commission.amount + amount_of(fill.commission, currency),
        opened_at=held.opened_at,
        stop_loss=held.stop_loss,
        take_profit=held.take_profit,
        trailing=held.trailing,
        revision=held.version + 1,
        closed_quantity=held.opened_quantity - fill.left,
        close_price=fill.closed.price,
        closed_at=None if fill.left else at,
        profit=held.realised.amount + fill.closed.profit.amount,
        swap=amount_of(held.swap, currency) + amount_of(fill.swap, currency),
        accrued_swap=amount_of(held.accrued, currency) - amount_of(fill.swap, currency),
        balance=balance,
        position=position,
        version=version,
    )


def amount_of(money: Money | None, currency: str) -> Decimal:
    return (money or Money.zero(currency)).amount
