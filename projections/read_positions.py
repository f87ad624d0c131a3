"""Lets a query wait until the tables have come to a position: read your own writes.

The projector tells of every page on `ts_read`; a look at the checkpoints at most a
second apart is what is relied upon.
"""

import asyncio
from contextlib import closing, suppress
from typing import Any, Final

import psycopg
import structlog

from application.refusals import ProjectionBehind
from infrastructure.event_store.wire import Lost, connect, with_options
from projections.hearing import Ear
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
        self._heard: dict[str, int] = {}  # since the latest look
        self._waiting: dict[asyncio.Future[None], tuple[str, int]] = {}
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
        there = asyncio.get_running_loop().create_future()
        self._waiting[there] = partition, position
        try:
            async with asyncio.timeout(timeout):
                await there
        except TimeoutError:
            raise ProjectionBehind(
                f"the tables are at {partition}-{self.position(partition)}"
            ) from None
        finally:
            del self._waiting[there]

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
        with closing(await Ear.open(self._dsn, CHANNEL, self._hear)) as ear:
            while not ear.is_lost:
                self._heard.clear()
                seen = await positions(connection, READ)
                self._reached(seen | self._heard)  # what was said meanwhile is newer
                await asyncio.sleep(POLL_SECONDS)

    def _hear(self, said: str) -> None:
        partition, _, position = said.partition(" ")
        self._heard[partition] = int(position)
        self._reached({partition: int(position)})

    def _reached(self, told: dict[str, int]) -> None:
        self._positions |= told
        for there, (partition, position) in self._waiting.items():
            if not there.done() and self.position(partition) >= position:
                there.set_result(None)
