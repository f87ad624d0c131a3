"""One hash a table, over every row in canonical text: equal tables, equal hashes."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import psycopg
from msgspec import Struct
from psycopg import IsolationLevel
from psycopg.sql import SQL, Identifier

from infrastructure.event_store.wire import connect, with_options
from projections import candles
from projections.schema import READ, TABLES, partitions, positions
from projections.table import Table

if TYPE_CHECKING:
    from hashlib import _Hash as Hash


class Digest(Struct, frozen=True):
    position: dict[str, int]  # of each partition
    tables: dict[str, str]
    ticks: dict[str, int]  # of each venue, the block that the candles were told last
    candles: str  # apart: a market that is quoted grows them all the time

    @property
    def by_events(self) -> tuple[dict[str, int], dict[str, str]]:
        """What stands still while nothing is recorded but quotes."""
        return self.position, self.tables


async def digest(dsn: str, schema: str = READ) -> Digest:
    """Hash all tables as they stand at one instant."""
    session = with_options(
        dsn,
        "projections-digest",
        statement_timeout="0",
        timezone="UTC",
        datestyle="ISO",
        bytea_output="hex",
    )
    async with await connect(session) as connection:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        async with connection.transaction():
            told = await positions(connection, schema)
            found = await partitions(connection)
            return Digest(
                position={each: told.get(each, 0) for each in found},
                tables={
                    table.name: await hash_of(connection, schema, table)
                    for table in TABLES
                },
                ticks=await candles.told(connection, schema),
                candles=await hashed(
                    connection, Identifier(schema, candles.NAME), candles.KEY
                ),
            )


async def hash_of(
    connection: psycopg.AsyncConnection[Any], schema: str, table: Table[Any]
) -> str:
    names = (column.name for column in table.columns)
    seed = sha256(",".join(names).encode())
    return await hashed(connection, Identifier(schema, table.name), (table.key,), seed)


async def hashed(
    connection: psycopg.AsyncConnection[Any],
    table: Identifier,
    key: Sequence[str],
    seed: "Hash | None" = None,
) -> str:
    total = seed or sha256()
    rows = SQL("COPY (SELECT * FROM {} ORDER BY {}) TO STDOUT").format(
        table, SQL(", ").join(map(Identifier, key))
    )
    async with connection.cursor() as cursor, cursor.copy(rows) as copy:
        async for chunk in copy:
            total.update(chunk)
    return total.hexdigest()
