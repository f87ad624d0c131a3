"""An account to explain by: what it shows is what the real rules make of it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import replace

from domain.rules.adjudicate import Verdict, at_boundary, at_instant
from domain.rules.marks import Mark, Marks
from domain.rules.phase import LimitRule, Phase
from domain.rules.record import Closed, Record
from domain.rules.standing import Standing
from domain.values.money import Money, minor_unit

A_MONDAY: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
A_WHILE: Final = timedelta(hours=1)


class Example(Struct, frozen=True, kw_only=True):
    phase: Phase
    at: datetime
    standing: Standing
    opened_at: datetime | None = None  # of the position that is open
    opened_on: date | None = None  # the last day with an opening

    @classmethod
    def opened(cls, phase: Phase, deposit: Money) -> Self:
        standing = Standing(
            balance=deposit,
            equity=deposit,
            marks=Marks.at_opening(Mark(deposit, 0, A_MONDAY)),
            record=Record.beginning(A_MONDAY, phase.trading_day, deposit),
            trading_days=0,
            is_flat=True,
        )
        return cls(phase=phase, at=A_MONDAY, standing=standing)

    def stands(self, balance: Money, equity: Money, *, is_flat: bool = False) -> Self:
        """A tick leaves the account like this."""
        return self._judged(balance, equity, is_flat=is_flat)[0]

    def verdict(
        self, balance: Money, equity: Money, *, is_flat: bool = False
    ) -> Verdict:
        """What is decided once it stands like this: now, or when the day ends."""
        after, verdict = self._judged(balance, equity, is_flat=is_flat)
        if self.phase.day_limits and not verdict.breaches:
            return after.turned()[1]
        return verdict

    def day_ends(self) -> Self:
        return self.turned()[0]

    def opens(self) -> Self:
        """Open a position that stands at nothing."""
        at = self.at + A_WHILE
        today = self.phase.trading_day.day_of(at)
        standing = replace(
            self.standing,
            is_flat=False,
            trading_days=self.standing.trading_days + (today != self.opened_on),
            record=self.standing.record.opened(at),
        )
        return replace(self, at=at, standing=standing, opened_at=at, opened_on=today)

    def closes(self, profit: Money) -> Self:
        assert self.opened_at is not None
        at = self.at + A_WHILE
        close = Closed(opened_at=self.opened_at, profit=profit, result=profit)
        balance = self.standing.balance + profit
        standing = replace(
            self.standing,
            balance=balance,
            equity=balance,
            is_flat=True,
            record=self.standing.record.closed(at, (close,)),
        )
        return replace(self, at=at, standing=standing, opened_at=None)

    def trades(self, profit: Money) -> Self:
        """Open and close on one day, with this profit."""
        return self.opens().closes(profit)

    def floor(self, limit: LimitRule) -> Money:
        return limit.floor(self.standing)

    def _judged(
        self, balance: Money, equity: Money, *, is_flat: bool
    ) -> tuple[Self, Verdict]:
        stood = replace(self.standing, balance=balance, equity=equity, is_flat=is_flat)
        standing, verdict = at_instant(self.phase, stood, 0, self.at)
        return replace(self, standing=standing), verdict

    def turned(self) -> tuple[Self, Verdict]:
        boundary = self.phase.trading_day.next_after(self.at)
        standing, verdict = at_boundary(self.phase, self.standing, 0, boundary)
        return replace(self, standing=standing, at=boundary), verdict


def alone(phase: Phase, *rules: object) -> Phase:
    """The phase with nothing but these of its rules."""
    return replace(phase, rules=tuple(each for each in phase.rules if each in rules))


def one_unit(currency: str) -> Money:
    """The smallest amount there is."""
    return Money.rounded(minor_unit(currency), currency)


def part(deposit: Money, percent: str) -> Money:
    return deposit.portion(Decimal(percent) / 100)
