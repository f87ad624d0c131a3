"""An event that a table cannot be told is parked; the table goes on without it."""

from collections.abc import Iterable, Sequence
from typing import Any, LiteralString

import psycopg
import structlog
from msgspec import Struct
from psycopg.sql import SQL, Composed, Identifier

log = structlog.get_logger("tradesense.projector")

LONGEST = 500  # characters of a cause

PARK: LiteralString = """
    INSERT INTO {partition}.parked AS kept (kind, subject, origin, cause, body)
    VALUES ('projection', %(subject)s, %(origin)s, %(cause)s, '')
    ON CONFLICT (kind, origin) DO UPDATE
    SET settled = NULL, cause = EXCLUDED.cause, at = now()
    WHERE kept.settled = 'rebuilt'
"""
SETTLE: LiteralString = """
    UPDATE {partition}.parked SET settled = 'rebuilt'
    WHERE kind = 'projection' AND settled IS NULL AND origin <> ALL (%s)
"""
COUNT: LiteralString = """
    SELECT count(*) FROM {partition}.parked
    WHERE kind = 'projection' AND settled IS NULL
"""


class LeftOut(Struct, frozen=True):
    """One event that one table does not tell of."""

    partition: str
    position: int
    table: str
    cause: str

    @property
    def origin(self) -> str:
        return f"{self.partition}-{self.position} {self.table}"


def left_out(partition: str, position: int, table: str, fault: Exception) -> LeftOut:
    cause = f"{table}: {type(fault).__name__}: {fault}"
    shown = cause.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    return LeftOut(partition, position, table, shown[:LONGEST])


async def park(
    connection: psycopg.AsyncConnection[Any], events: Sequence[LeftOut]
) -> None:
    for each in events:
        log.error("event-parked", position=each.origin, cause=each.cause)
        await connection.execute(
            _sql(PARK, each.partition),
            {
                "subject": f"{each.partition}-{each.position}",
                "origin": each.origin,
                "cause": each.cause,
            },
        )


async def settle_rebuilt(
    connection: psycopg.AsyncConnection[Any],
    partition: str,
    still: Iterable[LeftOut],
) -> None:
    """A rebuild has told all that was parked, but for what it had to leave out too."""
    failed = [each for each in still if each.partition == partition]
    origins = [each.origin for each in failed]
    await connection.execute(_sql(SETTLE, partition), (origins,))
    await park(connection, failed)


async def parked_events(
    connection: psycopg.AsyncConnection[Any], partition: str
) -> int:
    cursor = await connection.execute(_sql(COUNT, partition))
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


def _sql(text: LiteralString, partition: str) -> Composed:
    return SQL(text).format(partition=Identifier(partition))
