"""What the market did lately, seen once a beat and shared by all on the floor."""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from msgspec import Struct

from api.demo.answers import Symbol

LENGTH: Final = 120  # beats
SMALLEST: Final = 1e-12  # spread that can be divided by


class Quoted(Struct, frozen=True):
    """A symbol that can be traded now."""

    listed: Symbol
    bid: Decimal
    ask: Decimal

    @property
    def middle(self) -> Decimal:
        return (self.bid + self.ask) / 2

    @property
    def spread(self) -> Decimal:
        """Measured as a share of the price."""
        return (self.ask - self.bid) / self.middle


class Tape:
    def __init__(self) -> None:
        self.open: Mapping[str, Quoted] = {}
        self.at: datetime | None = None
        self._middles: dict[str, deque[float]] = {}

    def take(self, symbols: Iterable[Symbol]) -> None:
        self.open = {
            each.symbol: Quoted(each, each.bid, each.ask)
            for each in symbols
            if each.session == "open" and each.bid is not None and each.ask is not None
        }
        times = (each.listed.at for each in self.open.values())
        self.at = max(filter(None, times), default=self.at)
        self._middles = {
            symbol: self._middles.get(symbol, deque(maxlen=LENGTH))
            for symbol in self.open  # a market that closes is begun afresh
        }
        for symbol, quoted in self.open.items():
            self._middles[symbol].append(float(quoted.middle))

    def seen(self, symbol: str, beats: int) -> tuple[float, ...]:
        """Give the last so many prices; none at all before there are enough."""
        middles = self._middles.get(symbol, ())
        return tuple(middles)[-beats:] if len(middles) >= beats else ()

    def move(self, symbol: str, beats: int) -> float:
        """How far the price went in so many beats, counted in spreads."""
        seen = self.seen(symbol, beats + 1)
        return self._in_spreads(symbol, seen[-1] - seen[0]) if seen else 0.0

    def swing(self, symbol: str, beats: int) -> float:
        """From the lowest price to the highest, counted in spreads."""
        seen = self.seen(symbol, beats)
        return self._in_spreads(symbol, max(seen) - min(seen)) if seen else 0.0

    def _in_spreads(self, symbol: str, distance: float) -> float:
        quoted = self.open[symbol]
        return distance / max(float(quoted.ask - quoted.bid), SMALLEST)
