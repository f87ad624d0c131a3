"""Every source behind the one port: files, an exchange's tickers, a broker's stream.

The libraries' own clients talk to servers here that speak as the real ones do.
"""

import asyncio
import csv
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]  # it brings no types
import pytest
import structlog
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve

from application.market_feed import MarketFeed
from domain.venue.gate import RawQuote
from domain.venue.standard_instruments import BTCUSD, EURUSD, LIVE_INSTRUMENTS
from infrastructure.feeds.alpaca_stream import alpaca_feed
from infrastructure.feeds.ccxt_tickers import ccxt_feed
from infrastructure.feeds.chosen import feed_of
from infrastructure.feeds.recorded import NotRecorded, recorded
from infrastructure.feeds.remote import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    FeedMissing,
    Reconnecting,
    to_points,
)
from infrastructure.settings import BadSettings, Settings

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
COINS = tuple(each for each in LIVE_INSTRUMENTS if each.sessions == "always")
KEY, SECRET = "key-of-a-test", "secret-of-a-test"
PATIENCE_SECONDS: Final = 30.0


class Clock:
    """Goes on by what is slept, and by nothing else."""

    def __init__(self) -> None:
        self.at = MONDAY
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


async def first(feed: MarketFeed, many: int = 1) -> list[RawQuote]:
    found: list[RawQuote] = []
    async with asyncio.timeout(PATIENCE_SECONDS), aclosing(feed.quotes()) as batches:  # type: ignore[type-var]
        async for batch in batches:
            found += batch
            if len(found) >= many:
                break
    return found


# -- files ------------------------------------------------------------------------

ROWS = (
    ("2025-03-07T14:30:00Z", "EURUSD", "1.08000", "1.08010"),
    ("2025-03-07T14:30:00.500000Z", "XAUUSD", "2910.10", "2910.40"),
    ("2025-03-07T14:30:02Z", "EURUSD", "1.08020", "1.08030"),
)


