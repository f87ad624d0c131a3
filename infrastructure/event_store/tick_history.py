"""What was quoted of one symbol, as the tick log has it: accepted, or refused and why.

Blocks lie in the order of engine time, so the first of an hour is found by halving:
a handful of looks at the primary key, however many millions there are.
"""

from datetime import datetime
from typing import Any, Final, LiteralString

from msgspec import UNSET, Struct, UnsetType
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from application.engine.journal import TickBlock
from application.engine.tick_block import Accepted, Refused, in_order, place, unpack

MOST_BLOCKS: Final = 400  # that one page looks through
FEW_BLOCKS: Final = 50

FIRST: Final[LiteralString] = """
    WITH RECURSIVE halved (low, high) AS (
        SELECT min(number), max(number) + 1 FROM {p}.tick_blocks
        WHERE venue_id = %(venue)s
        UNION ALL
        SELECT
            CASE WHEN middle.engine_to < %(since)s THEN middle.number + 1 ELSE low END,
            CASE WHEN middle.engine_to < %(since)s THEN high ELSE middle.number END
        FROM halved, LATERAL (
            SELECT number, engine_to FROM {p}.tick_blocks
            WHERE venue_id = %(venue)s AND number = (low + high) / 2
        ) AS middle
        WHERE low < high
    )
    SELECT low FROM halved WHERE low = high
"""
BLOCKS: Final[LiteralString] = """
    SELECT venue_id, number, first_sequence, last_sequence, engine_from, engine_to,
        body, sha256, previous_sha256
    FROM {p}.tick_blocks
    WHERE venue_id = %(venue)s AND number >= %(number)s ORDER BY number LIMIT %(limit)s
"""


class Said(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A quote as its source sent it, and what the gate made of it."""

    sequence: int | None  # its number in the venue's sequence; None: refused
    accepted: bool
    reason: str | UnsetType = UNSET
    symbol: str
    bid: str  # as it was said where it was refused: it may be no number
    ask: str
    at: datetime  # the exchange's stamp
    heard_at: datetime  # engine time
    source: str
    source_at: datetime
    after: int  # the venue's last accepted sequence before it


class Place(Struct, frozen=True, array_like=True):
    """Where a page ends: a block, and how many of its quotes were seen."""

    number: int
    seen: int = 0


class Listed(Struct, frozen=True):
    items: tuple[Said, ...]
    next: Place | None


class Wanted(Struct, frozen=True, kw_only=True):
    partition: str
    venue_id: str
    symbol: str
    since: datetime
    until: datetime
    accepted: bool | None  # None: both
    limit: int


async def quoted(
    pool: AsyncConnectionPool[Any], wanted: Wanted, start: Place | None
) -> Listed:
    """List what was quoted in order. A page may be short, and yet not be the last."""
    if start is None and (start := await _first(pool, wanted)) is None:
        return Listed((), None)
    found: list[Said] = []
    looked_at = 0
    while looked_at < MOST_BLOCKS:
        blocks = await _blocks(pool, wanted, start)
        if not blocks:
            return Listed(tuple(found), None)
        for block in blocks:
            if block.engine_from >= wanted.until:
                return Listed(tuple(found), None)
            for number, each in enumerate(in_order(unpack(block)), start=1):
                if number <= start.seen or not _is_wanted(each, wanted):
                    continue
                found.append(said(each))
                if len(found) == wanted.limit:
                    return Listed(tuple(found), Place(block.number, number))
            start = Place(block.number + 1)
        looked_at += len(blocks)
    return Listed(tuple(found), start)


async def _first(pool: AsyncConnectionPool[Any], wanted: Wanted) -> Place | None:
    query = SQL(FIRST).format(p=Identifier(wanted.partition))
    given = {"venue": wanted.venue_id, "since": wanted.since}
    async with pool.connection() as connection:
        row = await (await connection.execute(query, given)).fetchone()
    return Place(row[0]) if row else None


async def _blocks(
    pool: AsyncConnectionPool[Any], wanted: Wanted, start: Place
) -> list[TickBlock]:
    query = SQL(BLOCKS).format(p=Identifier(wanted.partition))
    given = {"venue": wanted.venue_id, "number": start.number, "limit": FEW_BLOCKS}
    async with pool.connection() as connection:
        cursor = connection.cursor(row_factory=class_row(TickBlock), binary=True)
        await cursor.execute(query, given)
        blocks: list[TickBlock] = await cursor.fetchall()
        return blocks


def _is_wanted(each: Accepted | Refused, wanted: Wanted) -> bool:
    is_accepted = isinstance(each, Accepted)
    symbol = each.quote.symbol if isinstance(each, Accepted) else each.raw.symbol
    return (
        symbol == wanted.symbol
        and wanted.accepted in (None, is_accepted)
        and wanted.since <= each.engine_time < wanted.until
    )


def said(each: Accepted | Refused) -> Said:
    if isinstance(each, Accepted):
        return Said(
            sequence=each.quote.sequence,
            accepted=True,
            symbol=each.quote.symbol,
            bid=f"{each.quote.bid:f}",
            ask=f"{each.quote.ask:f}",
            at=each.quote.at,
            heard_at=each.engine_time,
            source=each.source,
            source_at=each.source_at,
            after=each.quote.sequence - 1,
        )
    return Said(
        sequence=None,
        accepted=False,
        reason=each.reason,
        symbol=each.raw.symbol,
        bid=each.raw.bid,
        ask=each.raw.ask,
        at=each.raw.at,
        heard_at=each.engine_time,
        source=each.raw.source,
        source_at=each.raw.source_at,
        after=place(each),
    )
