"""Keeps the candles up to date with the tick log, beside what events tell."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import psycopg
import structlog

from application.candles import candles_of
from application.engine.journal import TickBlock
from application.engine.tick_block import ChainBroken
from infrastructure.archive.reading import TickArchive
from infrastructure.event_store.hints import channel
from infrastructure.event_store.wire import connect, with_options
from projections.candles import tell
from projections.hearing import Ear
from projections.runner import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    is_of_the_moment,
)
from projections.schema import READ, create
from projections.ticks import PAGE, Behind, behind, first_kept, page

log = structlog.get_logger("tradesense.projector")

APART_SECONDS: Final = 0.25  # a market speaks all the time: hear it out before telling
POLL_SECONDS: Final = 1.0


class TickRunner:
    """Tells one partition's ticks to the candles; a hint says when there are some."""

    def __init__(
        self, dsn: str, partition: str, archive: TickArchive | None = None
    ) -> None:
        self._archive = archive
        self._dsn = with_options(
            dsn,
            f"candles-{partition}",
            synchronous_commit="off",
            timezone="UTC",
            statement_timeout="60s",
        )
        self._partition = partition
        self._pause = FIRST_PAUSE_SECONDS
        self._hinted = asyncio.Event()

    async def run(self) -> None:
        """Follow the tick log until cancelled. Raises `ChainBroken`."""
        while True:
            try:
                await self._follow()
            except Exception as fault:
                where = {"partition": self._partition, "cause": type(fault).__name__}
                if not is_of_the_moment(fault):
                    log.critical("candles-stop", error=str(fault), **where)
                    raise
                log.warning("database-lost", **where)
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)

    async def _follow(self) -> None:
        ear = await Ear.open(
            self._dsn, channel(self._partition), lambda _: self._hinted.set()
        )
        try:
            async with await connect(self._dsn) as connection:
                await connection.set_autocommit(True)
                await create(connection, READ)
                while not ear.is_lost:
                    self._hinted.clear()
                    await catch_up(connection, self._partition, READ, self._archive)
                    self._pause = FIRST_PAUSE_SECONDS
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL_SECONDS):
                            await self._hinted.wait()
                    await asyncio.sleep(APART_SECONDS)
        finally:
            ear.close()


async def catch_up(
    connection: psycopg.AsyncConnection[Any],
    partition: str,
    schema: str,
    archive: TickArchive | None = None,
) -> None:
    """Tell all that the tick log of a partition holds, at present and in its archive.

    Raises `ChainBroken` where what comes next is in neither.
    """
    for venue in await behind(connection, partition, schema):
        if archive is not None and not await is_kept(connection, archive, venue):
            venue = await tell_archived(connection, archive, schema, venue)  # noqa: PLW2901 - it has come further
        await catch_up_with(connection, partition, schema, venue)


async def is_kept(
    connection: psycopg.AsyncConnection[Any], archive: TickArchive, venue: Behind
) -> bool:
    """Whether the database still has what comes next."""
    return await first_kept(connection, archive.partition, venue.venue_id) <= (
        venue.number + 1
    )


async def tell_archived(
    connection: psycopg.AsyncConnection[Any],
    archive: TickArchive,
    schema: str,
    venue: Behind,
) -> Behind:
    """Begin with what the database may have dropped."""
    name, after = venue.venue_id, venue.number
    while blocks := await asyncio.to_thread(archive.after, name, after, PAGE):
        if not await tell_blocks(connection, schema, name, after, blocks):
            break
        after = blocks[-1].number
    return Behind(name, after)


async def catch_up_with(
    connection: psycopg.AsyncConnection[Any],
    partition: str,
    schema: str,
    venue: Behind,
) -> None:
    after = venue.number
    while blocks := await page(connection, partition, venue.venue_id, after):
        if not await tell_blocks(connection, schema, venue.venue_id, after, blocks):
            return  # somebody else has, or other tables stand here now
        after = blocks[-1].number


async def tell_blocks(
    connection: psycopg.AsyncConnection[Any],
    schema: str,
    venue_id: str,
    after: int,
    blocks: Sequence[TickBlock],
) -> bool:
    if blocks[0].number != after + 1:
        raise ChainBroken(f"block {after + 1} of {venue_id} is missing")
    candles = await asyncio.to_thread(candles_of, venue_id, blocks)
    numbers = (after, blocks[-1].number)
    return await tell(connection, schema, venue_id, numbers, candles)
