"""A cross rate that agrees with the two rates it is made of."""

from datetime import datetime
from decimal import Decimal

from domain.values.instrument import Instrument
from domain.venue.gate import RawQuote
from infrastructure.feeds.chance import Chance
from infrastructure.feeds.source import PriceSource, price
from infrastructure.feeds.spread import Spread


class CrossRate:
    """EURJPY from EURUSD and USDJPY, at the middle of both, with its own spread."""

    def __init__(
        self,
        seed: int,
        instrument: Instrument,
        legs: tuple[PriceSource, PriceSource],
        usual_spread: int,
    ) -> None:
        self.symbol = instrument.symbol
        self._digits = instrument.digits
        self._legs = legs
        self._spread = Spread(Chance(seed, "spread", self.symbol), usual_spread)

    def quote(self, at: datetime) -> RawQuote | None:
        first, second = (leg.quote(at) for leg in self._legs)
        if first is None or second is None:
            return None
        rate = middle(first) * middle(second)
        spread = self._spread.points(at)
        bid = round(rate.scaleb(self._digits)) - spread // 2
        return RawQuote(
            symbol=self.symbol,
            bid=price(bid, self._digits),
            ask=price(bid + spread, self._digits),
            at=at,
            source_at=second.source_at,
            source=f"{first.symbol} x {second.symbol}",
        )


def middle(quote: RawQuote) -> Decimal:
    return (Decimal(quote.bid) + Decimal(quote.ask)) / 2
