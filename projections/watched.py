"""What only the database can tell of a partition to whoever watches over it."""

from typing import Any, LiteralString

import psycopg
from msgspec import Struct
from psycopg.sql import SQL, Composed, Identifier

from application.parked import Kind
from projections.asking import Pool
from projections.lag import Lag, lags
from projections.schema import READ, exists

PARKED: LiteralString = """
    SELECT kind, count(*) FROM {partition}.parked WHERE settled IS NULL GROUP BY kind
"""
FROZEN: LiteralString = """
    SELECT partition, count(*) FROM {read}.accounts WHERE status = 'frozen'
    GROUP BY partition
"""
# One statement sees one instant: the head promises every position up to its own.
HAS_HOLE: LiteralString = """
    SELECT position > %(told)s AND NOT EXISTS (
        SELECT FROM {partition}.events WHERE notification_id = %(told)s + 1
    ) FROM {partition}.partition_head
"""


class Watched(Struct, frozen=True, kw_only=True):
    lag: Lag
    parked: dict[Kind, int]  # that nobody has decided about
    frozen_accounts: int  # that nobody has looked at
    has_hole: bool  # the log lacks the position that the tables need next

    @property
    def partition(self) -> str:
        return self.lag.partition


async def watched(pool: Pool) -> tuple[Watched, ...]:
    """Look once; the caller bounds its wait."""
    async with pool.connection() as connection:
        frozen = await _frozen(connection)
        return tuple(
            [
                Watched(
                    lag=lag,
                    parked=await _parked(connection, lag.partition),
                    frozen_accounts=frozen.get(lag.partition, 0),
                    has_hole=await _has_hole(connection, lag),
                )
                for lag in await lags(connection)
            ]
        )


async def _frozen(connection: psycopg.AsyncConnection[Any]) -> dict[str, int]:
    if not await exists(connection, READ):
        return {}
    cursor = await connection.execute(SQL(FROZEN).format(read=Identifier(READ)))
    return dict(await cursor.fetchall())


async def _parked(
    connection: psycopg.AsyncConnection[Any], partition: str
) -> dict[Kind, int]:
    cursor = await connection.execute(_sql(PARKED, partition))
    counts = dict.fromkeys(Kind, 0)
    return counts | {Kind(kind): count for kind, count in await cursor.fetchall()}


async def _has_hole(connection: psycopg.AsyncConnection[Any], lag: Lag) -> bool:
    cursor = await connection.execute(
        _sql(HAS_HOLE, lag.partition), {"told": lag.position}
    )
    return await cursor.fetchone() == (True,)


def _sql(text: LiteralString, partition: str) -> Composed:
    return SQL(text).format(partition=Identifier(partition))
