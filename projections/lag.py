"""How far the tables are behind the log: in facts, and in seconds."""

from typing import Any, LiteralString

import psycopg
from msgspec import Struct
from psycopg.sql import SQL, Identifier

from projections.parking import parked_events
from projections.schema import READ, partitions, positions


class Lag(Struct, frozen=True, kw_only=True):
    partition: str
    position: int
    log_position: int
    lag_events: int
    lag_seconds: float  # the age of the oldest fact that is not in the tables yet
    parked_events: int  # that a table could not be told


BEHIND: LiteralString = """
    SELECT head.position, coalesce(extract(epoch FROM
        clock_timestamp() - (next.envelope ->> 'recorded_at')::timestamptz), 0)::float8
    FROM {partition}.partition_head AS head
    LEFT JOIN {partition}.events AS next ON next.notification_id = %s
"""


async def lags(connection: psycopg.AsyncConnection[Any]) -> tuple[Lag, ...]:
    """Measure every partition; tables that nobody has made yet are at position 0."""
    told = await positions(connection, READ)
    return tuple(
        [
            await lag(connection, partition, told.get(partition, 0))
            for partition in await partitions(connection)
        ]
    )


async def lag(
    connection: psycopg.AsyncConnection[Any], partition: str, position: int
) -> Lag:
    cursor = await connection.execute(
        SQL(BEHIND).format(partition=Identifier(partition)), (position + 1,)
    )
    row = await cursor.fetchone()
    assert row is not None
    log_position, seconds = row
    return Lag(
        partition=partition,
        position=position,
        log_position=log_position,
        lag_events=max(0, log_position - position),
        lag_seconds=round(max(0.0, seconds), 3),
        parked_events=await parked_events(connection, partition),
    )
