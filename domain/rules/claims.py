"""Lines of arithmetic that anybody can compute again: `100000.00 x 5 % = 5000.00`.

A line that does not come out even says so, and rounds half to even.
"""

from collections.abc import Iterator
from decimal import Decimal

from domain.rules.allowance import HUNDRED, Allowance, AmountBasis
from domain.values.money import Money, minor_unit


def allowed(allowance: Allowance, deposit: Money, anchor: Money) -> Iterator[str]:
    """How the terms come to money; nothing where they name it plainly."""
    money, value = allowance.in_money(deposit, anchor), allowance.value
    match allowance.basis:
        case AmountBasis.ABSOLUTE:
            yield from in_cents(value, money)
        case AmountBasis.SHARE_OF_DEPOSIT:
            yield share(deposit, value, money)
        case AmountBasis.SHARE_OF_ANCHOR:
            yield share(anchor, value, money)


def share(whole: Money, per_cent: Decimal, part: Money) -> str:
    exact = whole.amount * (per_cent / HUNDRED)
    return equals(f"{whole.amount} x {per_cent:f} %", exact, part)


def in_cents(written: Decimal, money: Money) -> Iterator[str]:
    """Worth a line only where the terms are finer than the currency."""
    if written != money.amount:
        yield equals(f"{written:f}", written, money)


def equals(told: str, exact: Decimal, result: Money, unit: str = "") -> str:
    line = f"{told} = {result.amount}{unit}"
    if exact == result.amount:
        return line
    return f"{line}, rounded half to even to {minor_unit(result.currency)}"


def signed(amount: Decimal) -> str:
    return f" - {-amount}" if amount < 0 else f" + {amount}"
