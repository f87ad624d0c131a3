"""Quotes of crypto pairs as Alpaca streams them, by its own client."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

from domain.values.instrument import Instrument
from domain.venue.gate import RawQuote
from infrastructure.feeds.remote import (
    Batch,
    FeedMissing,
    Reconnecting,
    sourced,
    to_points,
)

MUTE_SECONDS: Final = 30.0  # then its client connects anew
NAME: Final = "alpaca crypto"


class AlpacaQuotes:
    """One client; of each symbol only the newest quote waits for a reader."""

    def __init__(
        self, open_stream: Callable[[], Any], instruments: Mapping[str, Instrument]
    ) -> None:
        self._open = open_stream
        self._instruments = instruments

    async def __call__(self) -> AsyncIterator[Batch]:
        newest: dict[str, Mapping[str, Any]] = {}
        heard = asyncio.Event()

        async def hear(told: Mapping[str, Any]) -> None:
            newest[told["S"]] = told
            heard.set()

        stream = self._open()
        stream.subscribe_quotes(hear, *self._instruments)
        running = asyncio.create_task(stream._run_forever())  # noqa: SLF001 - `run` starts a loop of its own
        running.add_done_callback(lambda _: heard.set())
        try:
            while True:
                await heard.wait()
                heard.clear()
                if running.done():
                    running.result()
                    return
                batch = tuple(map(self._quote, newest.values()))
                newest.clear()
                if batch:
                    yield batch
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await running
            await stream.close()

    def _quote(self, told: Mapping[str, Any]) -> RawQuote:
        instrument = self._instruments[told["S"]]
        at = told["t"].to_datetime()
        bid, ask, is_finer = to_points((told["bp"], told["ap"]), instrument)
        source = sourced(NAME, is_finer=is_finer)
        return RawQuote(instrument.symbol, bid, ask, at, at, source)


def alpaca_feed(
    key: str, secret: str, instruments: tuple[Instrument, ...], url: str | None = None
) -> Reconnecting:
    """Raise `FeedMissing` without alpaca-py, or without keys."""
    if not (key and secret):
        raise FeedMissing("FEED=alpaca needs TS_ALPACA_KEY and TS_ALPACA_SECRET")
    try:
        library = import_module("alpaca.data.live")
    except ImportError as missing:
        message = "FEED=alpaca needs alpaca-py: install the extra `alpaca`"
        raise FeedMissing(message) from missing
    # What its client says of a lost connection may quote the address with its query.
    logging.getLogger("alpaca").setLevel(logging.CRITICAL)

    def opened() -> Any:  # noqa: ANN401 - the library's own
        return library.CryptoDataStream(
            key,
            secret,
            raw_data=True,
            url_override=url,
            data_timeout=MUTE_SECONDS,
        )

    pairs = {f"{each.base}/{each.currency}": each for each in instruments}
    return Reconnecting(NAME, AlpacaQuotes(opened, pairs))
