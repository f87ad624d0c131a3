"""Keeps the tables up to date with the log, whatever happens to the connections."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, Final

import psycopg
import structlog

from infrastructure.event_store.wire import Failed, Lost, connect
from projections.pages import PAGE, Page, Pages
from projections.schema import PROJECTIONS, READ, create
from projections.table import Projection
from projections.telling import Tables, is_of_the_event

log = structlog.get_logger("tradesense.projector")

FIRST_PAUSE_SECONDS: Final = 0.02
LONGEST_PAUSE_SECONDS: Final = 1.0  # also the longest wait for a server that came back

# Rolled back for another's sake; short of something; locked; interrupted; the system.
MOMENTARY: Final = ("40", "53", "55", "57", "58")


class Runner:
    """Keeps one partition's part of the live tables up to date."""

    def __init__(
        self,
        dsn: str,
        partition: str,
        *,
        page: int = PAGE,
        projections: Sequence[Projection[Any]] = PROJECTIONS,
    ) -> None:
        self.partition = partition
        self.position = 0
        self._dsn = dsn
        self._projections = projections
        self._pause = FIRST_PAUSE_SECONDS
        self._pages = Pages(dsn, partition, page)

    async def run(self) -> None:
        """Follow the log until cancelled. Raises `PositionGap`."""
        while True:
            try:
                await self._follow()
            except Exception as fault:
                if not is_of_the_moment(fault):
                    log.critical("projector-stops", **self._where(fault))
                    raise
                log.warning("database-lost", **self._where(fault))
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)

    def close(self) -> None:
        self._pages.close()

    def _where(self, error: Exception) -> dict[str, object]:
        return {
            "partition": self.partition,
            "position": self.position,
            "cause": type(error).__name__,
            "error": str(error),
        }

    async def _follow(self) -> None:
        """Page after page; begin anew where another has moved the checkpoint."""
        async with await connect(self._dsn) as connection:
            await create(connection, READ)
        tables = await Tables.open(
            self._dsn, self.partition, projections=self._projections
        )
        try:
            while True:
                self.position = await tables.position()
                async with aclosing(ahead(self._pages.follow(self.position))) as pages:
                    async for page in pages:
                        telling = asyncio.ensure_future(tell(tables, page))
                        if not await finished(telling):
                            break
                        self.position = page.last
                        self._pause = FIRST_PAUSE_SECONDS
        finally:
            tables.close()


async def ahead(pages: AsyncIterator[Page]) -> AsyncGenerator[Page, None]:
    """Read one page while the one before it is being told."""
    following = asyncio.ensure_future(anext(pages))
    try:
        while True:
            page = await following
            following = asyncio.ensure_future(anext(pages))
            yield page
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def finished(telling: "asyncio.Task[bool]") -> bool:
    """Wait for a page; told to stop meanwhile, let it come to its end first."""
    try:
        return await asyncio.shield(telling)
    except asyncio.CancelledError:
        await asyncio.wait({telling})
        raise


async def tell(tables: Tables, page: Page) -> bool:
    """Tell a page: False when the tables are not where it begins.

    An event that a table cannot be told is found by halving, and parked.
    """
    try:
        return await tables.tell(page)
    except Exception as fault:
        if not is_of_the_event(fault):
            raise
    if page.first == page.last:
        return await tables.tell_whom_it_suits(page)
    for half in page.halves():
        if not await tell(tables, half):
            return False
    return True


def is_of_the_moment(fault: Exception) -> bool:
    """Whether it goes by: the database is away, or somebody is in the way."""
    if isinstance(fault, Failed):
        return fault.sqlstate[:2] in MOMENTARY
    return isinstance(fault, Lost | ConnectionError | psycopg.OperationalError)
