"""Where the partition is read: the log and the ticks in pages, images.

Reads have connections of their own and never wait for the writer. A lost connection
is Python's own `ConnectionError`, since the application knows no database.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any, LiteralString, cast

import psycopg
from psycopg import IsolationLevel
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from application.engine.journal import (
    MOST_IN_A_PAGE,
    MOST_PARKED,
    Checkpoint,
    Fenced,
    Image,
    Recorded,
    TickBlock,
)
from application.parked import Failure, Kind, Parked
from infrastructure.archive.manifest import ArchiveBroken
from infrastructure.archive.reading import TickArchive
from infrastructure.event_store.upcasters import upcast
from infrastructure.event_store.wire import with_options

PAGE = 1_000
PAGE_OF_IMAGES = 5_000  # of about a kilobyte
PAGE_OF_BLOCKS = 64  # a block is up to 4,096 quotes
POOL_WAIT_SECONDS = 2.0
EVENT_COLUMNS = SQL(
    "notification_id, originator_id, originator_version, topic, state,"
    " convert_to(envelope::text, 'UTF8')"
)

Row = tuple[Any, ...]


class Shelf:
    def __init__(
        self, dsn: str, partition: str, archive: TickArchive | None = None
    ) -> None:
        self._archive = archive
        options = {"statement_timeout": "5s", "lock_timeout": "2s", "timezone": "UTC"}
        self._schema = Identifier(partition)
        self._dsn = with_options(dsn, f"shelf-{partition}", **options)
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[Row]] = (
            AsyncConnectionPool(
                self._dsn,
                min_size=0,
                max_size=3,
                timeout=POOL_WAIT_SECONDS,
                reconnect_timeout=POOL_WAIT_SECONDS,  # then whoever asks tries at once
                kwargs={"autocommit": True},
                check=AsyncConnectionPool.check_connection,  # a restart may lie between
                open=False,
                name=f"shelf-{partition}",
            )
        )

    async def latest_checkpoint(self) -> Checkpoint | None:
        rows = await self._rows("SELECT position, taken_at, body FROM {p}.checkpoints")
        for position, taken_at, body in rows:
            return Checkpoint(position=position, taken_at=_utc(taken_at), body=body)
        return None

    async def checkpoint(
        self, checkpoint: Checkpoint, images: Sequence[Image], epoch: int
    ) -> None:
        """Replace all or nothing, never by an older state or an older writer's."""
        with _reading():
            async with self._connection() as connection, connection.transaction():
                written = await connection.execute(
                    self._sql(_CHECKPOINT),
                    {
                        "position": checkpoint.position,
                        "taken_at": checkpoint.taken_at,
                        "body": checkpoint.body,
                        "epoch": epoch,
                    },
                )
                if written.rowcount != 1:
                    message = "a newer writer has taken a later checkpoint"
                    raise Fenced(message)
                for start in range(0, len(images), PAGE):
                    page = images[start : start + PAGE]
                    await connection.execute(
                        self._sql(_IMAGES),
                        (
                            [image.stream for image in page],
                            [image.version for image in page],
                            [image.body for image in page],
                            [image.index for image in page],
                        ),
                    )

    async def images(self) -> AsyncIterator[Image]:
        """Read everything that is saved, as of one instant.

        A thread of its own waits in C for what can be a hundred megabytes.
        """
        with _reading():
            rows = await asyncio.to_thread(self._saved)
        for stream, version, body, index in rows:
            yield Image(stream=stream, version=version, body=body, index=index)

    def _saved(self) -> list[Row]:
        rows: list[Row] = []
        query = self._sql(_SAVED)
        with psycopg.connect(self._dsn) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            cursor = connection.cursor(binary=True)
            after = ""
            while page := cursor.execute(query, (after, PAGE_OF_IMAGES)).fetchall():
                rows += page
                after = page[-1][0]
        return rows

    async def page(self, after: int, limit: int = PAGE) -> tuple[Recorded, ...]:
        rows = await self._rows(
            """SELECT {columns} FROM {p}.events
                WHERE notification_id > %s ORDER BY notification_id LIMIT %s""",
            (after, limit),
        )
        return tuple(_recorded(row) for row in rows)

    async def events(
        self, after: int, until: int | None = None
    ) -> AsyncIterator[Recorded]:
        while page := await self.page(after):
            for recorded in page:
                if until is not None and recorded.position > until:
                    return
                yield recorded
            after = page[-1].position

    async def stream(
        self, stream: str, after_version: int = 0
    ) -> AsyncIterator[Recorded]:
        while rows := await self._rows(
            """SELECT {columns} FROM {p}.events
                WHERE originator_id = %s AND originator_version > %s
                ORDER BY originator_version LIMIT %s""",
            (stream, after_version, PAGE),
        ):
            for row in rows:
                yield _recorded(row)
            after_version = rows[-1][2]

    async def tick_blocks(
        self, venue_id: str, after_sequence: int = 0
    ) -> AsyncIterator[TickBlock]:
        """Begin in the archive where the database no longer has what is asked for."""
        kept = await self._rows(
            """SELECT number, first_sequence FROM {p}.tick_blocks
               WHERE venue_id = %s ORDER BY number LIMIT 1""",
            (venue_id,),
        )
        for number, sequence in kept:
            if number > 1 and after_sequence < sequence:
                async for block in self._archived(venue_id, after_sequence, number):
                    yield block
        first = await self._rows(
            """SELECT number FROM {p}.tick_blocks
               WHERE venue_id = %s AND greatest(first_sequence, last_sequence) > %s
               ORDER BY greatest(first_sequence, last_sequence), number LIMIT 1""",
            (venue_id, after_sequence),
        )
        after = first[0][0] - 1 if first else 0
        while first and (
            rows := await self._rows(
                """SELECT venue_id, number, first_sequence, last_sequence, engine_from,
                          engine_to, body, sha256, previous_sha256
                   FROM {p}.tick_blocks WHERE venue_id = %s AND number > %s
                   ORDER BY number LIMIT %s""",
                (venue_id, after, PAGE_OF_BLOCKS),
            )
        ):
            for row in rows:
                yield _tick_block(row)
            after = rows[-1][1]

    def _archived(
        self, venue_id: str, after_sequence: int, before: int
    ) -> AsyncIterator[TickBlock]:
        if self._archive is None:
            raise ArchiveBroken(f"the ticks of {venue_id} before {before} are archived")
        return self._archive.blocks(venue_id, after_sequence, before)

    async def park(self, failure: Failure) -> None:
        given = {
            "kind": failure.kind,
            "subject": failure.subject,
            "origin": failure.origin,
            "cause": failure.cause,
            "body": failure.body,
            "at": failure.at,
            "most": MOST_PARKED,
        }
        with _reading():
            async with self._connection() as connection:
                await connection.execute(self._sql(_PARK), given)

    async def parked(
        self, after: int = 0, limit: int = MOST_IN_A_PAGE
    ) -> tuple[Parked, ...]:
        rows = await self._rows(
            """SELECT id, kind, subject, cause, body, at, settled FROM {p}.parked
               WHERE settled IS NULL AND id > %s ORDER BY id LIMIT %s""",
            (after, limit),
        )
        return tuple(map(_parked, rows))

    async def parked_item(self, parked_id: int) -> Parked | None:
        rows = await self._rows(
            """SELECT id, kind, subject, cause, body, at, settled FROM {p}.parked
               WHERE id = %s""",
            (parked_id,),
        )
        return _parked(rows[0]) if rows else None

    async def settle_parked(self, parked_id: int, how: str) -> None:
        with _reading():
            async with self._connection() as connection:
                await connection.execute(
                    self._sql("UPDATE {p}.parked SET settled = %s WHERE id = %s"),
                    (how, parked_id),
                )

    async def position(self) -> int:
        """Ask the head for the last position; all events up to it are readable."""
        ((position,),) = await self._rows("SELECT position FROM {p}.partition_head")
        return cast("int", position)

    async def close(self) -> None:
        await self._pool.close()

    async def _rows(
        self, query: LiteralString, parameters: Sequence[object] = ()
    ) -> list[Row]:
        with _reading():
            async with self._connection() as connection:
                cursor = connection.cursor(binary=True)
                await cursor.execute(self._sql(query), parameters)
                return await cursor.fetchall()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[Row]]:
        await self._pool.open()
        async with self._pool.connection() as connection:
            yield connection

    def _sql(self, text: LiteralString) -> psycopg.sql.Composed:
        return SQL(text).format(p=self._schema, columns=EVENT_COLUMNS)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise ConnectionError(str(error)) from error


