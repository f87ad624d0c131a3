"""What one quote sets off among stops, targets and orders, in the order of its way.

The price has come from the previous quote to this one: what it met first happens
first, and what stood there longest before the rest. Afterwards nothing of the symbol
waits for a price that has been reached.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from domain.account.closing import booked, closed
from domain.account.errors import InsufficientMargin, QuantityRefused
from domain.account.events import (
    AccountEvent,
    CancelReason,
    CloseReason,
    OrderCancelled,
    OrderTriggered,
    PositionClosed,
)
from domain.account.filling import filled
from domain.account.level import Level
from domain.account.order import Order
from domain.account.placing import cancelled
from domain.account.position import Position
from domain.account.state import Account, evolve
from domain.account.tradable import has_price
from domain.account.trading import must_be_converted
from domain.values.instrument import Rights
from domain.values.market import Moment, QuoteStale
from domain.values.quote import Quote, Side

NOTHING = Decimal(0)


class Due(Struct, frozen=True):
    """Something whose price has been reached."""

    what: Position | Order
    distance: Decimal  # from the previous quote
    since: datetime


def triggered(
    account: Account, symbol: str, moment: Moment
) -> tuple[AccountEvent, ...]:
    quote, previous = moment.market.quote(symbol), moment.previous
    if previous is not None and previous.symbol != symbol:
        previous = None
    if not is_any_due(account, quote) or not has_price(symbol, moment):
        return ()
    events: list[AccountEvent] = []
    while (first := next_due(account, quote, previous)) is not None:
        if isinstance(first, Order):
            led_to = order_due(first, account, moment)
        else:
            led_to = (exit_due(first, account, moment),)
        for event in led_to:
            account = evolve(account, event)
            events.append(event)
    return tuple(events)


def is_any_due(account: Account, quote: Quote) -> bool:
    symbol = quote.symbol
    for held in account.positions:
        if held.symbol == symbol and (
            held.is_stopped(quote) or held.takes_profit(quote)
        ):
            return True
    for order in account.orders:
        if order.symbol == symbol and order.is_due(quote):
            return True
    return False


def next_due(
    account: Account, quote: Quote, previous: Quote | None
) -> Position | Order | None:
    """Of those that stand equally far and equally long, exits come before entries."""
    first = min(
        due(account, quote, previous),
        key=lambda each: (each.distance, each.since),
        default=None,
    )
    return first.what if first is not None else None


def due(account: Account, quote: Quote, previous: Quote | None) -> Iterator[Due]:
    for held in account.positions:
        if held.symbol == quote.symbol and (level := exit_level(held, quote)):
            came_from = previous.closing(held.side) if previous else None
            yield Due(held, way(level, came_from), held.opened_at)
    for order in account.orders:
        if order.symbol == quote.symbol and order.is_due(quote):
            came_from = previous.opening(order.side) if previous else None
            yield Due(order, way(order.level, came_from), order.placed_at)


def exit_level(held: Position, quote: Quote) -> Level | None:
    is_long = held.side is Side.BUY
    if held.stop_loss is not None and held.is_stopped(quote):
        return Level(held.stop_loss, is_rising=not is_long)
    if held.take_profit is not None and held.takes_profit(quote):
        return Level(held.take_profit, is_rising=is_long)
    return None


def way(level: Level | None, came_from: Decimal | None) -> Decimal:
    if level is None or came_from is None:
        return NOTHING
    return level.distance(came_from)


def order_due(
    order: Order, account: Account, moment: Moment
) -> tuple[AccountEvent, ...]:
    if order.waits_for_stop and order.price is not None:
        return (
            OrderTriggered(at=moment.at, tick=moment.tick, order_id=order.order_id),
        )
    instrument = moment.market.instrument(order.symbol)
    if instrument.rights is not Rights.FULL:
        return (cancelled((order.order_id,), CancelReason.SYMBOL, moment),)
    try:
        must_be_converted(instrument.currency, account, moment)
        fills = filled(order, account, moment)
    except InsufficientMargin as refused:
        rejected = OrderCancelled(
            at=moment.at,
            tick=moment.tick,
            order_ids=(order.order_id,),
            reason=CancelReason.MARGIN,
            arithmetic=refused.arithmetic,
        )
        return (rejected,)
    except QuantityRefused:  # it would join what another specification opened
        return (cancelled((order.order_id,), CancelReason.SYMBOL, moment),)
    except QuoteStale:
        return (cancelled((order.order_id,), CancelReason.CONVERSION, moment),)
    if any(each.order_id == order.oco for each in account.orders):
        assert order.oco is not None
        return *fills, cancelled((order.oco,), CancelReason.OCO, moment)
    return fills


def exit_due(held: Position, account: Account, moment: Moment) -> PositionClosed:
    is_stopped = held.is_stopped(moment.market.quote(held.symbol))
    reason = CloseReason.STOP_LOSS if is_stopped else CloseReason.TAKE_PROFIT
    limit = None if is_stopped else held.take_profit
    fill = closed(held, held.quantity, account, moment, limit)
    return booked(account, (fill,), reason, moment)
