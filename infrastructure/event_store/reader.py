"""Reads the log in commit order, for whoever derives tables or takes action from it.

Positions are contiguous, so a reader that sees position n + 1 has seen everything up to
n; a hole is an alarm, never something to step over. NOTIFY says that it may be worth
looking; a look at most a second apart is what is relied upon.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import psycopg
from psycopg.sql import SQL, Identifier

from application.engine.journal import Recorded
from infrastructure.event_store.hints import channel
from infrastructure.event_store.shelf import PAGE, Shelf
from infrastructure.event_store.wire import Lost, connect, with_options

POLL_SECONDS = 1.0


class PositionGap(Exception):
    """The log lacks a position that it must hold: stop, and call somebody."""


class LogReader:
    """One partition's log for a role that may only read it."""

    def __init__(self, dsn: str, partition: str) -> None:
        self._dsn = with_options(dsn, f"reader-{partition}")
        self._channel = channel(partition)
        self._shelf = Shelf(dsn, partition)
        self._hinted = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def page(self, after: int, limit: int = PAGE) -> tuple[Recorded, ...]:
        """Give the next facts after a position; empty at the end of the log."""
        page = await self._shelf.page(after, limit)
        if not page:
            # Whatever the head shows now was readable before: look once more.
            end = await self._shelf.position()
            if end > after and not (page := await self._shelf.page(after, limit)):
                message = f"nothing after {after}, but the log ends at {end}"
                raise PositionGap(message)
        for expected, recorded in enumerate(page, start=after + 1):
            if recorded.position != expected:
                message = f"expected position {expected}, found {recorded.position}"
                raise PositionGap(message)
        return page

    async def pages(
        self, after: int, limit: int = PAGE
    ) -> AsyncIterator[tuple[Recorded, ...]]:
        """Give page after page, and wait at the end of the log for more. Never ends."""
        while True:
            hint = self._next_hint()
            if page := await self.page(after, limit):
                yield page
                after = page[-1].position
            else:
                await _either(hint, POLL_SECONDS)

    async def position(self) -> int:
        return await self._shelf.position()

    async def wait_for(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109 - a bound, not a cancellation: the answer is False
        """Tell whether the log has reached a position within `timeout` seconds."""
        clock = asyncio.get_running_loop().time
        ends = clock() + timeout
        while True:
            hint = self._next_hint()
            if await self.position() >= position:
                return True
            remaining = ends - clock()
            if remaining <= 0:
                return False
            await _either(hint, min(remaining, POLL_SECONDS))

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._shelf.close()

    def _next_hint(self) -> asyncio.Event:
        """Take this before looking, so that no hint falls between look and wait."""
        if self._listening is None:
            self._listening = asyncio.get_running_loop().create_task(self._listen())
        return self._hinted

    async def _listen(self) -> None:
        while True:
            with suppress(Lost, psycopg.OperationalError):
                await self._pass_on_hints()
            await asyncio.sleep(POLL_SECONDS)

    async def _pass_on_hints(self) -> None:
        async with await connect(self._dsn) as connection:
            await connection.execute(SQL("LISTEN {}").format(Identifier(self._channel)))
            async for _ in connection.notifies():
                hinted, self._hinted = self._hinted, asyncio.Event()
                hinted.set()


async def _either(hint: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await hint.wait()
