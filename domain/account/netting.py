"""A netting book has one position of a symbol: an order adds to it or takes from it.

What an order takes beyond what is open turns the position round: one order, two deals,
one that closes and one that opens a trade of its own.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from msgspec.structs import asdict, replace

from domain.account.closing import booked, closed
from domain.account.commands import OpenPosition
from domain.account.errors import QuantityRefused
from domain.account.events import (
    AccountEvent,
    CloseReason,
    Deal,
    Opposed,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
)
from domain.account.position import Position, added
from domain.account.state import Account, evolve
from domain.account.trading import (
    must_be_carried,
    must_be_let_in,
    must_stand_clear,
    opened,
    position_of,
)
from domain.values.instrument import Instrument
from domain.values.market import Moment

FINEST: Final = Decimal("0.0000000001")  # of an average price, as it is shown


def held_in(symbol: str, account: Account) -> Position | None:
    return next((each for each in account.positions if each.symbol == symbol), None)


def net_position(
    command: OpenPosition, account: Account, moment: Moment
) -> PositionOpened | PositionIncreased | PositionClosed:
    """The first deal of the order; what turns round is opened by `turned_round`.

    Either both can be done or none is.
    """
    quote = must_be_let_in(command, account, moment)
    held = held_in(command.symbol, account)
    takes = held is not None and held.side is not command.side
    if held is None or not takes or command.quantity > held.quantity:
        moment.market.instrument_to_open(command.symbol)
        stop, target = command.stop_loss, command.take_profit
        must_stand_clear(command.side, stop, target, quote.closing(command.side))
    return first_deal(Opposed(**asdict(command)), account, moment)


def first_deal(
    order: Opposed, account: Account, moment: Moment
) -> PositionOpened | PositionIncreased | PositionClosed:
    """Raise `InsufficientMargin` also where it is missing for what turns round."""
    held = held_in(order.symbol, account)
    if held is None:
        return opened(
            order,
            account,
            moment,
            limit=order.limit,
            trailing=order.trailing,
            reason=order.reason,
        )
    if held.side is order.side:
        return increased(held, order, account, moment)
    closes = opposed(order, held, account, moment)
    turned_round(evolve(account, closes), closes, moment)  # or it is refused
    return closes


def deals(
    order: Opposed, account: Account, moment: Moment
) -> tuple[PositionOpened | PositionIncreased | PositionClosed, ...]:
    """Both deals of an order that had waited."""
    first = first_deal(order, account, moment)
    return first, *turned_round(evolve(account, first), first, moment)


def opposed(
    order: Opposed, held: Position, account: Account, moment: Moment
) -> PositionClosed:
    quantity = min(order.quantity, held.quantity)
    fill = closed(held, quantity, account, moment, order.limit)
    return replace(booked(account, (fill,), CloseReason.NETTED, moment), order=order)


def turned_round(
    account: Account, answer: AccountEvent, moment: Moment
) -> tuple[PositionOpened, ...]:
    """What an order opens once it has closed all there was. The close is folded."""
    if not isinstance(answer, PositionClosed) or answer.order is None:
        return ()
    order, (fill,) = answer.order, answer.fills
    left = order.quantity - fill.closed.quantity
    if not left:
        return ()
    rest = opened(
        replace(order, quantity=left),
        account,
        moment,
        limit=order.limit,
        trailing=order.trailing,
        reason=order.reason,
    )
    return (rest,)


def increased(
    held: Position, order: Opposed, account: Account, moment: Moment
) -> PositionIncreased:
    """Add what the order would have opened by itself. Raises `InsufficientMargin`."""
    more = position_of(order, account, moment, order.limit)
    if (held.contract_size, held.currency) != (more.contract_size, more.currency):
        raise QuantityRefused("the instrument has changed since: close it first")
    must_be_carried(more, account, moment)
    instrument = moment.market.instrument(held.symbol)
    return PositionIncreased(
        at=moment.at,
        tick=moment.tick,
        deal=Deal(
            order_id=more.order_id,
            client_order_id=more.client_order_id,
            side=more.side,
            quantity=more.quantity,
            price=more.open_price,
            quote=more.quote,
            commission=more.commission,
            stop_loss=more.stop_loss,
            take_profit=more.take_profit,
            execution=more.execution,
            reason=order.reason,
        ),
        position=replace(
            together(held, more, instrument), trailing=order.trailing or held.trailing
        ),
        trading_day=account.phase.trading_day.day_of(moment.at),
        balance=account.balance - more.commission,
    )


def together(held: Position, more: Position, instrument: Instrument) -> Position:
    """What both cost is kept whole; their average price is only what is shown of it."""
    quantity, cost = held.quantity + more.quantity, held.whole_cost + more.whole_cost
    falls_due = [at for at in (held.rolls_at, more.rolls_at) if at is not None]
    return replace(
        held,
        opened_quantity=held.opened_quantity + more.quantity,
        quantity=quantity,
        open_price=average(cost / (quantity * held.contract_size), instrument),
        cost=cost,
        margin=held.margin + more.margin,
        commission=held.commission + more.commission,
        due=more.due if held.due is None else added(held.due, more.due),
        rolls_at=min(falls_due, default=None),
        stop_loss=more.stop_loss or held.stop_loss,
        take_profit=more.take_profit or held.take_profit,
        version=held.version + 1,
    )


def average(price: Decimal, instrument: Instrument) -> Decimal:
    """With the digits of a price where those say it exactly."""
    shown = price.quantize(FINEST, ROUND_HALF_EVEN)
    quoted = shown.quantize(instrument.point)
    return quoted if quoted == shown else shown.normalize()