@pytest.fixture(params=["csv", "parquet"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"quotes.{request.param}"
    names = ("at", "symbol", "bid", "ask")
    if request.param == "csv":
        with path.open("w", newline="") as lines:
            csv.writer(lines).writerows([names, *ROWS])
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        arrow = pytest.importorskip("pyarrow")
        columns = dict(zip(names, map(list, zip(*ROWS, strict=True)), strict=True))
        columns["at"] = [datetime.fromisoformat(at) for at in columns["at"]]  # type: ignore[misc]
        parquet.write_table(arrow.table(columns), path)
    return path


async def test_what_was_recorded_is_told_again_at_its_own_pace(file: Path) -> None:
    clock = Clock()
    feed = recorded(file, clock)
    feed._sleep = clock.sleep  # noqa: SLF001 - so that nothing sleeps
    told = [quote async for batch in feed.quotes() for quote in batch]
    assert [(each.symbol, each.bid, each.ask) for each in told] == [
        row[1:] for row in ROWS
    ]
    assert [each.at - MONDAY for each in told] == [
        timedelta(0),
        timedelta(milliseconds=500),
        timedelta(seconds=2),
    ]
    assert told[0].source_at == datetime(2025, 3, 7, 14, 30, tzinfo=UTC)
    assert told[0].source == f"recorded in {file.name}"


async def test_a_reader_that_comes_late_finds_what_is_left(file: Path) -> None:
    clock = Clock()
    feed = recorded(file, clock)
    feed._sleep = clock.sleep  # noqa: SLF001 - as above
    told: list[RawQuote] = []
    async for batch in feed.quotes():
        told += batch
        clock.at += timedelta(seconds=10)
    assert [each.bid for each in told] == ["1.08000"]


def test_a_file_that_holds_no_quotes_is_refused_at_once(tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("at,symbol,bid,ask\n")
    other = tmp_path / "other.csv"
    other.write_text("name\nsomebody\n")
    for path in (empty, other, tmp_path / "missing.csv", tmp_path / "missing.parquet"):
        with pytest.raises(NotRecorded, match=path.name):
            recorded(path, Clock())


# -- what quotes from elsewhere have in common --------------------------------------


async def test_a_lost_connection_is_tried_again_ever_more_seldom() -> None:
    clock, tries = Clock(), 0

    async def breaking() -> AsyncIterator[tuple[RawQuote, ...]]:
        nonlocal tries
        tries += 1
        if tries in (9, 11):
            yield (RawQuote("BTCUSD", "1", "2", MONDAY, MONDAY, "test"),)
        raise ConnectionError(f"wss://broker/?secret={SECRET}")

    with structlog.testing.capture_logs() as logs:
        await first(Reconnecting("test", breaking, clock.sleep), 2)
    assert clock.slept[:8] == [
        min(FIRST_PAUSE_SECONDS * 2**n, LONGEST_PAUSE_SECONDS) for n in range(8)
    ]
    assert clock.slept[8] == FIRST_PAUSE_SECONDS  # it had worked in between
    assert {line["cause"] for line in logs} == {"ConnectionError"}
    assert SECRET not in str(logs)


def test_finer_prices_are_rounded_away_from_the_middle() -> None:
    assert to_points((65000.123, 65000.126), BTCUSD) == ("65000.12", "65000.13", True)
    assert to_points((1.1, 1e-05), EURUSD) == ("1.10000", "0.00001", False)
    assert to_points(("1.08", None), EURUSD) == ("1.08", "", False)
    for nonsense in ("NaN", "Infinity", "n/a", float("nan"), float("inf")):
        bid, _, _ = to_points((nonsense, 1.1), EURUSD)
        assert not bid.replace(".", "").isdecimal()


# -- an exchange, through ccxt ------------------------------------------------------

PAIR = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "aclass_base": "currency",
    "base": "XXBT",
    "aclass_quote": "currency",
    "quote": "ZUSD",
    "lot": "unit",
    "pair_decimals": 1,
    "lot_decimals": 8,
    "lot_multiplier": 1,
    "leverage_buy": [],
    "leverage_sell": [],
    "fees": [[0, 0.26]],
    "fees_maker": [[0, 0.16]],
    "fee_volume_currency": "ZUSD",
    "margin_call": 80,
    "margin_stop": 40,
    "ordermin": "0.0001",
    "status": "online",
}
ASSETS = {
    "XXBT": {"aclass": "currency", "altname": "XBT", "decimals": 10},
    "ZUSD": {"aclass": "currency", "altname": "USD", "decimals": 4},
}


class Kraken:
    """As much of its REST interface as its tickers need."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails = 0

    async def answer(self, request: web.Request) -> web.Response:
        name = request.path.rsplit("/", 1)[-1]
        self.asked.append(name)
        if name == "Ticker":
            if self.fails:
                self.fails -= 1
                return web.Response(status=503, text=f"no, {SECRET}")
            found: Any = {
                "XXBTZUSD": {
                    "a": ["65010.10000", "1", "1.000"],
                    "b": ["65000.00000", "1", "1.000"],
                    "c": ["65005.00000", "0.01"],
                    "v": ["1", "2"],
                    "p": ["65000", "65000"],
                    "t": [1, 2],
                    "l": ["64000.0", "64000.0"],
                    "h": ["66000.0", "66000.0"],
                    "o": "64500.0",
                }
            }
        elif name == "AssetPairs":
            found = {"XXBTZUSD": PAIR}
        else:
            found = ASSETS
        return web.json_response({"error": [], "result": found})


@asynccontextmanager
async def exchange() -> AsyncIterator[tuple[Kraken, str]]:
    kraken, app = Kraken(), web.Application()
    app.router.add_route("*", "/{path:.*}", kraken.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        (address, *_) = runner.addresses
        yield kraken, f"http://127.0.0.1:{address[1]}"
    finally:
        await runner.cleanup()


async def test_tickers_of_an_exchange_come_through_ccxt() -> None:
    pytest.importorskip("ccxt")
    clock = Clock()
    async with exchange() as (kraken, url):
        feed = ccxt_feed("kraken", COINS, clock, url=url, sleep=clock.sleep)
        quote, again = await first(feed, 2)
    assert (quote.symbol, quote.bid, quote.ask) == ("BTCUSD", "65000.00", "65010.10")
    assert quote.source == "ccxt kraken"
    assert quote.at == MONDAY
    assert again.at == MONDAY + timedelta(seconds=1)
    assert kraken.asked.count("Ticker") == 2


async def test_an_exchange_that_fails_is_asked_again_and_nothing_leaks() -> None:
    pytest.importorskip("ccxt")
    clock = Clock()
    async with exchange() as (kraken, url):
        kraken.fails = 2
        feed = ccxt_feed("kraken", COINS, clock, url=url, sleep=clock.sleep)
        with structlog.testing.capture_logs() as logs:
            (quote,) = await first(feed)
    assert quote.bid == "65000.00"
    assert [line["event"] for line in logs] == ["feed-lost", "feed-lost"]
    assert SECRET not in str(logs)


# -- a broker's stream ---------------------------------------------------------------


class Alpaca:
    """As much of its stream as a client that wants quotes needs."""

    def __init__(self) -> None:
        self.connections = 0
        self.heard: list[Any] = []

    async def answer(self, line: ServerConnection) -> None:
        self.connections += 1
        await self.say(line, {"T": "success", "msg": "connected"})
        self.heard.append(msgpack.unpackb(await line.recv()))
        await self.say(line, {"T": "success", "msg": "authenticated"})
        self.heard.append(msgpack.unpackb(await line.recv()))
        await self.say(line, {"T": "subscription", "quotes": ["BTC/USD"]})
        stamp = msgpack.Timestamp.from_datetime(MONDAY)
        bid = 65_000.0 + self.connections
        quote = {"S": "BTC/USD", "bp": bid, "bs": 1.5, "ap": 65_010.127, "as": 1.0}
        await self.say(line, {"T": "q", "t": stamp, **quote})
        if self.connections == 1:
            await line.close(1011)  # it breaks, and its client comes back
        else:
            await line.wait_closed()

    @staticmethod
    async def say(line: ServerConnection, told: dict[str, Any]) -> None:
        await line.send(msgpack.packb([told]))


async def test_a_brokers_stream_comes_through_its_client_and_comes_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pytest.importorskip("alpaca")
    caplog.set_level(logging.DEBUG)
    alpaca = Alpaca()
    async with serve(alpaca.answer, "127.0.0.1", 0) as server:
        ((_, port, *_), *_) = (each.getsockname() for each in server.sockets)
        feed = alpaca_feed(KEY, SECRET, COINS, f"ws://127.0.0.1:{port}")
        one, two = await first(feed, 2)
    assert (one.symbol, one.bid, one.ask) == ("BTCUSD", "65001.00", "65010.13")
    assert one.source == "alpaca crypto, rounded away from the middle"
    assert one.at == MONDAY
    assert two.bid == "65002.00"
    assert alpaca.connections == 2
    auth, wanted = alpaca.heard[:2]
    assert auth == {"action": "auth", "key": KEY, "secret": SECRET}
    assert set(wanted["quotes"]) == {"BTC/USD", "ETH/USD"}
    assert SECRET not in caplog.text
    assert KEY not in caplog.text


# -- which one -----------------------------------------------------------------------


def test_a_feed_is_chosen_by_its_name(file: Path) -> None:
    assert feed_of(Settings(feed="none"), Clock()) is None
    assert feed_of(Settings(feed=f"file:{file}"), Clock()) is not None
    assert feed_of(Settings(feed="live"), Clock()) is not None


@pytest.mark.parametrize(
    ("feed", "reason"),
    [
        ("", "FEED is live, none"),
        ("lives", "not lives"),
        ("file:", "not file:"),
        ("file:/nowhere.csv", "nowhere.csv"),
        ("ccxt:nowhere", "no exchange named nowhere"),
        ("alpaca:crypto", "TS_ALPACA_KEY"),
        ("alpaca:stocks", "not alpaca:stocks"),
    ],
)
def test_a_feed_that_cannot_be_had_is_said_in_one_line(feed: str, reason: str) -> None:
    with pytest.raises(BadSettings, match=reason):
        feed_of(Settings(feed=feed), Clock())


def test_a_missing_key_is_not_a_missing_secret() -> None:
    with pytest.raises(FeedMissing):
        alpaca_feed(KEY, "", COINS)
