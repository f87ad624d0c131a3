"""Quotes from a file, told again at their own pace: what was then is now.

A file has a row a quote, in the order of time, with `at`, `symbol`, `bid`, `ask`: CSV
with a head line, or Parquet (which needs the extra `data`), as the archive of ticks is.
The first row stands for the moment at which the replay begins.
"""

import asyncio
import csv
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Final

from msgspec import Struct

from application.clock import Clock
from domain.venue.gate import RawQuote

MOST_AT_ONCE: Final = 1_000
LATE: Final = timedelta(seconds=5)  # a reader that comes later finds them gone
ROWS: Final = 10_000  # of Parquet, in memory at a time


class NotRecorded(Exception):
    """The file is not there, is no record of quotes, or needs what is not installed."""


class Row(Struct, frozen=True):
    at: datetime
    symbol: str
    bid: str
    ask: str


Rows = Callable[[], Iterator[Row]]


class RecordedFeed:
    """A `MarketFeed`; it ends with its file."""

    def __init__(
        self,
        rows: Rows,
        source: str,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rows = rows
        self._source = source
        self._clock = clock
        self._sleep = sleep

    async def quotes(self) -> AsyncIterator[tuple[RawQuote, ...]]:
        shift: timedelta | None = None
        waiting: list[RawQuote] = []
        for row in self._rows():
            if shift is None:
                shift = self._clock.now() - row.at
            at = row.at + shift
            now = self._clock.now()
            if waiting and (at > now or len(waiting) >= MOST_AT_ONCE):
                yield tuple(waiting)
                waiting, now = [], self._clock.now()
            if at > now:
                await self._sleep((at - now).total_seconds())
            elif at < now - LATE:
                continue
            waiting.append(self._quote(row, at))
        if waiting:
            yield tuple(waiting)

    def _quote(self, row: Row, at: datetime) -> RawQuote:
        return RawQuote(row.symbol, row.bid, row.ask, at, row.at, self._source)


def recorded(path: Path, clock: Clock) -> RecordedFeed:
    """Raise `NotRecorded` at once where nothing can be read."""
    rows = rows_of_parquet if path.suffix == ".parquet" else rows_of_csv
    try:
        next(rows(path))
    except StopIteration:
        raise NotRecorded(f"{path} holds no quote") from None
    except (OSError, ValueError, KeyError) as fault:
        raise NotRecorded(f"{path}: {type(fault).__name__}: {fault}") from fault
    return RecordedFeed(lambda: rows(path), f"recorded in {path.name}", clock)


def rows_of_csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            at = datetime.fromisoformat(line["at"])
            yield Row(in_utc(at), line["symbol"], line["bid"], line["ask"])


def rows_of_parquet(path: Path) -> Iterator[Row]:
    """Take the accepted ones of an archive, and every row of any other file."""
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError as missing:
        message = "Parquet needs pyarrow: install the extra `data`"
        raise NotRecorded(message) from missing
    with parquet.ParquetFile(path) as file:
        columns = ["at", "symbol", "bid", "ask"]
        has_refused = "accepted" in file.schema_arrow.names
        if has_refused:
            columns.append("accepted")
        for batch in file.iter_batches(batch_size=ROWS, columns=columns):
            for line in batch.to_pylist():
                if line.get("accepted", True):
                    bid, ask = str(line["bid"]), str(line["ask"])
                    yield Row(in_utc(line["at"]), line["symbol"], bid, ask)


def in_utc(at: datetime) -> datetime:
    """Take what names no zone for UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
