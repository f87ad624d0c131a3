"""What the market bids and asks, and which of the two a trade gets."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from domain.values.exact import positive


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class Quote(Struct, frozen=True):
    """An accepted quote; `sequence` is its number in the one sequence of the venue."""

    symbol: str
    bid: Decimal
    ask: Decimal
    sequence: int
    at: datetime  # the exchange's own stamp: evidence, and how stale the quote is

    def __post_init__(self) -> None:
        positive(self.bid)
        positive(self.ask)
        if self.ask < self.bid:
            raise ValueError("bid above ask")

    def opening(self, side: Side) -> Decimal:
        return self.ask if side is Side.BUY else self.bid

    def closing(self, side: Side) -> Decimal:
        """Value what is open at what closing it would bring: long bid, short ask."""
        return self.bid if side is Side.BUY else self.ask
