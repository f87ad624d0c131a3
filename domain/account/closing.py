"""What closing a position brings, and when there is a price to close it at."""

from decimal import Decimal

from domain.account.errors import QuantityRefused
from domain.account.events import CloseReason, PositionClosed
from domain.account.position import Fill, Position
from domain.account.state import Account
from domain.values.market import Moment
from domain.values.session import closes_next, is_open


def closed(
    position: Position, quantity: Decimal, account: Account, moment: Moment
) -> Fill:
    instrument = moment.market.instrument(position.symbol)
    left = position.quantity - quantity
    if left < 0 or quantity % instrument.quantity_step:
        raise QuantityRefused(f"{position.quantity} lots are open")
    valued = position.portion_valued(quantity, moment.market, account.currency)
    return Fill(closed=valued, left=left)


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
        balance=sum((fill.closed.profit for fill in fills), account.balance),
    )
