"""given(account, history).when(item).then(events): tests that read aloud."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Self

import pytest
from msgspec import Struct
from msgspec.structs import replace

from domain.account.commands import AccountCommand, OpenAccount
from domain.account.decider import handle, time_out, turn_day, witness
from domain.account.events import (
    AccountEvent,
    AccountExpired,
    AccountWarned,
    ObjectivesMet,
    PositionClosed,
    RuleBreached,
)
from domain.account.state import Account
from domain.values.instrument import Instrument
from domain.values.market import Market, Moment, pairs_of
from domain.values.quote import Quote
from domain.values.refusal import Refused


class Quoted(Struct, frozen=True):
    """A quote is accepted, at once or at an instant; what is due before comes first."""

    symbol: str
    bid: str
    ask: str
    at: datetime | None = None


class Clock(Struct, frozen=True):
    """Time passes up to an instant and no quote arrives."""

    to: datetime


class DayOver(Struct, frozen=True):
    """Time passes up to the account's next day boundary."""


Item = AccountCommand | Quoted | Clock | DayOver


class Told(Struct, frozen=True, kw_only=True):
    """Where a story has got to, and what its latest item led to."""

    account: Account | None
    moment: Moment
    events: tuple[AccountEvent, ...] = ()

    @classmethod
    def beginning(
        cls,
        at: datetime,
        instruments: tuple[Instrument, ...],
        stale_after: timedelta | None = None,
    ) -> Self:
        known = {each.symbol: each for each in instruments}
        market = Market(known, {}, pairs_of(known), stale_after)
        return cls(account=None, moment=Moment(at, 0, market))

    def next(self, item: Item) -> "Told":
        match item:
            case Quoted():
                told = self.until(item.at or self.moment.at)
                return told.quoted(item)
            case Clock():
                return self.until(item.to)
            case DayOver():
                account = self.opened
                return self.until(account.phase.trading_day.next_after(self.moment.at))
            case OpenAccount():
                return self.after(*handle(item, self.account, self.moment))
            case _:
                return self.after(*handle(item, self.opened, self.moment))

    def until(self, at: datetime) -> "Told":
        """Pass the boundaries and timers that are due, as a venue does."""
        told, events = replace(self, events=()), tuple[AccountEvent, ...]()
        if told.account is not None:
            day = told.account.phase.trading_day
            boundary = day.next_after(told.moment.at)
            while True:
                deadline = told.opened.next_deadline
                if deadline is not None and deadline < boundary and deadline <= at:
                    told = told.clock(deadline)
                    told = told.after(*time_out(told.opened, told.moment))
                elif boundary <= at:
                    told = told.clock(boundary)
                    told = told.after(*turn_day(told.opened, told.moment))
                    boundary = day.next_after(boundary)
                else:
                    break
                events += told.events
        return replace(told.clock(at), events=events)

    def clock(self, at: datetime) -> "Told":
        return replace(self, moment=replace(self.moment, at=max(at, self.moment.at)))

    def quoted(self, item: Quoted) -> "Told":
        moment = self.moment
        quote = quote_of(item, moment.tick + 1, moment.at)
        previous = moment.market.quotes.get(item.symbol)
        quotes = {**moment.market.quotes, item.symbol: quote}
        market = replace(moment.market, quotes=quotes)
        told = replace(self, moment=Moment(moment.at, quote.sequence, market, previous))
        account = told.account
        if account is None or item.symbol not in account.followed(market):
            return told
        led_to = told.after(*witness(account, item.symbol, told.moment))
        return replace(led_to, events=(*self.events, *led_to.events))

    def after(self, account: Account, events: tuple[AccountEvent, ...]) -> "Told":
        return replace(self, account=account, events=events)

    @property
    def opened(self) -> Account:
        assert self.account is not None, "the story opens an account first"
        return self.account


def quote_of(item: Quoted, sequence: int, at: datetime) -> Quote:
    return Quote(item.symbol, Decimal(item.bid), Decimal(item.ask), sequence, at)


class Asked:
    """What was asked last, and where it leads to."""

    def __init__(self, before: Told, item: Item) -> None:
        self._before, self._item = before, item

    @property
    def told(self) -> Told:
        return self._before.next(self._item)

    @property
    def events(self) -> tuple[AccountEvent, ...]:
        return self.told.events

    @property
    def account(self) -> Account:
        return self.told.opened

    def when(self, item: Item) -> "Asked":
        return Asked(self.told, item)

    def then(self, *kinds: type[AccountEvent]) -> None:
        assert tuple(type(each) for each in self.events) == kinds

    def then_nothing(self) -> None:
        assert self.events == ()

    def then_breached_at(self, *floors: str) -> RuleBreached:
        breached, *_ = (e for e in self.events if isinstance(e, RuleBreached))
        assert tuple(str(each.floor.amount) for each in breached.breaches) == floors
        return breached

    def then_passed(self) -> ObjectivesMet:
        (passed,) = (e for e in self.events if isinstance(e, ObjectivesMet))
        return passed

    def then_expired(self) -> AccountExpired:
        (expired,) = (e for e in self.events if isinstance(e, AccountExpired))
        return expired

    def then_warned(self) -> AccountWarned:
        (warned,) = (e for e in self.events if isinstance(e, AccountWarned))
        return warned

    def then_closed(self, *profits: str) -> PositionClosed:
        *_, closed = (e for e in self.events if isinstance(e, PositionClosed))
        assert tuple(str(fill.closed.profit.amount) for fill in closed.fills) == profits
        return closed

    def then_refused(self, reason: type[Refused]) -> Refused:
        with pytest.raises(reason) as caught:
            _ = self.events
        return caught.value


class given:  # noqa: N801 - it reads as a word, not as a class
    """The items of a history are played; `when` asks for one more."""

    def __init__(self, beginning: Told, *history: Item) -> None:
        told = beginning
        for item in history:
            told = told.next(item)
        self.told = told

    @property
    def account(self) -> Account:
        return self.told.opened

    def when(self, item: Item) -> Asked:
        return Asked(self.told, item)
