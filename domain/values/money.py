"""An amount in one currency, always exact to that currency's minor unit."""

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Self

from msgspec import Struct

from domain.values.exact import WHOLE_DIGITS, exact

CENT = Decimal("0.01")
ZERO = Decimal(0)
MINOR_UNIT = {
    "AUD": CENT,
    "CAD": CENT,
    "CHF": CENT,
    "EUR": CENT,
    "GBP": CENT,
    "JPY": Decimal(1),
    "NZD": CENT,
    "USD": CENT,
}


class CurrencyMismatch(ValueError):
    """Two amounts in different currencies met without a conversion rate."""


class Money(Struct, frozen=True):
    """`amount` is in major units (dollars, not cents), with all its decimals."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Check every way in, decoding too: no NaN, no exponent, no half cent."""
        amount = self.amount  # asked for millions of times: no call more than needed
        unit = MINOR_UNIT.get(self.currency) or minor_unit(self.currency)
        if not amount.same_quantum(unit) or amount.adjusted() >= WHOLE_DIGITS:
            raise ValueError("not an amount in whole minor units")

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read text from outside; what is finer than a cent is refused, not rounded."""
        money = cls.rounded(exact(text), currency)
        if money.amount != exact(text):
            raise ValueError("finer than the minor unit")
        return money

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> Self:
        return cls(in_minor_units(amount, currency), currency)

    @staticmethod
    @lru_cache(maxsize=64)
    def zero(currency: str) -> "Money":
        return Money.rounded(ZERO, currency)

    def __add__(self, other: Self) -> Self:
        return type(self)(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.amount - self._same(other), self.currency)

    def __lt__(self, other: Self) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Self) -> bool:
        return self.amount <= self._same(other)

    def portion(self, fraction: Decimal) -> Self:
        """`fraction` of this amount: 0.05 is 5 %. Rounds half to even."""
        return self.rounded(self.amount * fraction, self.currency)

    def share(self, part: Decimal, whole: Decimal) -> Self:
        """So much of it as `part` is of `whole`: 1.00 of 3.00 is exactly a third."""
        return self.rounded(self.amount * part / whole, self.currency)

    def _same(self, other: Self) -> Decimal:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} meets {other.currency}")
        return other.amount


def in_minor_units(amount: Decimal, currency: str) -> Decimal:
    """Round once, here, half to even; every other operation is exact."""
    unit = MINOR_UNIT.get(currency) or minor_unit(currency)
    return amount.quantize(unit, ROUND_HALF_EVEN) + ZERO  # which turns -0.00 into 0.00


def minor_unit(currency: str) -> Decimal:
    if currency not in MINOR_UNIT:
        raise ValueError("unknown currency")
    return MINOR_UNIT[currency]
