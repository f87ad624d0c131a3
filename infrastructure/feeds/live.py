"""The markets of the live venue."""

from datetime import datetime
from typing import Final

import structlog

from application.clock import Clock
from application.market_feed import MarketFeed
from domain.values.session import Sessions, is_open
from domain.venue.gate import RawQuote
from domain.venue.standard_instruments import LIVE_INSTRUMENTS
from infrastructure.feeds.cross import CrossRate
from infrastructure.feeds.hourly_bars import HourlyBarsMissing
from infrastructure.feeds.paced import PacedFeed
from infrastructure.feeds.replay import ReplayedEurusd
from infrastructure.feeds.simulation import Market, SimulatedMarket
from infrastructure.feeds.source import PriceSource

MARKETS: Final = {
    "GBPUSD": Market(level=1.27, daily_deviation=0.006, spread=9),
    "AUDUSD": Market(level=0.66, daily_deviation=0.007, spread=8),
    "USDJPY": Market(level=150, daily_deviation=0.007, spread=9),
    "USDCHF": Market(level=0.88, daily_deviation=0.006, spread=10),
    "XAUUSD": Market(level=2_350, daily_deviation=0.012, spread=20),
    "US500": Market(level=5_300, daily_deviation=0.012, spread=40),
    "BTCUSD": Market(level=65_000, daily_deviation=0.045, spread=500),
    "ETHUSD": Market(level=3_200, daily_deviation=0.055, spread=35),
}
EURUSD_IF_NOT_REPLAYED: Final = Market(level=1.12, daily_deviation=0.006, spread=6)
EURJPY_SPREAD: Final = 14
LISTED: Final = {each.symbol: each for each in LIVE_INSTRUMENTS}


class InItsHours:
    """A source of another year, silent while this year's market has a holiday."""

    def __init__(self, source: PriceSource, sessions: Sessions) -> None:
        self.symbol = source.symbol
        self._source = source
        self._sessions = sessions

    def quote(self, at: datetime) -> RawQuote | None:
        return self._source.quote(at) if is_open(self._sessions, at) else None


def live_feed(seed: int, clock: Clock) -> MarketFeed:
    return PacedFeed(live_sources(seed), clock)


def live_sources(seed: int) -> tuple[PriceSource, ...]:
    eurusd = replayed_or_simulated(seed)
    simulated = {
        symbol: SimulatedMarket(seed, LISTED[symbol], market)
        for symbol, market in MARKETS.items()
    }
    legs = (eurusd, simulated["USDJPY"])
    eurjpy = CrossRate(seed, LISTED["EURJPY"], legs, EURJPY_SPREAD)
    return (eurusd, *simulated.values(), eurjpy)


def replayed_or_simulated(seed: int) -> PriceSource:
    """Go without the real hours rather than without EURUSD; each quote says which."""
    try:
        return InItsHours(ReplayedEurusd(seed), LISTED["EURUSD"].sessions)
    except HourlyBarsMissing as missing:
        structlog.get_logger().warning("eurusd-is-simulated", because=str(missing))
        return SimulatedMarket(seed, LISTED["EURUSD"], EURUSD_IF_NOT_REPLAYED)
