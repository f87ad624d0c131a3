"""What a position costs, or brings, for being held over a rollover."""

from datetime import datetime
from typing import Final

from domain.account.events import Swap, SwapAccrued, SwapPosted
from domain.account.position import Position
from domain.account.state import Account
from domain.rules.trading_terms import SwapDue, TradingTerms
from domain.values.instrument import Instrument
from domain.values.market import Moment
from domain.values.money import Money
from domain.values.quote import Side
from domain.values.trading_day import TradingDay

MOST_NIGHTS_OFF: Final = 7  # in a row; some night of each week is paid


def rolls_next(
    instrument: Instrument, side: Side, day: TradingDay, after: datetime
) -> datetime | None:
    """The first rollover after it that is paid; None: holding costs nothing."""
    if not instrument.swap(side):
        return None
    rollover = instrument.rolls_by(day)
    at = after
    for _ in range(MOST_NIGHTS_OFF):
        at = rollover.next_after(at)
        if instrument.nights(rollover, at):
            break
    return at


def rolled_over(account: Account, moment: Moment) -> SwapPosted | SwapAccrued | None:
    """What is due by now, of all positions together; None: nothing is."""
    terms = account.phase.trading
    due = [p for p in account.positions if p.rolls_at and p.rolls_at <= moment.at]
    if terms is None or not due:
        return None
    swaps = tuple(swap_of(each, account, moment) for each in due)
    return entered(swaps, account, terms, moment)


def entered(
    swaps: tuple[Swap, ...], account: Account, terms: TradingTerms, moment: Moment
) -> SwapPosted | SwapAccrued:
    at, tick = moment.at, moment.tick
    if terms.swap is SwapDue.ACCRUED:
        return SwapAccrued(at=at, tick=tick, swaps=swaps)
    balance = sum((each.amount for each in swaps), account.balance)
    return SwapPosted(at=at, tick=tick, swaps=swaps, balance=balance)


def swap_of(position: Position, account: Account, moment: Moment) -> Swap:
    assert position.rolls_at is not None, "only what is due is asked for"
    instrument = moment.market.instrument(position.symbol)
    day = account.phase.trading_day
    nights = instrument.nights(instrument.rolls_by(day), position.rolls_at)
    rate = instrument.swap(position.side)
    return Swap(
        trade_id=position.trade_id,
        symbol=position.symbol,
        side=position.side,
        quantity=position.quantity,
        rate=rate,
        nights=nights,
        amount=Money.rounded(rate * position.quantity * nights, account.currency),
        rolls_at=rolls_next(instrument, position.side, day, position.rolls_at),
    )
