"""How much somebody dares, and when enough is enough."""

from decimal import Decimal
from typing import Final

from msgspec import Struct

MOST_FOR_THE_SPREAD: Final = Decimal("0.003")  # of the deposit; more is lost at once


class Temper(Struct, frozen=True):
    """Gains and losses of one trade are shares of the deposit; times are beats."""

    size: Decimal  # share of what the free margin carries
    take: Decimal | None  # profit that is enough; none: only the target of the phase
    stop: Decimal | None  # loss that is too much; none: it will come back
    patience: int  # with a trade that goes nowhere
    pause: tuple[int, int]  # between two trades


def temper(
    size: str, take: str | None, stop: str | None, patience: int, *pause: int
) -> Temper:
    shortest, longest = pause
    return Temper(
        size=Decimal(size),
        take=Decimal(take) / 100 if take else None,
        stop=Decimal(stop) / 100 if stop else None,
        patience=patience,
        pause=(shortest, longest),
    )


CAREFUL: Final = temper("0.30", "0.20", "0.15", 90, 10, 30)
PATIENT: Final = temper("0.60", "0.60", "0.30", 300, 10, 30)
HASTY: Final = temper("0.70", "0.25", "0.25", 30, 2, 8)
STUBBORN: Final = temper("0.80", "0.40", None, 600, 5, 15)
BOLD: Final = temper("0.90", None, "0.60", 600, 2, 10)
FUNDED: Final = temper("0.15", "0.30", "0.20", 600, 30, 120)
"""Nobody is bold any more with what took two phases to get."""
RECKLESS: Final = temper("0.90", None, None, 3_600, 1, 6)
