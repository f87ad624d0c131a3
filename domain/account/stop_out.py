"""Margin that equity carries no more: first a call, then the worst position closes."""

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from domain.account.closing import booked, closed, is_tradable
from domain.account.events import (
    AccountEvent,
    CloseReason,
    MarginCalled,
    MarginRestored,
)
from domain.account.margin import (
    NOTHING,
    MarginStood,
    held_margin,
    is_reached,
    stood,
)
from domain.account.position import Fill, Position
from domain.account.state import Account, applied
from domain.rules.trading_terms import TradingTerms
from domain.values.market import Moment
from domain.values.money import Money

ONE: Final = Decimal(1)  # of any currency: more than rounding a level up can add


def is_tight(account: Account, equity: Decimal) -> bool:
    """Whether it is worth looking closer; at almost every instant it is not."""
    if account.is_called:
        return True
    if not account.positions:
        return False
    held = NOTHING
    for each in account.positions:  # no model holds more than all of them one by one
        held += each.margin.amount
    return equity < held * terms_of(account).called_share + ONE


def pressed(
    account: Account, equity: Money, moment: Moment
) -> tuple[Account, tuple[AccountEvent, ...]]:
    """The call or its end; then, at the level of the stop-out, what it closes."""
    terms = terms_of(account)
    events: tuple[AccountEvent, ...] = ()
    margin = held_margin(account.positions, terms)
    called = stood(equity, margin, terms.margin_call)
    is_called = bool(account.positions) and is_reached(called)
    if is_called is not account.is_called:
        kind = MarginCalled if is_called else MarginRestored
        told = kind(
            at=moment.at, tick=moment.tick, margin=called, balance=account.balance
        )
        account, events = applied(account, told, moment), (told,)
    stopped = stood(equity, margin, terms.stop_out)
    if is_called and is_reached(stopped) and (fills := worst_first(account, moment)):
        event = booked(account, fills, CloseReason.STOP_OUT, moment)
        event = replace(event, margin=stopped)
        account, events = applied(account, event, moment), (*events, event)
    return account, events


def worst_first(account: Account, moment: Moment) -> tuple[Fill, ...]:
    """Close the one that loses most, and look again, until the level is left.

    What cannot be filled now stays: the next quote finds the level again.
    """
    terms, fills = terms_of(account), tuple[Fill, ...]()
    open_ = [each for each in account.positions if is_tradable(each, moment)]
    while open_ and is_reached(level(account, terms, moment)):
        worst = min(open_, key=lambda each: worth(each, account, moment))
        open_.remove(worst)
        fill = closed(worst, worst.quantity, account, moment)
        fills = (*fills, fill)
        one = booked(account, (fill,), CloseReason.STOP_OUT, moment)
        account = applied(account, one, moment)
    return fills


def worth(position: Position, account: Account, moment: Moment) -> Decimal:
    """Of those that are worth the same the one that opened first goes first."""
    gain = position.gain(moment.market, account.currency)
    return gain if position.accrued is None else gain + position.accrued.amount


def level(account: Account, terms: TradingTerms, moment: Moment) -> MarginStood:
    margin = held_margin(account.positions, terms)
    return stood(account.equity(moment.market), margin, terms.stop_out)


def terms_of(account: Account) -> TradingTerms:
    assert account.phase.trading is not None, "asked only where there are some"
    return account.phase.trading
