"""What an order needs before it is let in to wait, and before it is changed."""

from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from msgspec import UnsetType
from msgspec.structs import replace

from domain.account.commands import CancelOrders, ChangeOrder, PlaceOrder
from domain.account.errors import (
    AccountPaused,
    OrderNotWorking,
    OrderRefused,
    Outdated,
    PriceRefused,
    StopRefused,
    TooManyOrders,
)
from domain.account.events import (
    CancelReason,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
)
from domain.account.filling import filled
from domain.account.netting import held_in
from domain.account.order import MOST_ORDERS, Order, OrderType, TimeInForce
from domain.account.state import Account
from domain.account.tradable import has_price
from domain.account.trading import (
    must_be_carried,
    must_be_converted,
    must_be_tradable,
    must_fit,
    must_stand_clear,
    position_at,
)
from domain.rules.trading_terms import Book
from domain.values.instrument import Instrument
from domain.values.market import Moment, QuoteStale
from domain.values.quote import Quote

T = TypeVar("T")

PRICES = {  # whether it has a limit, and a stop
    OrderType.MARKET: (False, False),
    OrderType.LIMIT: (True, False),
    OrderType.STOP: (False, True),
    OrderType.STOP_LIMIT: (True, True),
}


def place_order(command: PlaceOrder, account: Account, moment: Moment) -> OrderPlaced:
    order = order_of(command, account, moment)
    must_be_placeable(order, account, moment)
    return OrderPlaced(at=moment.at, tick=moment.tick, order=order)


def order_of(command: PlaceOrder, account: Account, moment: Moment) -> Order:
    """As it would wait; neither its prices nor the margin have been looked at."""
    if account.paused:
        raise AccountPaused(account.account_id)
    if len(account.orders) >= MOST_ORDERS:
        raise TooManyOrders(f"{MOST_ORDERS} orders are working")
    if command.oco is not None:
        must_be_free(working_order(account, command.oco), command)
    return Order(
        order_id=command.order_id,
        trade_id=command.trade_id,
        client_order_id=command.client_order_id,
        symbol=command.symbol,
        side=command.side,
        type=command.type,
        quantity=command.quantity,
        price=command.price,
        stop_price=command.stop_price,
        time_in_force=command.time_in_force,
        expires_at=ending(command.time_in_force, command.expires_at, account, moment),
        stop_loss=command.stop_loss,
        take_profit=command.take_profit,
        trailing=command.trailing,
        placed_at=moment.at,
        oco=command.oco,
    )


def change_order(
    command: ChangeOrder, account: Account, moment: Moment
) -> OrderChanged:
    before = seen_order(account, command.order_id, command.seen)
    lasts, ends = lasting(command, before, account, moment)
    order = replace(
        before,
        quantity=either(command.quantity, before.quantity),
        price=either(command.price, before.price),
        stop_price=either(command.stop_price, before.stop_price),
        time_in_force=lasts,
        expires_at=ends,
        stop_loss=either(command.stop_loss, before.stop_loss),
        take_profit=either(command.take_profit, before.take_profit),
        trailing=either(command.trailing, before.trailing),
        version=before.version + 1,
    )
    if before.is_triggered and order.stop_price != before.stop_price:
        raise OrderRefused("its stop was reached: only its limit waits")
    must_be_placeable(order, account, moment)
    return OrderChanged(at=moment.at, tick=moment.tick, order=order)


def lasting(
    command: ChangeOrder, before: Order, account: Account, moment: Moment
) -> tuple[TimeInForce, datetime | None]:
    """How long it will wait. A day that is not changed ends when it would have."""
    lasts = either(command.time_in_force, before.time_in_force)
    if not isinstance(command.expires_at, UnsetType):
        return lasts, ending(lasts, command.expires_at, account, moment)
    if lasts is before.time_in_force:
        return lasts, before.expires_at
    return lasts, ending(lasts, None, account, moment)


def cancel_orders(
    command: CancelOrders, account: Account, moment: Moment
) -> OrderCancelled:
    for order_id in command.order_ids:
        seen_order(account, order_id, command.seen)
    return cancelled(command.order_ids, CancelReason.TRADER, moment)


