"""Builds all tables anew beside the live ones, and swaps them in when caught up.

The live tables go on answering and growing. At the swap the projector waits on the
lock of its checkpoints for as long as the last few pages take.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable
from psycopg.sql import SQL, Identifier

from infrastructure.archive.reading import TickArchive
from infrastructure.event_store.wire import connect, with_options
from projections.pages import Pages
from projections.parking import settle_rebuilt
from projections.runner import tell
from projections.schema import (
    CHANNEL,
    EVERY,
    PROJECTIONS,
    READ,
    READ_NEXT,
    create,
    drop,
    exists,
    move,
    positions,
)
from projections.table import Projection
from projections.telling import Tables
from projections.tick_runner import catch_up

Heard = Callable[[str, int], None]


class RebuildUnderWay(Exception):
    """Another rebuild holds the place beside the live tables."""


class Rebuild:
    def __init__(
        self,
        connection: psycopg.AsyncConnection[Any],
        logs: Mapping[str, Pages],
        tables: Mapping[str, Tables],  # beside the live ones
        archives: Mapping[str, TickArchive],
    ) -> None:
        self._archives = archives
        self._connection = connection
        self._logs = logs
        self._tables = tables

    async def fill(self, heard: Heard) -> None:
        """Tell the new tables all that the logs hold at present."""
        for partition, pages in self._logs.items():
            tables = self._tables[partition]
            after = await tables.position()
            while page := await pages.page(after):
                assert await tell(tables, page)
                after = page.last
                heard(partition, after)
            archive = self._archives.get(partition)
            await catch_up(self._connection, partition, READ_NEXT, archive)

    async def swap(self, heard: Heard) -> None:
        """Hold the projector, tell the rest, and put the new tables in place."""
        connection = self._connection
        async with connection.transaction():
            # Shorter than the server's patience with deadlocks: we are who gives way.
            await connection.execute("SET LOCAL lock_timeout = '500ms'")
            live = {}
            if await exists(connection, READ):
                await self._lock("checkpoints")
                live = await positions(connection, READ)
            await self.fill(heard)
            told = await positions(connection, READ_NEXT)
            assert all(told[each] >= position for each, position in live.items())
            if live:
                await self._lock(*EVERY)
            await drop(connection, READ)
            await move(connection, READ_NEXT, READ)
            for partition, tables in self._tables.items():
                await settle_rebuilt(connection, partition, tables.left_out)
            for partition, position in told.items():
                await connection.execute(
                    "SELECT pg_notify(%s, %s)", (CHANNEL, f"{partition} {position}")
                )

    async def _lock(self, *names: str) -> None:
        for name in names:
            cursor = await self._connection.execute(
                "SELECT to_regclass(format('%%I.%%I', %s::text, %s::text)) IS NOT NULL",
                (READ, name),
            )
            if (await cursor.fetchone()) == (True,):  # a new shape may add tables
                await self._connection.execute(
                    SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(
                        Identifier(READ, name)
                    )
                )


def unheard(partition: str, position: int) -> None:
    """For a rebuild that nobody watches."""


async def rebuild(
    dsn: str,
    partitions: Sequence[str],
    heard: Heard = unheard,
    projections: Sequence[Projection[Any]] = PROJECTIONS,
    data: Path | None = None,
) -> None:
    """Rebuild every table from the first position on. Raises `RebuildUnderWay`."""
    session = with_options(
        dsn, "projections-rebuild", statement_timeout="0", timezone="UTC"
    )
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(await connect(session))
        await _claim(connection)
        async with connection.transaction():
            await drop(connection, READ_NEXT)
        await create(connection, READ_NEXT)
        logs, tables = {}, {}
        for each in partitions:
            logs[each] = stack.enter_context(closing(Pages(dsn, each)))
            opened = await Tables.open(dsn, each, READ_NEXT, projections)
            tables[each] = stack.enter_context(closing(opened))
        archives = {each: TickArchive(data, each) for each in partitions if data}
        again = Rebuild(connection, logs, tables, archives)
        await again.fill(heard)
        while not await _swapped(again, heard):
            await again.fill(heard)  # nothing was lost; the log has grown


async def _swapped(again: Rebuild, heard: Heard) -> bool:
    try:
        await again.swap(heard)
    except (LockNotAvailable, DeadlockDetected):
        return False
    return True


async def _claim(connection: psycopg.AsyncConnection[Any]) -> None:
    cursor = await connection.execute(
        "SELECT pg_try_advisory_lock(hashtextextended('projections-rebuild', 0))"
    )
    if await cursor.fetchone() != (True,):
        raise RebuildUnderWay
