"""How the stop loss, the target and the trailing stop of an open trade are moved."""

from domain.account.commands import ProtectPosition
from domain.account.errors import TradeNotOpen
from domain.account.events import PositionProtected
from domain.account.placing import either, must_be_current, must_be_price
from domain.account.position import Position
from domain.account.state import Account
from domain.account.trading import must_be_tradable, must_stand_clear
from domain.values.market import Moment


def protect_position(
    command: ProtectPosition, account: Account, moment: Moment
) -> PositionProtected:
    held = open_trade(account, command.trade_id)
    must_be_current(held.version, command.seen)
    quote = must_be_tradable(held.symbol, moment)
    instrument = moment.market.instrument(held.symbol)
    event = PositionProtected(
        at=moment.at,
        tick=moment.tick,
        trade_id=held.trade_id,
        stop_loss=either(command.stop_loss, held.stop_loss),
        take_profit=either(command.take_profit, held.take_profit),
        trailing=either(command.trailing, held.trailing),
    )
    for price in (event.stop_loss, event.take_profit, event.trailing):
        if price is not None:
            must_be_price(price, instrument)
    price = quote.closing(held.side)
    must_stand_clear(held.side, event.stop_loss, event.take_profit, price)
    return event


def open_trade(account: Account, trade_id: str) -> Position:
    for position in account.positions:
        if position.trade_id == trade_id:
            return position
    raise TradeNotOpen(trade_id)
