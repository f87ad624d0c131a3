"""Tells the tables what the log says: a page, all tables and the checkpoint at once.

One transaction applies a page and moves the checkpoint, so each fact counts exactly
once, whatever dies in between. Commits are not waited for: should the server lose the
latest ones, table and checkpoint fall back together and the page is applied again.
"""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Sequence,
)
from contextlib import aclosing
from typing import Any, Final

import psycopg
import structlog

from application.engine.journal import Recorded
from infrastructure.event_store.reader import LogReader
from infrastructure.event_store.wire import Lost, connect, with_options
from projections.parking import LeftOut, left_out, park
from projections.schema import (
    CHANNEL,
    PROJECTIONS,
    READ,
    ShapeChanged,
    create,
    move_to,
    position_of,
)
from projections.table import Projection
from projections.told import Told, told

log = structlog.get_logger("tradesense.projector")

PAGE: Final = 1_000
FIRST_PAUSE_SECONDS: Final = 0.02
LONGEST_PAUSE_SECONDS: Final = 1.0  # also the longest wait for a server that came back

Page = tuple[Recorded, ...]
SetAside = Callable[
    [psycopg.AsyncConnection[Any], list[LeftOut]], Coroutine[Any, Any, None]
]


class Runner:
    """Keeps one partition's part of the live tables up to date."""

    def __init__(
        self,
        dsn: str,
        partition: str,
        *,
        schema: str = READ,
        page: int = PAGE,
        projections: Sequence[Projection[Any]] = PROJECTIONS,
    ) -> None:
        self.partition = partition
        self.position = 0
        self._schema = schema
        self._page = page
        self._projections = projections
        self._pause = FIRST_PAUSE_SECONDS
        self._dsn = with_options(
            dsn,
            f"projector-{partition}",
            synchronous_commit="off",
            timezone="UTC",
            statement_timeout="60s",
        )
        self._reader = LogReader(dsn, partition)

    async def run(self) -> None:
        """Follow the log until cancelled. Raises `PositionGap`."""
        while True:
            try:
                async with await connect(self._dsn) as connection:
                    await create(connection, self._schema)
                    await self._follow(connection)
            except (Lost, psycopg.OperationalError, ConnectionError) as error:
                log.warning("database-lost", **self._where(error))
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
            except Exception as fault:
                log.critical("projector-stops", **self._where(fault))
                raise

    async def close(self) -> None:
        await self._reader.close()

    def _where(self, error: Exception) -> dict[str, object]:
        return {
            "partition": self.partition,
            "position": self.position,
            "cause": type(error).__name__,
            "error": str(error),
        }

    async def _follow(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Page after page; begin anew where another has moved the checkpoint."""
        while True:
            self.position = await position_of(connection, self._schema, self.partition)
            pages = ahead(self._reader.pages(self.position, self._page))
            async with aclosing(pages):
                async for page in pages:
                    finishing = asyncio.ensure_future(self._apply(connection, page))
                    if not await finished(finishing):
                        break
                    self.position = page[-1].position
                    self._pause = FIRST_PAUSE_SECONDS

    async def _apply(
        self, connection: psycopg.AsyncConnection[Any], page: Page
    ) -> bool:
        return await apply(
            connection, self._schema, self.partition, page, self._projections
        )


async def ahead(pages: AsyncIterator[Page]) -> AsyncGenerator[Page, None]:
    """Read one page while the one before it is being applied."""
    following = asyncio.ensure_future(anext(pages))
    try:
        while True:
            page = await following
            following = asyncio.ensure_future(anext(pages))
            yield page
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def finished(applying: "asyncio.Task[bool]") -> bool:
    """Wait for a page; told to stop meanwhile, let it come to its end first."""
    try:
        return await asyncio.shield(applying)
    except asyncio.CancelledError:
        await asyncio.wait({applying})
        raise


async def apply(
    connection: psycopg.AsyncConnection[Any],
    schema: str,
    partition: str,
    page: Page,
    projections: Sequence[Projection[Any]] = PROJECTIONS,
    set_aside: SetAside = park,
) -> bool:
    """Apply a page: False when the tables are not where it begins.

    An event that a table cannot be told is found by halving, and set aside.
    """

    async def tell_all() -> None:
        await fold_all(connection, schema, told(partition, page), projections)

    async def tell_one() -> None:
        (event,) = page
        left = await fold_each(connection, schema, partition, event, projections)
        await set_aside(connection, left)

    try:
        return await tell(connection, schema, partition, page, tell_all)
    except Exception as fault:
        if not is_of_the_event(fault):
            raise
    if len(page) == 1:
        return await tell(connection, schema, partition, page, tell_one)
    middle = len(page) // 2
    for half in (page[:middle], page[middle:]):
        if not await apply(connection, schema, partition, half, projections, set_aside):
            return False
    return True


async def tell(
    connection: psycopg.AsyncConnection[Any],
    schema: str,
    partition: str,
    page: Page,
    telling: Callable[[], Awaitable[None]],
) -> bool:
    """All tables and the checkpoint in one transaction, or nothing."""
    async with connection.transaction():
        before = await position_of(connection, schema, partition)
        if before != page[0].position - 1:
            return False
        await telling()
        await move_to(connection, schema, partition, page[-1].position)
        if schema == READ:
            await connection.execute(
                "SELECT pg_notify(%s, %s)",
                (CHANNEL, f"{partition} {page[-1].position}"),
            )
    return True


async def fold_each(
    connection: psycopg.AsyncConnection[Any],
    schema: str,
    partition: str,
    event: Recorded,
    projections: Sequence[Projection[Any]],
) -> list[LeftOut]:
    """Tell one event to one table after the other; give those that it breaks."""
    failed: list[LeftOut] = []
    try:
        facts = told(partition, (event,))
    except Exception as fault:  # noqa: BLE001 - what cannot be read, nobody is told
        return [left_out(partition, event.position, "all tables", fault)]
    for projection in projections:
        try:
            async with connection.transaction():
                await projection.apply(connection, schema, facts)
        except Exception as fault:
            if not is_of_the_event(fault):
                raise
            name = projection.table.name
            failed.append(left_out(partition, event.position, name, fault))
    return failed


def is_of_the_event(fault: Exception) -> bool:
    """Whether what it says is at fault, rather than the database or its schema."""
    if isinstance(fault, psycopg.Error):
        return isinstance(fault, psycopg.DataError | psycopg.IntegrityError)
    return not isinstance(fault, Lost | ConnectionError | ShapeChanged)


async def fold_all(
    connection: psycopg.AsyncConnection[Any],
    schema: str,
    facts: Sequence[Told],
    projections: Sequence[Projection[Any]],
) -> None:
    """Let statements take turns: one table folds while the server works for another.

    All have ended when this does, so none can write after the transaction's end.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for projection in projections:
                group.create_task(projection.apply(connection, schema, facts))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
