"""What is said when a promise was not kept, and plain words for plain numbers."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

CENT: Final = Decimal("0.01")
Facts = dict[str, Any]


class Broken(AssertionError):
    """A promise was not kept."""


def must(promise: object, *what: object) -> None:
    if not promise:
        raise Broken(" ".join(map(str, what)))


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN) + 0


def money(told: Facts) -> Decimal:
    return Decimal(told["amount"])


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
