"""What closing a position brings, and when there is a price to close it at."""

from decimal import Decimal

from domain.account.errors import QuantityRefused
from domain.account.events import CloseReason, PositionClosed
from domain.account.execution import closing_key, executed
from domain.account.position import Fill, Position
from domain.account.state import Account
from domain.account.tradable import has_price
from domain.values.market import Moment
from domain.values.money import Money
from domain.values.quote import Side


def closed(
    position: Position,
    quantity: Decimal,
    account: Account,
    moment: Moment,
    limit: Decimal | None = None,
) -> Fill:
    """At the last quote as the terms execute it, no worse than `limit`."""
    instrument = moment.market.instrument(position.symbol)
    left = position.quantity - quantity
    if left < 0 or quantity % instrument.quantity_step:
        raise QuantityRefused(f"{position.quantity} lots are open")
    terms = account.phase.trading
    price, execution = None, None
    if terms is not None and (terms.slippage or terms.latency):
        dealt = Side.SELL if position.side is Side.BUY else Side.BUY
        quoted = moment.market.quote(position.symbol).closing(position.side)
        key = closing_key(position.trade_id, position.quantity)
        price, execution = executed(dealt, quoted, key, instrument, terms, limit)
    valued = position.portion_valued(quantity, moment.market, account.currency, price)
    if position.due is None and position.accrued is None and execution is None:
        return Fill(closed=valued, left=left)
    return Fill(
        closed=valued,
        left=left,
        commission=share_of(position.due, quantity, position),
        swap=share_of(position.accrued, quantity, position),
        execution=execution,
    )


def share_of(cost: Money | None, quantity: Decimal, position: Position) -> Money | None:
    return None if cost is None else cost.share(quantity, position.quantity)


def is_tradable(position: Position, moment: Moment) -> bool:
    return has_price(position.symbol, moment)


def booked(
    account: Account, fills: tuple[Fill, ...], reason: CloseReason, moment: Moment
) -> PositionClosed:
    return PositionClosed(
        at=moment.at,
        tick=moment.tick,
        fills=fills,
        reason=reason,
        balance=sum((fill.posted for fill in fills), account.balance),
    )
