"""An open position as a viewer sees it: what it would bring if it were closed now."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from domain.account.state import Account
from domain.values.market import Market
from domain.values.quote import Side


class PositionView(Struct, frozen=True, kw_only=True):
    trade_id: str
    symbol: str
    side: Side
    quantity: Decimal  # still open
    open_price: Decimal
    price: Decimal  # at which it would close
    profit: Decimal  # in the account's currency
    stop_loss: Decimal | None
    take_profit: Decimal | None
    opened_at: datetime


def position_views(account: Account, market: Market) -> Iterator[PositionView]:
    for held in account.positions:
        valued = held.valued(market, account.currency)
        yield PositionView(
            trade_id=held.trade_id,
            symbol=held.symbol,
            side=held.side,
            quantity=held.quantity,
            open_price=held.open_price,
            price=valued.price,
            profit=valued.profit.amount,
            stop_loss=held.stop_loss,
            take_profit=held.take_profit,
            opened_at=held.opened_at,
        )
