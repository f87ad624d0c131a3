"""Builds all tables anew beside the live ones, and swaps them in when caught up.

The live tables go on answering and growing. At the swap the projector waits on the
lock of its checkpoints for as long as the last few pages take.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable
from psycopg.sql import SQL, Identifier

from infrastructure.event_store.reader import LogReader
from infrastructure.event_store.wire import connect, with_options
from projections.parking import LeftOut, settle_rebuilt
from projections.runner import PAGE, apply
from projections.schema import (
    CHANNEL,
    PROJECTIONS,
    READ,
    READ_NEXT,
    TABLES,
    create,
    drop,
    exists,
    move,
    position_of,
    positions,
)
from projections.table import Projection

Heard = Callable[[str, int], None]


class RebuildUnderWay(Exception):
    """Another rebuild holds the place beside the live tables."""


class Rebuild:
    def __init__(
        self,
        connection: psycopg.AsyncConnection[Any],
        logs: Mapping[str, LogReader],
        projections: Sequence[Projection[Any]] = PROJECTIONS,
    ) -> None:
        self._connection = connection
        self._logs = logs
        self._projections = projections
        self._left_out: dict[str, LeftOut] = {}

    async def fill(self, heard: Heard) -> None:
        """Tell the new tables all that the logs hold at present."""
        for partition, reader in self._logs.items():
            async with self._connection.transaction():
                after = await position_of(self._connection, READ_NEXT, partition)
            while page := await reader.page(after, PAGE):
                assert await apply(
                    self._connection,
                    READ_NEXT,
                    partition,
                    page,
                    self._projections,
                    set_aside=self._set_aside,
                )
                after = page[-1].position
                heard(partition, after)

    async def _set_aside(
        self, _: psycopg.AsyncConnection[Any], events: list[LeftOut]
    ) -> None:
        """Until the swap it is the live tables that the parked ones are about."""
        self._left_out |= {each.origin: each for each in events}

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
                await self._lock(*(table.name for table in TABLES))
            await drop(connection, READ)
            await move(connection, READ_NEXT, READ)
            for partition in self._logs:
                still = self._left_out.values()
                await settle_rebuilt(connection, partition, still)
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
) -> None:
    """Rebuild every table from the first position on. Raises `RebuildUnderWay`."""
    logs = {each: LogReader(dsn, each) for each in partitions}
    session = with_options(
        dsn,
        "projections-rebuild",
        synchronous_commit="off",
        statement_timeout="0",
        timezone="UTC",
    )
    try:
        async with await connect(session) as connection:
            await _claim(connection)
            async with connection.transaction():
                await drop(connection, READ_NEXT)
            await create(connection, READ_NEXT)
            again = Rebuild(connection, logs, projections)
            await again.fill(heard)
            while not await _swapped(again, heard):
                await again.fill(heard)  # nothing was lost; the log has grown
    finally:
        for reader in logs.values():
            await reader.close()


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
