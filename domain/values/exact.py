"""Numbers from outside: plain digits of a bounded length, or a refusal."""

import re
from decimal import Context, Decimal

WHOLE_DIGITS = 15
DECIMALS = 10
WIDE = Context(prec=4 * (WHOLE_DIGITS + DECIMALS))
PLAIN = re.compile(rf"-?[0-9]{{1,{WHOLE_DIGITS}}}(\.[0-9]{{1,{DECIMALS}}})?")


def exact(text: str) -> Decimal:
    """Read ASCII digits: no exponent, space, underscore, NaN or other numerals."""
    if PLAIN.fullmatch(text) is None:
        raise ValueError("not a plain decimal number")
    return Decimal(text)


def plain(number: Decimal) -> None:
    """Refuse what a decoder lets in: NaN, infinity, 1e999, endless decimals."""
    exponent = number.as_tuple().exponent
    if exponent not in range(-DECIMALS, 1) or number.adjusted() >= WHOLE_DIGITS:
        raise ValueError("not a number of bounded length")


def positive(number: Decimal) -> None:
    plain(number)
    if number <= 0:
        raise ValueError("not a positive number")


def product(first: Decimal, second: Decimal) -> Decimal:
    """Multiply without rounding, however long the numbers from outside are."""
    return WIDE.multiply(first, second)


def quotient_up(dividend: Decimal, divisor: Decimal, unit: Decimal) -> Decimal:
    """Divide what is positive, up to the next whole `unit`."""
    units = WIDE.divide_int(dividend, product(divisor, unit))
    if product(product(units, unit), divisor) < dividend:
        units += 1
    return product(units, unit)
