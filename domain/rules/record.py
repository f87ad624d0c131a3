"""What the days and trades of an account have brought: a fold of fills and boundaries.

No tick moves it. It is kept where a rule of the phase looks at it; elsewhere it stays
as it began. Days on which nothing happened are not entered.
"""

from bisect import bisect
from datetime import date, datetime
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from domain.values.money import Money
from domain.values.trading_day import WEEKEND, TradingDay


class Day(Struct, frozen=True, kw_only=True, array_like=True):
    """One trading day; its name is the local date on which it opened."""

    date: date
    is_weekend: bool
    began: datetime
    booked: Money  # every change of the balance on it, costs included
    earned: Money  # what the trades opened on it have brought, whenever they did
    open_loss: Money  # what floated below zero at its end; a floating gain is no loss
    opened: bool = False  # a position was
    closed: bool = False  # a position was, wholly or in part
    completed: bool = False  # a trade opened on it has been closed to its end
    held: bool = False  # a position was open at some time

    @property
    def is_blank(self) -> bool:
        return not (self.held or self.booked.amount)

    def attributed(self, close: "Closed") -> Self:
        completed = self.completed or close.result is not None
        return replace(self, earned=self.earned + close.profit, completed=completed)


class Closed(Struct, frozen=True, kw_only=True):
    """A close, as the record enters it."""

    opened_at: datetime  # the trade
    profit: Money  # of this close
    result: Money | None  # of the whole trade, costs included; None: a rest is open


class Warned(Struct, frozen=True, array_like=True):
    rule: str
    since: datetime  # what the rule's clock ran from


class Record(Struct, frozen=True, kw_only=True, array_like=True):
    today: Day
    before: tuple[Day, ...] = ()  # the oldest first
    best_trade: Money
    won: Money  # the results of all trades that won
    first_open: datetime | None = None
    last_open: datetime | None = None
    last_close: datetime | None = None
    warned: tuple[Warned, ...] = ()  # the latest of each rule

    @classmethod
    def beginning(cls, at: datetime, days: TradingDay, deposit: Money) -> Self:
        zero = Money.zero(deposit.currency)
        return cls(today=blank(days, at, zero), best_trade=zero, won=zero)

    @property
    def days(self) -> tuple[Day, ...]:
        return (*self.before, self.today)

    def booked(self, amount: Money) -> Self:
        """The balance has changed by a cost or another posting of this day."""
        today = self.today
        booked, earned = today.booked + amount, today.earned + amount
        return replace(self, today=replace(today, booked=booked, earned=earned))

    def opened(self, at: datetime) -> Self:
        return replace(
            self,
            today=replace(self.today, opened=True, held=True),
            first_open=self.first_open or at,
            last_open=at,
        )

    def closed(self, at: datetime, closes: tuple[Closed, ...]) -> Self:
        record = replace(self, last_close=at)
        for close in closes:
            record = record.entered(close)
        return record

    def entered(self, close: Closed) -> Self:
        """The profit counts on this day, and with the day that opened the trade."""
        booked = self.today.booked + close.profit
        today = replace(self.today, booked=booked, closed=True, held=True)
        record = replace(self, today=today).attributed(close)
        if close.result is None:
            return record
        gain = max(close.result, Money.zero(close.result.currency))
        return replace(
            record,
            best_trade=max(record.best_trade, close.result),
            won=record.won + gain,
        )

    def attributed(self, close: Closed) -> Self:
        if self.today.began <= close.opened_at:
            return replace(self, today=self.today.attributed(close))
        place = bisect(self.before, close.opened_at, key=lambda day: day.began) - 1
        before = list(self.before)
        before[place] = before[place].attributed(close)
        return replace(self, before=tuple(before))

    def turned(self, at: datetime, days: TradingDay, floating: Money | None) -> Self:
        """A boundary; `floating` is what open positions stand at, None: none is."""
        ended, zero = self.today, Money.zero(self.won.currency)
        if floating is not None:
            ended = replace(ended, held=True, open_loss=min(floating, zero))
        before = self.before if ended.is_blank else (*self.before, ended)
        following = blank(days, at, zero)
        if floating is not None:
            following = replace(following, held=True)
        return replace(self, today=following, before=before)

    def warned_by(self, rule: str, since: datetime) -> Self:
        others = (each for each in self.warned if each.rule != rule)
        return replace(self, warned=(*others, Warned(rule, since)))

    def has_warned(self, rule: str, since: datetime) -> bool:
        return Warned(rule, since) in self.warned


def blank(days: TradingDay, began: datetime, zero: Money) -> Day:
    today = days.day_of(began)
    return Day(
        date=today,
        is_weekend=days.weekday(today) in WEEKEND,
        began=began,
        booked=zero,
        earned=zero,
        open_loss=zero,
    )
