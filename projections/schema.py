"""All tables together: one schema, one checkpoint a partition."""

from hashlib import sha256
from typing import Any, Final, LiteralString

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from projections import candles
from projections.accounts import ACCOUNTS
from projections.breaches import BREACHES
from projections.challenges import CHALLENGES
from projections.leaderboard import LEADERBOARD
from projections.orders import ORDERS
from projections.phases import PHASES
from projections.table import Projection
from projections.trades import TRADES

READ: Final = "read"
READ_NEXT: Final = "read_next"
CHANNEL: Final = "ts_read"

PROJECTIONS: Final[tuple[Projection[Any], ...]] = (
    CHALLENGES,
    PHASES,
    ACCOUNTS,
    TRADES,
    ORDERS,
    BREACHES,
    LEADERBOARD,
)
TABLES: Final = tuple(each.table for each in PROJECTIONS)
EVERY: Final = (*(table.name for table in TABLES), candles.NAME, candles.TOLD)

CHECKPOINTS: LiteralString = """
    CREATE TABLE {schema}.checkpoints (
        partition text COLLATE "C" PRIMARY KEY,
        position bigint NOT NULL CHECK (position >= 0),
        shape text NOT NULL
    ) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0)
"""
COMMENT: LiteralString = """
    COMMENT ON TABLE {schema}.checkpoints
    IS 'Up to which position of each partition these tables have been told'
"""

_CHECKPOINT: Final[dict[bytes, LiteralString]] = {
    b"enter": """
        INSERT INTO {schema}.checkpoints (partition, position, shape)
        VALUES ($1::text, 0, $2::text) ON CONFLICT (partition) DO NOTHING
    """,
    b"place": """
        SELECT position, tableoid, shape FROM {schema}.checkpoints
        WHERE partition = $1::text
    """,
    # Whoever moves it tells the tables; it fails for whoever finds it somewhere else,
    # or finds other tables, which a rebuild has put in place of the ones it knows.
    b"move": """
        WITH moved AS (
            UPDATE {schema}.checkpoints SET position = $2::bigint
            WHERE partition = $1::text AND position = $3::bigint AND tableoid = $4::oid
            RETURNING 1
        )
        SELECT 1 / count(*) FROM moved
    """,
}


def statements(schema: str) -> tuple[Composed, ...]:
    return (
        _sql(CHECKPOINTS, schema),
        _sql(COMMENT, schema),
        *(statement for table in TABLES for statement in table.definition(schema)),
        *candles.definition(schema),
    )


async def create(connection: psycopg.AsyncConnection[Any], schema: str) -> None:
    """Make what is missing; two at once wait for one another."""
    async with connection.transaction():
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (schema,)
        )
        if not await exists(connection, schema):
            for statement in statements(schema):
                await connection.execute(statement)


def checkpoints(schema: str) -> dict[bytes, str]:
    """Give what is prepared to read how far the tables are, and to move that."""
    return {name: _sql(text, schema).as_string() for name, text in _CHECKPOINT.items()}


async def positions(
    connection: psycopg.AsyncConnection[Any], schema: str
) -> dict[str, int]:
    """Tell of each partition how far the tables are; nothing before there are any."""
    if not await exists(connection, schema):
        return {}
    cursor = await connection.execute(
        _sql("SELECT partition, position FROM {schema}.checkpoints ORDER BY 1", schema)
    )
    return dict(await cursor.fetchall())


async def partitions(connection: psycopg.AsyncConnection[Any]) -> tuple[str, ...]:
    """Find every partition of this database: a schema with a head."""
    cursor = await connection.execute(
        "SELECT schemaname FROM pg_tables WHERE tablename = 'partition_head' ORDER BY 1"
    )
    return tuple(name for (name,) in await cursor.fetchall())


async def has_other_shape(
    connection: psycopg.AsyncConnection[Any], schema: str
) -> bool:
    """Tell whether the tables were made by a version that defines them otherwise."""
    if not await exists(connection, schema):
        return False
    cursor = await connection.execute(
        _sql("SELECT bool_or(shape <> %s) FROM {schema}.checkpoints", schema), (SHAPE,)
    )
    return await cursor.fetchone() == (True,)


async def exists(connection: psycopg.AsyncConnection[Any], schema: str) -> bool:
    cursor = await connection.execute(
        "SELECT to_regclass(format('%%I.checkpoints', %s::text)) IS NOT NULL", (schema,)
    )
    row = await cursor.fetchone()
    assert row is not None
    return bool(row[0])


async def drop(connection: psycopg.AsyncConnection[Any], schema: str) -> None:
    """Drop every table there, those of an older shape too."""
    cursor = await connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (schema,)
    )
    for (name,) in await cursor.fetchall():
        await connection.execute(SQL("DROP TABLE {}").format(Identifier(schema, name)))


async def move(
    connection: psycopg.AsyncConnection[Any], source: str, target: str
) -> None:
    """Move all tables, with their indexes and grants, to where `drop` made room."""
    for name in ("checkpoints", *EVERY):
        await connection.execute(
            SQL("ALTER TABLE {} SET SCHEMA {}").format(
                Identifier(source, name), Identifier(target)
            )
        )


def _sql(text: LiteralString, schema: str) -> Composed:
    return SQL(text).format(schema=Identifier(schema))


def _shape() -> str:
    """Name the tables' definition: tables of another shape must be rebuilt."""
    text = "\n".join(each.as_string() for each in statements(READ))
    return sha256(text.encode()).hexdigest()[:16]


SHAPE: Final = _shape()