_PARK: LiteralString = """
    INSERT INTO {p}.parked (kind, subject, origin, cause, body, at)
    SELECT %(kind)s, %(subject)s, %(origin)s, %(cause)s, %(body)s, %(at)s
    WHERE %(kind)s <> 'command' OR %(most)s > (
        SELECT count(*) FROM {p}.parked WHERE settled IS NULL AND kind = 'command'
    )
    ON CONFLICT (kind, origin) DO NOTHING
"""
_SAVED: LiteralString = """
    SELECT stream, version, body, index FROM {p}.images
    WHERE stream > %s ORDER BY stream LIMIT %s
"""
_CHECKPOINT: LiteralString = """
    INSERT INTO {p}.checkpoints AS kept (position, taken_at, body)
    SELECT %(position)s, %(taken_at)s, %(body)s
    FROM {p}.partition_head WHERE epoch = %(epoch)s
    ON CONFLICT (one) DO UPDATE
    SET position = EXCLUDED.position, taken_at = EXCLUDED.taken_at, body = EXCLUDED.body
    WHERE kept.position <= EXCLUDED.position
"""
_IMAGES: LiteralString = """
    INSERT INTO {p}.images AS kept (stream, version, body, index)
    SELECT * FROM unnest(%s::text[], %b::bigint[], %b::bytea[], %b::bytea[])
    ON CONFLICT (stream) DO UPDATE
    SET version = EXCLUDED.version, body = EXCLUDED.body, index = EXCLUDED.index
    WHERE (kept.version, kept.body) IS DISTINCT FROM (EXCLUDED.version, EXCLUDED.body)
"""


def _parked(row: Row) -> Parked:
    parked_id, kind, subject, cause, body, at, settled = row
    return Parked(
        id=parked_id,
        kind=Kind(kind),
        subject=subject,
        cause=cause,
        body=body,
        at=_utc(at),
        settled=settled,
    )


def _recorded(row: Row) -> Recorded:
    position, stream, version, name, payload, envelope = row
    fault = None
    try:
        name, payload = upcast(name, payload)
    except Exception as failed:  # noqa: BLE001 - whoever reads it sets it aside
        fault = f"{type(failed).__name__}: {failed}"
    return Recorded(
        position=position,
        stream=stream,
        version=version,
        name=name,
        payload=payload,
        envelope=envelope,
        fault=fault,
    )


def _tick_block(row: Row) -> TickBlock:
    (venue_id, number, first, last, engine_from, engine_to, body, sha, previous) = row
    return TickBlock(
        venue_id=venue_id,
        number=number,
        first_sequence=first,
        last_sequence=last,
        engine_from=_utc(engine_from),
        engine_to=_utc(engine_to),
        body=body,
        sha256=sha,
        previous_sha256=previous,
    )


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
