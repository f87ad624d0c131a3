"""A source knows one symbol's quote at any moment, past or future."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol

from domain.venue.gate import RawQuote

STEP: Final = timedelta(milliseconds=500)  # a price stands this long
EPOCH: Final = datetime(2017, 1, 1, tzinfo=UTC)


class PriceSource(Protocol):
    symbol: str

    def quote(self, at: datetime) -> RawQuote | None:
        """Answer from (seed, symbol, `at`) alone; None while the market is closed."""
        ...


def price(points: int, digits: int) -> str:
    return format(Decimal(points).scaleb(-digits), "f")