def cancelled(
    order_ids: tuple[str, ...], reason: CancelReason, moment: Moment
) -> OrderCancelled:
    return OrderCancelled(
        at=moment.at, tick=moment.tick, order_ids=order_ids, reason=reason
    )


def called_off(
    account: Account, reason: CancelReason, moment: Moment
) -> OrderCancelled:
    """Every order that is working."""
    return cancelled(tuple(o.order_id for o in account.orders), reason, moment)


def working_order(account: Account, order_id: str) -> Order:
    for each in account.orders:
        if each.order_id == order_id:
            return each
    raise OrderNotWorking(order_id)


def seen_order(account: Account, order_id: str, seen: int | None) -> Order:
    order = working_order(account, order_id)
    must_be_current(order.version, seen)
    return order


def must_be_current(version: int, seen: int | None) -> None:
    if seen is not None and seen != version:
        raise Outdated(f"it is at version {version}")


def must_be_free(other: Order, command: PlaceOrder) -> None:
    if other.oco is not None or command.time_in_force.is_immediate:
        raise OrderRefused("two orders that wait cancel each other, no more than two")


def ending(
    lasts: TimeInForce, expires_at: datetime | None, account: Account, moment: Moment
) -> datetime | None:
    """The first instant at which it waits no more."""
    if (lasts is TimeInForce.GTD) is (expires_at is None):
        raise OrderRefused("an order has an end of its own when it is good till a date")
    if expires_at is not None and expires_at <= moment.at:
        raise OrderRefused("it would end before it begins")
    if lasts is TimeInForce.DAY:
        return account.phase.trading_day.next_after(moment.at)
    return expires_at


def must_be_placeable(order: Order, account: Account, moment: Moment) -> None:
    quote = must_be_sound(order, account, moment)
    if order.is_due(quote):
        filled(order, account, moment)  # or it is refused
    elif not takes_from(order, account):
        price = order.entry(quote)
        must_be_carried(position_at(price, order, account, moment), account, moment)


def must_be_sound(order: Order, account: Account, moment: Moment) -> Quote:
    """Whatever it needs but margin; the quote that it meets."""
    quote = must_be_tradable(order.symbol, moment)
    if not has_price(order.symbol, moment):
        raise QuoteStale(f"{order.symbol} has no quote since its market opened")
    instrument = moment.market.instrument_to_open(order.symbol)
    must_fit(order.quantity, instrument)
    must_have_its_prices(order, instrument)
    must_be_ahead(order, quote)
    must_be_protected(order, quote)
    must_be_converted(instrument.currency, account, moment)
    return quote


def takes_from(order: Order, account: Account) -> bool:
    """In a netting book it may free margin; how much, its fill will show."""
    terms = account.phase.trading
    if terms is None or terms.book is not Book.NETTING:
        return False
    held = held_in(order.symbol, account)
    return held is not None and held.side is not order.side


def must_have_its_prices(order: Order, instrument: Instrument) -> None:
    if (order.price is not None, order.stop_price is not None) != PRICES[order.type]:
        raise OrderRefused(f"those are not the prices of a {order.type} order")
    prices = (order.price, order.stop_price, order.stop_loss, order.take_profit)
    for price in (*prices, order.trailing):
        if price is not None:
            must_be_price(price, instrument)


def must_be_price(price: Decimal, instrument: Instrument) -> None:
    if price % instrument.point or price > instrument.price_max:
        raise PriceRefused(f"steps of {instrument.point} up to {instrument.price_max}")


def must_be_ahead(order: Order, quote: Quote) -> None:
    """A stop that is reached already was meant otherwise."""
    if order.waits_for_stop and order.is_due(quote):
        raise StopRefused(f"the price is {quote.opening(order.side)}")


def must_be_protected(order: Order, quote: Quote) -> None:
    """Against where it will be filled, as far as that is known."""
    is_now = order.is_due(quote)
    price = quote.closing(order.side) if is_now else order.entry(quote)
    must_stand_clear(order.side, order.stop_loss, order.take_profit, price)


def either(new: T | UnsetType, old: T) -> T:
    return old if isinstance(new, UnsetType) else new
