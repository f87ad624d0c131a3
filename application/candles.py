"""Ticks put together: what the market did in a minute, an hour, a day.

Prices are bids, as charts show them; the extremes of the ask stand beside them, since a
short is stopped by those. A candle belongs to the time at which the venue heard its
ticks, and begins at a whole multiple of its interval since midnight UTC.
"""

import struct
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct

from application.engine.journal import TickBlock
from application.engine.tick_block import INDEX, INTEGER, instant, read

SECOND: Final = 1_000_000  # microseconds


class Interval(StrEnum):
    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    QUARTER = "15m"
    HOUR = "1h"
    FOUR_HOURS = "4h"
    DAY = "1d"


SECONDS: Final = {
    Interval.MINUTE: 60,
    Interval.FIVE_MINUTES: 300,
    Interval.QUARTER: 900,
    Interval.HOUR: 3_600,
    Interval.FOUR_HOURS: 14_400,
    Interval.DAY: 86_400,
}


def length(interval: Interval) -> timedelta:
    return timedelta(seconds=SECONDS[interval])


class Candle(Struct, frozen=True, kw_only=True):
    venue_id: str
    symbol: str
    interval: Interval
    opens_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    ask_high: Decimal
    ask_low: Decimal
    ticks: int
    first_sequence: int
    last_sequence: int


class Growing:
    """A candle while ticks come, in points."""

    __slots__ = (
        "ask_high",
        "ask_low",
        "close",
        "first",
        "high",
        "last",
        "low",
        "open",
        "ticks",
    )

    def __init__(self, bid: int, ask: int, sequence: int) -> None:
        self.open = self.high = self.low = self.close = bid
        self.ask_high = self.ask_low = ask
        self.first = self.last = sequence
        self.ticks = 1

    def take(self, bid: int, ask: int, sequence: int) -> None:
        self.high, self.low = max(self.high, bid), min(self.low, bid)
        self.ask_high, self.ask_low = max(self.ask_high, ask), min(self.ask_low, ask)
        self.close, self.last = bid, sequence
        self.ticks += 1

    def join(self, later: "Growing") -> None:
        self.high, self.low = max(self.high, later.high), min(self.low, later.low)
        self.ask_high = max(self.ask_high, later.ask_high)
        self.ask_low = min(self.ask_low, later.ask_low)
        self.close, self.last = later.close, later.last
        self.ticks += later.ticks

    def copy(self) -> "Growing":
        new = Growing.__new__(Growing)
        for name in self.__slots__:
            setattr(new, name, getattr(self, name))
        return new


Key = tuple[str, int, int]  # symbol, digits, when it opens


def candles_of(venue_id: str, blocks: Iterable[TickBlock]) -> tuple[Candle, ...]:
    """What blocks in their order make of every interval; a candle may only begin here.

    Those of a minute are counted tick by tick, the longer ones from them.
    """
    minutes: dict[Key, Growing] = {}
    for block in blocks:
        count(block, minutes)
    return tuple(
        candle
        for interval in Interval
        for candle in put_together(venue_id, interval, minutes)
    )


def count(block: TickBlock, minutes: dict[Key, Growing]) -> None:
    body = read(block)
    n = body.count
    names = tuple(zip(body.symbols, body.digits, strict=True))
    minute = SECONDS[Interval.MINUTE] * SECOND
    rows = zip(
        struct.unpack(f"<{n}{INDEX}", body.symbol),
        struct.unpack(f"<{n}{INTEGER}", body.bid),
        struct.unpack(f"<{n}{INTEGER}", body.ask),
        struct.unpack(f"<{n}{INTEGER}", body.engine_time),
        range(body.first_sequence, body.first_sequence + n),
        strict=True,
    )
    for index, bid, ask, at, sequence in rows:
        key = (*names[index], at - at % minute)
        known = minutes.get(key)
        if known is None:
            minutes[key] = Growing(bid, ask, sequence)
        else:
            known.take(bid, ask, sequence)


def put_together(
    venue_id: str, interval: Interval, minutes: dict[Key, Growing]
) -> Iterator[Candle]:
    """Join minutes in the order of their ticks."""
    span = SECONDS[interval] * SECOND
    joined: dict[Key, Growing] = {}
    for (symbol, digits, at), minute in minutes.items():
        key = (symbol, digits, at - at % span)
        if (known := joined.get(key)) is None:
            joined[key] = minute.copy()
        else:
            known.join(minute)
    for (symbol, digits, at), grown in joined.items():
        point = Decimal(1).scaleb(-digits)
        yield Candle(
            venue_id=venue_id,
            symbol=symbol,
            interval=interval,
            opens_at=instant(at),
            open=grown.open * point,
            high=grown.high * point,
            low=grown.low * point,
            close=grown.close * point,
            ask_high=grown.ask_high * point,
            ask_low=grown.ask_low * point,
            ticks=grown.ticks,
            first_sequence=grown.first,
            last_sequence=grown.last,
        )
