"""An account to explain by: what it shows is what the real rules make of it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import replace

from domain.rules.adjudicate import Verdict, at_boundary, at_instant
from domain.rules.marks import Mark, Marks
from domain.rules.phase import LimitRule, Phase
from domain.rules.record import Record
from domain.rules.standing import Standing
from domain.values.money import Money, minor_unit

A_MONDAY: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Example(Struct, frozen=True, kw_only=True):
    phase: Phase
    at: datetime
    standing: Standing

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
        """What is decided if the account comes to stand like this, now or tonight."""
        after, verdict = self._judged(balance, equity, is_flat=is_flat)
        if verdict.breaches or verdict.reached:
            return verdict
        return after.day_ends()[1]

    def day_ends(self) -> tuple[Self, Verdict]:
        boundary = self.phase.trading_day.next_after(self.at)
        standing, verdict = at_boundary(self.phase, self.standing, 0, boundary)
        return replace(self, standing=standing, at=boundary), verdict

    def after_days(self, days: int) -> Self:
        return replace(self, standing=replace(self.standing, trading_days=days))

    def floor(self, limit: LimitRule) -> Money:
        return limit.floor(self.standing)

    def _judged(
        self, balance: Money, equity: Money, *, is_flat: bool
    ) -> tuple[Self, Verdict]:
        stood = replace(self.standing, balance=balance, equity=equity, is_flat=is_flat)
        standing, verdict = at_instant(self.phase, stood, 0, self.at)
        return replace(self, standing=standing), verdict


def alone(phase: Phase, *rules: object) -> Phase:
    """The phase with nothing but these of its rules."""
    return replace(phase, rules=tuple(each for each in phase.rules if each in rules))


def one_unit(currency: str) -> Money:
    """The smallest amount there is."""
    return Money.rounded(minor_unit(currency), currency)


def grown(deposit: Money, percent: str) -> Money:
    return deposit + deposit.portion(Decimal(percent) / 100)
