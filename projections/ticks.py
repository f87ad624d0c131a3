"""The tick log in pages, for what is told by it: block after block, venue by venue."""

from collections.abc import Sequence
from typing import Any, Final, LiteralString

import psycopg
from msgspec import Struct
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier

from application.engine.journal import TickBlock

PAGE: Final = 100  # blocks; at most 400,000 ticks, mostly a few seconds of a market

# Venues are found by leaps over the key: none is looked at twice, whatever it holds.
BEHIND: Final[LiteralString] = """
    WITH RECURSIVE venue (venue_id) AS (
        (SELECT venue_id FROM {p}.tick_blocks ORDER BY venue_id LIMIT 1)
        UNION ALL
        SELECT (
            SELECT next.venue_id FROM {p}.tick_blocks AS next
            WHERE next.venue_id > venue.venue_id ORDER BY next.venue_id LIMIT 1
        )
        FROM venue WHERE venue.venue_id IS NOT NULL
    )
    SELECT venue.venue_id, coalesce(known.number, 0)
    FROM venue LEFT JOIN {schema}.tick_checkpoints AS known USING (venue_id)
    WHERE venue.venue_id IS NOT NULL AND coalesce(known.number, 0) < (
        SELECT number FROM {p}.tick_blocks AS last
        WHERE last.venue_id = venue.venue_id ORDER BY number DESC LIMIT 1
    )
"""
FIRST: Final[LiteralString] = """
    SELECT number FROM {p}.tick_blocks WHERE venue_id = %s ORDER BY number LIMIT 1
"""
BLOCKS: Final[LiteralString] = """
    SELECT venue_id, number, first_sequence, last_sequence, engine_from, engine_to,
        body, sha256, previous_sha256
    FROM {p}.tick_blocks WHERE venue_id = %s AND number > %s
    ORDER BY number LIMIT %s
"""


class Behind(Struct, frozen=True):
    """A venue with ticks that nobody has told of yet, and up to where they have."""

    venue_id: str
    number: int


async def behind(
    connection: psycopg.AsyncConnection[Any], partition: str, schema: str
) -> tuple[Behind, ...]:
    query = SQL(BEHIND).format(p=Identifier(partition), schema=Identifier(schema))
    cursor = await connection.execute(query)
    return tuple(Behind(*row) for row in await cursor.fetchall())


async def first_kept(
    connection: psycopg.AsyncConnection[Any], partition: str, venue_id: str
) -> int:
    """Find the first block that no archive has replaced."""
    query = SQL(FIRST).format(p=Identifier(partition))
    row = await (await connection.execute(query, (venue_id,))).fetchone()
    return row[0] if row else 1


async def page(
    connection: psycopg.AsyncConnection[Any],
    partition: str,
    venue_id: str,
    after: int,
) -> Sequence[TickBlock]:
    """Give the next blocks after a number, in order."""
    query = SQL(BLOCKS).format(p=Identifier(partition))
    cursor = connection.cursor(row_factory=class_row(TickBlock), binary=True)
    await cursor.execute(query, (venue_id, after, PAGE))
    return await cursor.fetchall()
