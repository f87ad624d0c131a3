"""Candles of every symbol in every interval, told by the tick log instead of by events.

A row is not read before it grows: what a page of ticks adds is merged into it, so the
same ticks give the same rows in whatever pages they come.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, LiteralString

import psycopg
from msgspec import Struct
from psycopg.errors import UndefinedTable
from psycopg.sql import SQL, Composed, Identifier

from application.candles import Candle, Interval
from projections.asking import Pool, fetch
from projections.table import SORTS_ALIKE, TEXT, Column, columns_of, says

NAME: Final = "candles"
TOLD: Final = "tick_checkpoints"


class Row(Struct, frozen=True):
    venue_id: Annotated[str, says("The venue that was quoted")]
    symbol: Annotated[str, says("The symbol")]
    interval: Annotated[Interval, says("1m, 5m, 15m, 1h, 4h or 1d")]
    opens_at: Annotated[datetime, says("Where it begins: whole intervals of UTC")]
    open: Annotated[Decimal, says("First bid")]
    high: Annotated[Decimal, says("Highest bid")]
    low: Annotated[Decimal, says("Lowest bid")]
    close: Annotated[Decimal, says("Last bid so far")]
    ask_high: Annotated[Decimal, says("Highest ask")]
    ask_low: Annotated[Decimal, says("Lowest ask")]
    ticks: Annotated[int, says("How many ticks it is made of")]
    first_sequence: Annotated[int, says("The first of them, in the venue's sequence")]
    last_sequence: Annotated[int, says("The last of them so far")]


COLUMNS: Final = tuple(columns_of(Row))
KEY: Final = ("venue_id", "symbol", "interval", "opens_at")
CHECKPOINT: Final[LiteralString] = """
    CREATE TABLE {schema}.tick_checkpoints (
        venue_id text COLLATE "C" PRIMARY KEY,
        number bigint NOT NULL CHECK (number >= 0)
    ) WITH (fillfactor = 50)
"""
CHECKPOINT_SAYS: Final[LiteralString] = """
    COMMENT ON TABLE {schema}.tick_checkpoints
    IS 'Up to which block of each venue''s ticks the candles have been told'
"""
VENUE_SAYS: Final[LiteralString] = """
    COMMENT ON COLUMN {schema}.tick_checkpoints.venue_id IS 'The venue that was quoted'
"""
NUMBER_SAYS: Final[LiteralString] = """
    COMMENT ON COLUMN {schema}.tick_checkpoints.number IS 'The last block told'
"""
MOVE: Final[LiteralString] = """
    WITH entered AS (
        INSERT INTO {schema}.tick_checkpoints AS known (venue_id, number)
        VALUES (%(venue)s, %(number)s)
        ON CONFLICT (venue_id) DO UPDATE SET number = EXCLUDED.number
        WHERE known.number = %(before)s
        RETURNING 1
    )
    SELECT count(*) FROM entered
"""
MERGE: Final[LiteralString] = """
    INSERT INTO {schema}.candles AS known ({columns})
    SELECT {sent}
    ON CONFLICT (venue_id, symbol, interval, opens_at) DO UPDATE SET
        high = greatest(known.high, EXCLUDED.high),
        low = least(known.low, EXCLUDED.low),
        close = EXCLUDED.close,
        ask_high = greatest(known.ask_high, EXCLUDED.ask_high),
        ask_low = least(known.ask_low, EXCLUDED.ask_low),
        ticks = known.ticks + EXCLUDED.ticks,
        last_sequence = EXCLUDED.last_sequence
