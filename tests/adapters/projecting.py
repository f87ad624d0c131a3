"""Runs the projector until the tables have all that the logs hold."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infrastructure.event_store.reader import LogReader
from infrastructure.roles import Role
from projections.read_positions import ReadPositions
from projections.runner import Runner
from tests.databases import Database

PARTITIONS = ("p1", "s1")
PATIENCE_SECONDS = 20.0


@asynccontextmanager
async def projecting(database: Database) -> AsyncIterator[None]:
    runners = [Runner(database.dsn(Role.PROJECTOR), each) for each in PARTITIONS]
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for runner in runners:
            runner.close()


async def project_all(database: Database) -> None:
    async with projecting(database), reading(database) as read:
        await caught_up(database, read)


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[ReadPositions]:
    read = ReadPositions(database.dsn())
    await read.start()
    try:
        yield read
    finally:
        await read.close()


async def caught_up(
    database: Database,
    read: ReadPositions,
    partitions: tuple[str, ...] = PARTITIONS,
) -> None:
    """Wait until the tables are where the logs end now."""
    for partition in partitions:
        log = LogReader(database.dsn(Role.PROJECTOR), partition)
        await read.wait_for(partition, await log.position(), PATIENCE_SECONDS)
        await log.close()
