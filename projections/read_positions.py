"""Lets a query wait until the tables have come to a position: read your own writes.

The projector tells of every page on `ts_read`; a look at the checkpoints at most a
second apart is what is relied upon.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import psycopg
import structlog
from psycopg.sql import SQL, Identifier

from application.refusals import ProjectionBehind
from infrastructure.event_store.wire import Lost, connect, with_options
from projections.lag import Lag, lags
from projections.schema import CHANNEL, READ, positions

log = structlog.get_logger("tradesense.reading")

POLL_SECONDS: Final = 1.0
WAIT_SECONDS: Final = 2.0


class ReadPositions:
    """One connection for all who wait. `start` it once, and `close` it in the end."""

    def __init__(self, dsn: str) -> None:
        self._dsn = with_options(dsn, "read-positions")
        self._positions: dict[str, int] = {}
        self._moved = asyncio.Condition()
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def position(self, partition: str) -> int:
        """How far this partition's tables are, as far as is known here."""
        return self._positions.get(partition, 0)

    async def wait_for(
        self,
        partition: str,
        position: int,
        timeout: float = WAIT_SECONDS,  # noqa: ASYNC109 - a bound with an answer of its own
    ) -> None:
        """Return once the tables are there. Raises `ProjectionBehind`."""
        if self.position(partition) >= position:
            return
        try:
            async with asyncio.timeout(timeout), self._moved:
                await self._moved.wait_for(lambda: self.position(partition) >= position)
        except TimeoutError:
            raise ProjectionBehind(
                f"the tables are at {partition}-{self.position(partition)}"
            ) from None

    async def lags(self) -> tuple[Lag, ...]:
        """Measure on a connection of its own. Raises `Lost` when nobody answers."""
        async with await connect(self._dsn) as connection:
            return await lags(connection)

    async def _watch(self) -> None:
        while True:
            with suppress(Lost, psycopg.OperationalError):
                async with await connect(self._dsn) as connection:
                    await self._follow(connection)
            await asyncio.sleep(POLL_SECONDS)

    async def _follow(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await connection.execute(SQL("LISTEN {}").format(Identifier(CHANNEL)))
        while True:
            await self._reached(await positions(connection, READ))
            async for notice in connection.notifies(timeout=POLL_SECONDS):
                partition, _, position = notice.payload.partition(" ")
                await self._reached({partition: int(position)})

    async def _reached(self, told: dict[str, int]) -> None:
        if told.items() <= self._positions.items():
            return
        async with self._moved:
            self._positions |= told
            self._moved.notify_all()
