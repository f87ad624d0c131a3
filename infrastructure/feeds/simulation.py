"""Markets that never were, moving as wildly as the real ones do."""

from datetime import UTC, datetime, timedelta
from math import exp, sqrt
from typing import Final

from msgspec import Struct

from domain.values.instrument import Instrument
from domain.values.session import is_open
from domain.venue.gate import RawQuote
from infrastructure.feeds.bridge import Pillar, Walk, bridge
from infrastructure.feeds.chance import Chance
from infrastructure.feeds.source import EPOCH, STEP, price
from infrastructure.feeds.spread import Spread

STEPS_A_DAY: Final = timedelta(days=1) // STEP
SPAN: Final = 2**22  # steps from one pillar to the next: 24 days


class Market(Struct, frozen=True):
    level: float  # around which the price swings, never far for long
    daily_deviation: float  # share of the price
    spread: int  # points


class SimulatedMarket:
    """A walk between pillars 24 days apart, each drawn around the market's level."""

    def __init__(self, seed: int, instrument: Instrument, market: Market) -> None:
        self.symbol = instrument.symbol
        self._instrument = instrument
        self._market = market
        self._deviation = market.daily_deviation / sqrt(STEPS_A_DAY)
        self._walk = Chance(seed, "walk", self.symbol)
        self._pillars = Chance(seed, "pillars", self.symbol)
        self._spread = Spread(Chance(seed, "spread", self.symbol), market.spread)

    def quote(self, at: datetime) -> RawQuote | None:
        if not is_open(self._instrument.sessions, at):
            return None
        digits = self._instrument.digits
        middle = self._market.level * exp(self._drift((at - EPOCH) // STEP))
        spread = self._spread.points(at)
        bid = round(middle * 10**digits) - spread // 2
        return RawQuote(
            symbol=self.symbol,
            bid=price(bid, digits),
            ask=price(bid + spread, digits),
            at=at,
            source_at=at.astimezone(UTC),
            source="simulation",
        )

    def _drift(self, step: int) -> float:
        before = step // SPAN
        walk = Walk(self._deviation, self._walk.deviation)
        return bridge(self._pillar(before), self._pillar(before + 1), step, walk)

    def _pillar(self, number: int) -> Pillar:
        """Two pillars differ by as much as a free walk between them would have."""
        deviation = self._deviation * sqrt(SPAN / 2)
        return Pillar(number * SPAN, deviation * self._pillars.deviation(number))
