"""Best bid and ask of one crypto exchange, asked for again and again through ccxt."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, Final

from application.clock import Clock
from domain.values.instrument import Instrument
from domain.venue.gate import RawQuote
from infrastructure.feeds.remote import (
    Batch,
    FeedMissing,
    Reconnecting,
    sourced,
    to_points,
)

EVERY_SECONDS: Final = 1.0
TIMEOUT_MILLISECONDS: Final = 5_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Sleep = Callable[[float], Awaitable[None]]


class CcxtTickers:
    """One session with an exchange; it is closed however it ends."""

    def __init__(
        self,
        open_exchange: Callable[[], Any],
        instruments: Mapping[str, Instrument],  # by the exchange's own symbol
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._open = open_exchange
        self._instruments = instruments
        self._clock = clock
        self._sleep = sleep

    async def __call__(self) -> AsyncIterator[Batch]:
        exchange = self._open()
        try:
            markets = await exchange.load_markets()
            known = [symbol for symbol in self._instruments if symbol in markets]
            if not known:
                raise FeedMissing(f"{exchange.id} lists none of the symbols")
            while True:
                tickers = await exchange.fetch_tickers(known)
                now = self._clock.now()
                batch = tuple(
                    self._quote(exchange.id, self._instruments[symbol], ticker, now)
                    for symbol, ticker in tickers.items()
                    if symbol in self._instruments
                )
                if batch:
                    yield batch
                await self._sleep(EVERY_SECONDS)
        finally:
            await exchange.close()

    @staticmethod
    def _quote(
        exchange_id: str,
        instrument: Instrument,
        ticker: Mapping[str, Any],
        now: datetime,
    ) -> RawQuote:
        stamp = ticker.get("timestamp")
        at = now if stamp is None else EPOCH + timedelta(milliseconds=stamp)
        prices = (ticker.get("bid"), ticker.get("ask"))
        bid, ask, is_finer = to_points(prices, instrument)
        source = sourced(f"ccxt {exchange_id}", is_finer=is_finer)
        return RawQuote(instrument.symbol, bid, ask, at, at, source)


def ccxt_feed(
    exchange_id: str,
    instruments: tuple[Instrument, ...],
    clock: Clock,
    *,
    url: str | None = None,
    sleep: Sleep = asyncio.sleep,
) -> Reconnecting:
    """Raise `FeedMissing` without ccxt, or where it knows no such exchange."""
    try:
        library = import_module("ccxt.async_support")
    except ImportError as missing:
        raise FeedMissing("FEED=ccxt needs ccxt: install the extra `ccxt`") from missing
    if exchange_id not in library.exchanges:
        raise FeedMissing(f"ccxt knows no exchange named {exchange_id}")

    def opened() -> Any:  # noqa: ANN401 - the library's own
        is_real = url is None  # a server of one's own needs no sparing
        options = {"enableRateLimit": is_real, "timeout": TIMEOUT_MILLISECONDS}
        exchange = getattr(library, exchange_id)(options)
        exchange.number = str  # as the exchange said them
        if url is not None:
            exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], url)
        return exchange

    pairs = {f"{each.base}/{each.currency}": each for each in instruments}
    tickers = CcxtTickers(opened, pairs, clock, sleep)
    return Reconnecting(f"ccxt {exchange_id}", tickers, sleep)
