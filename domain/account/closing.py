"""What closing a position brings, and when there is a price to close it at."""

from decimal import Decimal

from domain.account.errors import QuantityRefused
from domain.account.events import CloseReason, PositionClosed
from domain.account.execution import closing_key, executed
from domain.account.position import Fill, Position
from domain.account.state import Account
from domain.values.market import Moment
from domain.values.money import Money
from domain.values.quote import Side
from domain.values.session import closes_next, is_open


def closed(
    position: Position, quantity: Decimal, account: Account, moment: Moment
) -> Fill:
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
        price, execution = executed(dealt, quoted, key, instrument, terms)
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
    """A market that has opened again has no price before its first quote."""
    if position.symbol in moment.market.suspended:
        return False
    sessions = moment.market.instrument(position.symbol).sessions
    quoted_at = moment.market.quote(position.symbol).at
    if not (is_open(sessions, moment.at) and is_open(sessions, quoted_at)):
        return False
    closed_at = closes_next(sessions, quoted_at)
    return closed_at is None or closed_at > moment.at


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
