"""Readers of a partition for tests: opened, read to a position, closed."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from application.engine.journal import Recorded
from infrastructure.event_store.reader import LogReader
from infrastructure.roles import Role
from tests.databases import Database


@asynccontextmanager
async def reading(
    database: Database, partition: str = "p1"
) -> AsyncIterator[LogReader]:
    reader = LogReader(database.dsn(Role.PROJECTOR), partition)
    try:
        yield reader
    finally:
        await reader.close()


async def read_all(database: Database, partition: str, until: int) -> list[int]:
    """Follow the log from its start to a position; the positions that were seen."""
    seen: list[int] = []
    async with reading(database, partition) as reader:
        async for page in reader.pages(after=0, limit=7):
            seen += numbers(page)
            if seen[-1] >= until:
                break
    return seen


def numbers(page: Iterable[Recorded]) -> list[int]:
    return [recorded.position for recorded in page]
