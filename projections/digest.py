"""One hash a table, over every row in canonical text: equal tables, equal hashes."""

from hashlib import sha256
from typing import Any

import psycopg
from msgspec import Struct
from psycopg import IsolationLevel
from psycopg.sql import SQL, Identifier

from infrastructure.event_store.wire import connect, with_options
from projections.schema import READ, TABLES, partitions, positions
from projections.table import Table


class Digest(Struct, frozen=True):
    position: dict[str, int]  # of each partition
    tables: dict[str, str]


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
            )


async def hash_of(
    connection: psycopg.AsyncConnection[Any], schema: str, table: Table[Any]
) -> str:
    hashed = sha256(",".join(column.name for column in table.columns).encode())
    rows = SQL("COPY (SELECT * FROM {} ORDER BY {}) TO STDOUT").format(
        Identifier(schema, table.name), Identifier(table.key)
    )
    async with connection.cursor() as cursor, cursor.copy(rows) as copy:
        async for chunk in copy:
            hashed.update(chunk)
    return hashed.hexdigest()
