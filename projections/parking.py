"""An event that a table cannot be told is parked; the table goes on without it."""

from collections.abc import Iterable
from typing import Any, LiteralString

import psycopg
import structlog
from msgspec import Struct
from psycopg.sql import SQL, Composed, Identifier

log = structlog.get_logger("tradesense.projector")

LONGEST = 500  # characters of a cause

PARK: LiteralString = """
    INSERT INTO {partition}.parked AS kept (kind, subject, origin, cause, body)
    VALUES ('projection', $1::text, $2::text, $3::text, '')
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

    @property
    def row(self) -> tuple[str, str, str]:
        """What `PARK` is given."""
        return f"{self.partition}-{self.position}", self.origin, self.cause


def left_out(partition: str, position: int, table: str, fault: Exception) -> LeftOut:
    cause = f"{table}: {type(fault).__name__}: {fault}"
    shown = cause.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    return LeftOut(partition, position, table, shown[:LONGEST])


def log_parked(event: LeftOut) -> None:
    log.error("event-parked", position=event.origin, cause=event.cause)


def parking(partition: str) -> str:
    return _sql(PARK, partition).as_string()


async def settle_rebuilt(
    connection: psycopg.AsyncConnection[Any],
    partition: str,
    still: Iterable[LeftOut],
) -> None:
    """A rebuild has told all that was parked, but for what it had to leave out too."""
    failed = [each for each in still if each.partition == partition]
    origins = [each.origin for each in failed]
    await connection.execute(_sql(SETTLE, partition), (origins,))
    async with psycopg.AsyncRawCursor(connection) as cursor:
        for each in failed:
            log_parked(each)
            await cursor.execute(_sql(PARK, partition), each.row)


async def parked_events(
    connection: psycopg.AsyncConnection[Any], partition: str
) -> int:
    cursor = await connection.execute(_sql(COUNT, partition))
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


def _sql(text: LiteralString, partition: str) -> Composed:
    return SQL(text).format(partition=Identifier(partition))