"""


def definition(schema: str) -> tuple[Composed, ...]:
    """Give the statements that make both tables."""
    table = Identifier(schema, NAME)
    comment = SQL("COMMENT ON COLUMN {}.{} IS {}")
    return (
        SQL("CREATE TABLE {} ({}, PRIMARY KEY ({})) WITH (fillfactor = 70)").format(
            table,
            SQL(", ").join(map(_declared, COLUMNS)),
            SQL(", ").join(map(Identifier, KEY)),
        ),
        SQL("COMMENT ON TABLE {} IS {}").format(
            table, "A row a candle: bids of one symbol in one interval of time"
        ),
        *(comment.format(table, Identifier(c.name), c.comment) for c in COLUMNS),
        SQL(CHECKPOINT).format(schema=Identifier(schema)),
        SQL(CHECKPOINT_SAYS).format(schema=Identifier(schema)),
        SQL(VENUE_SAYS).format(schema=Identifier(schema)),
        SQL(NUMBER_SAYS).format(schema=Identifier(schema)),
    )


def _declared(column: Column) -> Composed:
    collation = SQL(f" {SORTS_ALIKE}" if column.sql_type == TEXT else "")
    kind = SQL(column.sql_type)
    return SQL("{} {}{} NOT NULL").format(Identifier(column.name), kind, collation)


async def told(connection: psycopg.AsyncConnection[Any], schema: str) -> dict[str, int]:
    """Tell of each venue up to which block of ticks there are candles."""
    query = SQL("SELECT venue_id, number FROM {}.tick_checkpoints")
    cursor = await connection.execute(query.format(Identifier(schema)))
    return dict(await cursor.fetchall())


async def tell(
    connection: psycopg.AsyncConnection[Any],
    schema: str,
    venue_id: str,
    blocks: tuple[int, int],
    candles: Sequence[Candle],
) -> bool:
    """Add what blocks after the first number, up to the second, make of the candles.

    All of it or nothing; False when somebody else has told some of them before.
    """
    before, number = blocks
    given = {"venue": venue_id, "number": number, "before": before}
    move = SQL(MOVE).format(schema=Identifier(schema))
    async with connection.transaction():
        cursor = await connection.execute(move, given)
        if await cursor.fetchone() != (1,):
            return False
        if candles:
            names = SQL(", ").join(Identifier(each.name) for each in COLUMNS)
            sent = SQL(", ").join(
                SQL("unnest(%s::{}[])").format(SQL(each.sql_type)) for each in COLUMNS
            )
            merge = SQL(MERGE).format(
                schema=Identifier(schema), columns=names, sent=sent
            )
            await connection.execute(
                merge,
                [[getattr(c, each.name) for c in candles] for each in COLUMNS],
            )
    return True


SELECT: LiteralString = """
    SELECT * FROM read.candles
    WHERE venue_id = %(venue)s AND symbol = %(symbol)s AND interval = %(interval)s
      AND opens_at < %(until)s
"""
SINCE: LiteralString = " AND opens_at >= %(since)s ORDER BY opens_at LIMIT %(limit)s"
LATEST: LiteralString = " ORDER BY opens_at DESC LIMIT %(limit)s"


class Wanted(Struct, frozen=True, kw_only=True):
    venue_id: str
    symbol: str
    interval: Interval
    since: datetime | None  # None: the latest ones
    until: datetime
    limit: int


async def candles(pool: Pool, wanted: Wanted) -> tuple[Candle, ...]:
    """List candles from `since` on, or the last before `until`; the oldest first."""
    given: dict[str, object] = {
        "venue": wanted.venue_id,
        "symbol": wanted.symbol,
        "interval": wanted.interval,
        "until": wanted.until,
        "limit": wanted.limit,
    }
    if wanted.since is None:
        return (await fetch(pool, SELECT + LATEST, given, Candle))[::-1]
    return await fetch(pool, SELECT + SINCE, given | {"since": wanted.since}, Candle)


async def told_to(pool: Pool, venue_id: str) -> int:
    """Say up to which block of a venue there are candles."""
    query = "SELECT number FROM read.tick_checkpoints WHERE venue_id = %s"
    async with pool.connection() as connection:
        try:
            row = await (await connection.execute(query, (venue_id,))).fetchone()
        except UndefinedTable:  # the projector's first start makes it
            return 0
    return row[0] if row else 0
