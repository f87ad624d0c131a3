"""Closing more than one trade at once: opposite ones against each other, or all."""

from decimal import Decimal

from msgspec.structs import replace

from domain.account.closing import booked, closed, is_tradable
from domain.account.commands import ClosePositionBy
from domain.account.errors import NotOpposite, TradeNotOpen
from domain.account.events import (
    CancelReason,
    CloseReason,
    OrderCancelled,
    PositionClosed,
)
from domain.account.placing import called_off
from domain.account.position import Fill, Position
from domain.account.protecting import open_trade
from domain.account.state import Account
from domain.account.trading import must_be_tradable
from domain.values.market import Moment
from domain.values.money import Money


def close_position_by(
    command: ClosePositionBy, account: Account, moment: Moment
) -> PositionClosed:
    """The first closes at the price of the second, which neither wins nor loses.

    So no spread is paid for getting out. The smaller quantity of the two is closed.
    """
    held, other = (open_trade(account, each) for each in (command.trade_id, command.by))
    if held.symbol != other.symbol or held.side is other.side:
        raise NotOpposite(f"{held.trade_id} and {other.trade_id}")
    must_be_tradable(held.symbol, moment)
    quantity = min(held.quantity, other.quantity)
    fills = tuple(
        closed_at(other.open_price, each, quantity, account, moment)
        for each in (held, other)
    )
    return booked(account, fills, CloseReason.CLOSE_BY, moment)


def close_all(account: Account, moment: Moment) -> PositionClosed | OrderCancelled:
    """What has no price now stays open; orders are cancelled all the same."""
    fills = tuple(
        closed(each, each.quantity, account, moment)
        for each in account.positions
        if is_tradable(each, moment)
    )
    if fills:
        return booked(account, fills, CloseReason.CLOSE_ALL, moment)
    if account.orders:
        return called_off(account, CancelReason.TRADER, moment)
    for each in account.positions:
        must_be_tradable(each.symbol, moment)
    raise TradeNotOpen("nothing is open")


def closed_at(
    price: Decimal,
    held: Position,
    quantity: Decimal,
    account: Account,
    moment: Moment,
) -> Fill:
    """Close at a price that is no quote's."""
    fill = closed(held, quantity, account, moment)
    gain = held.move(price) * quantity * held.contract_size
    amount, legs = moment.market.converted(gain, held.currency, account.currency)
    profit = Money.rounded(amount, account.currency)
    valued = replace(fill.closed, price=price, conversion=legs, profit=profit)
    return replace(fill, closed=valued, execution=None)
