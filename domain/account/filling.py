"""What an order does to the book of positions when its price has come."""

from domain.account.events import AccountEvent, OpenReason, Opposed
from domain.account.netting import deals
from domain.account.order import Order
from domain.account.state import Account
from domain.account.trading import opened
from domain.rules.trading_terms import Book
from domain.values.market import Moment


def filled(order: Order, account: Account, moment: Moment) -> tuple[AccountEvent, ...]:
    """At the last quote, and no worse than its limit. Raises `InsufficientMargin`."""
    reason, terms = OpenReason(order.type), account.phase.trading
    if terms is None or terms.book is not Book.NETTING:
        fill = opened(
            order,
            account,
            moment,
            limit=order.price,
            trailing=order.trailing,
            reason=reason,
        )
        return (fill,)
    netted = Opposed(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        trade_id=order.trade_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        trailing=order.trailing,
        limit=order.price,
        reason=reason,
    )
    return deals(netted, account, moment)
