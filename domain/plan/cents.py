"""An amount that is no whole number of minor units would be rounded by somebody."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from domain.plan.findings import Notes
from domain.plan.words import money_in_words
from domain.values.money import Money, minor_unit

HUNDRED = Decimal(100)


def refuse_half_cents(
    exact: Decimal, currency: str, field: str, told: str, notes: Notes
) -> bool:
    """`told` says of what: `5 % of 10,001.00 USD`. True when something was found."""
    unit = minor_unit(currency)
    if exact % unit == 0:
        return False
    down, up = (
        money_in_words(Money(exact.quantize(unit, rounding), currency))
        for rounding in (ROUND_FLOOR, ROUND_CEILING)
    )
    notes.open(field, f"{told} is no whole number of {unit} {currency}", down, up)
    return True


def refuse_half_shares(
    percent: Decimal, of: Iterable[Money], field: str, notes: Notes
) -> None:
    """The first size is told; the others have the same cause."""
    for whole in of:
        exact = whole.amount * percent / HUNDRED
        if exact % minor_unit(whole.currency):
            told = f"{percent.normalize():f} % of {money_in_words(whole)}"
            refuse_half_cents(exact, whole.currency, field, told, notes)
            return
