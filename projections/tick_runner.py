"""Keeps the candles up to date with the tick log, beside what events tell."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import psycopg
import structlog

from application.candles import candles_of
from application.engine.tick_block import ChainBroken
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
from projections.ticks import Behind, behind, page

log = structlog.get_logger("tradesense.projector")

APART_SECONDS: Final = 0.25  # a market speaks all the time: hear it out before telling
POLL_SECONDS: Final = 1.0


class TickRunner:
    """Tells one partition's ticks to the candles; a hint says when there are some."""

    def __init__(self, dsn: str, partition: str) -> None:
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
                    await catch_up(connection, self._partition, READ)
                    self._pause = FIRST_PAUSE_SECONDS
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL_SECONDS):
                            await self._hinted.wait()
                    await asyncio.sleep(APART_SECONDS)
        finally:
            ear.close()


async def catch_up(
    connection: psycopg.AsyncConnection[Any], partition: str, schema: str
) -> None:
    """Tell all that the tick log of a partition holds at present."""
    for venue in await behind(connection, partition, schema):
        await catch_up_with(connection, partition, schema, venue)


async def catch_up_with(
    connection: psycopg.AsyncConnection[Any],
    partition: str,
    schema: str,
    venue: Behind,
) -> None:
    after = venue.number
    while blocks := await page(connection, partition, venue.venue_id, after):
        if blocks[0].number != after + 1:
            raise ChainBroken(f"block {after + 1} of {venue.venue_id} is missing")
        last = blocks[-1].number
        candles = await asyncio.to_thread(candles_of, venue.venue_id, blocks)
        told = await tell(connection, schema, venue.venue_id, (after, last), candles)
        if not told:
            return  # somebody else has, or other tables stand here now
        after = last
