"""Which market the live venue hears: what `FEED` says.

`live` (the replay of 2017 and the simulation), `none`, `file:PATH` (CSV or Parquet),
`ccxt:EXCHANGE`, `alpaca:crypto`.
"""

from pathlib import Path
from typing import Final

from application.clock import Clock
from application.market_feed import MarketFeed
from domain.venue.standard_instruments import LIVE_INSTRUMENTS
from infrastructure.feeds.alpaca_stream import alpaca_feed
from infrastructure.feeds.ccxt_tickers import ccxt_feed
from infrastructure.feeds.live import live_feed
from infrastructure.feeds.recorded import NotRecorded, recorded
from infrastructure.feeds.remote import FeedMissing
from infrastructure.settings import BadSettings, Settings

COINS: Final = tuple(each for each in LIVE_INSTRUMENTS if each.sessions == "always")


def feed_of(settings: Settings, clock: Clock) -> MarketFeed | None:
    """Raise `BadSettings` where that cannot be had."""
    kind, _, which = settings.feed.partition(":")
    try:
        match kind, which:
            case "live", "":
                return live_feed(settings.seed, clock)
            case "none", "":
                return None
            case "file", path if path:
                return recorded(Path(path), clock)
            case "ccxt", exchange_id if exchange_id:
                return ccxt_feed(exchange_id, COINS, clock, url=settings.feed_url)
            case "alpaca", "crypto":
                key, secret = settings.alpaca_key, settings.alpaca_secret
                return alpaca_feed(
                    str(key or ""), str(secret or ""), COINS, settings.feed_url
                )
    except (NotRecorded, FeedMissing) as missing:
        raise BadSettings(str(missing)) from missing
    raise BadSettings(
        "FEED is live, none, file:PATH, ccxt:EXCHANGE or alpaca:crypto,"
        f" not {settings.feed}."
    )
