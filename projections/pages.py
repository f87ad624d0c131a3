"""The log in pages of facts, as tables are told it: in commit order, without a hole.

Positions are contiguous, so what has been read up to a position is all there is up to
it; a hole is an alarm. Envelopes are left where they are: no table tells of them.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Final, LiteralString, cast

from msgspec import Struct
from psycopg.sql import SQL, Identifier

from application.catalogue import decode
from infrastructure.event_store.hints import channel
from infrastructure.event_store.reader import POLL_SECONDS, PositionGap
from infrastructure.event_store.statements import bigint
from infrastructure.event_store.upcasters import upcast
from infrastructure.event_store.wire import Call, Wire, with_options
from projections.hearing import Ear
from projections.parking import LeftOut, left_out
from projections.told import Told, told

PAGE: Final = 1_000
SLICE: Final = 50  # facts read at a time: half a millisecond
READS: Final[dict[bytes, LiteralString]] = {
    b"page": """
        SELECT notification_id, originator_id, originator_version, topic, state
        FROM {partition}.events WHERE notification_id > $1::bigint
        ORDER BY notification_id LIMIT $2::bigint
    """,
    b"end": "SELECT position FROM {partition}.partition_head",
}

Given = tuple[bytes, ...]  # no column here is ever null


class Page(Struct, frozen=True):
    """Consecutive facts of one partition, and those among them that nobody can read."""

    first: int
    last: int
    facts: tuple[Told, ...]
    left_out: tuple[LeftOut, ...] = ()

    def halves(self) -> tuple["Page", "Page"]:
        middle = (self.first + self.last) // 2
        return self._part(self.first, middle), self._part(middle + 1, self.last)

    def _part(self, first: int, last: int) -> "Page":
        part = range(first, last + 1)
        return Page(
            first,
            last,
            tuple(each for each in self.facts if each.position in part),
            tuple(each for each in self.left_out if each.position in part),
        )


class Pages:
    """One partition's log. Raises `Lost`; asked again, it connects again."""

    def __init__(self, dsn: str, partition: str, size: int = PAGE) -> None:
        self._dsn = with_options(
            dsn, f"pages-{partition}", statement_timeout="5s", enable_seqscan="off"
        )
        self._partition = partition
        self._size = size
        self._wire: Wire | None = None
        self._ear: Ear | None = None
        self._hinted = asyncio.Event()

    async def page(self, after: int) -> Page | None:
        """Give the next facts after a position; None at the end of the log."""
        if not (rows := await self._rows(after)):
            # Whatever the head shows now was readable before: look once more.
            end = await self._end()
            if end > after and not (rows := await self._rows(after)):
                message = f"nothing after {after}, but the log ends at {end}"
                raise PositionGap(message)
        return await self._read(rows, after) if rows else None

    async def follow(self, after: int) -> AsyncIterator[Page]:
        """Give page after page, and wait at the end of the log for more. Never ends."""
        while True:
            await self._listen()
            self._hinted.clear()  # what is said from here on is worth another look
            page = await self.page(after)
            if page is not None:
                yield page
                after = page.last
            if page is None or page.last - page.first + 1 < self._size:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._hinted.wait()

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
        if self._ear is not None:
            self._ear.close()

    async def _rows(self, after: int) -> list[Given]:
        return await self._run(Call(b"page", (bigint(after), bigint(self._size))))

    async def _end(self) -> int:
        ((end,),) = await self._run(Call(b"end"))
        return int.from_bytes(end)

    async def _run(self, call: Call) -> list[Given]:
        if self._wire is None or self._wire.is_lost:
            self._wire = await Wire.open(self._dsn, reads(self._partition))
        return cast("list[Given]", await self._wire.run((call,)))

    async def _listen(self) -> None:
        if self._ear is None or self._ear.is_lost:
            self._ear = await Ear.open(
                self._dsn, channel(self._partition), lambda _: self._hinted.set()
            )

    async def _read(self, rows: Sequence[Given], after: int) -> Page:
        """A slice at a time, so that a page being stored goes on meanwhile."""
        facts: list[Told] = []
        unread: list[LeftOut] = []
        for start in range(0, len(rows), SLICE):
            if start:
                await asyncio.sleep(0)
            part = rows[start : start + SLICE]
            for expected, (number, *stored) in enumerate(part, after + start + 1):
                position = int.from_bytes(number)
                if position != expected:
                    message = f"expected position {expected}, found {position}"
                    raise PositionGap(message)
                try:
                    facts.append(_told(self._partition, position, *stored))
                except Exception as fault:  # noqa: BLE001 - nobody is told of it
                    place = (self._partition, position, "all tables")
                    unread.append(left_out(*place, fault))
        return Page(after + 1, after + len(rows), tuple(facts), tuple(unread))


def reads(partition: str) -> dict[bytes, str]:
    schema = Identifier(partition)
    return {
        name: SQL(text).format(partition=schema).as_string()
        for name, text in READS.items()
    }


def _told(
    partition: str,
    position: int,
    stream: bytes,
    version: bytes,
    stored_name: bytes,
    stored: bytes,
) -> Told:
    name, payload = upcast(stored_name.decode(), stored)
    number = int.from_bytes(version)
    return told(partition, position, stream.decode(), number, decode(name, payload))
