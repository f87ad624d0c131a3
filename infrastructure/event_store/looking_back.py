"""What the log and the ticks say about one account's past, read to be drawn.

Everything here is bounded: facts by number, quotes by samples.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, groupby
from typing import Any, Final, LiteralString

from msgspec import Struct
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from application.catalogue import decode
from application.curve import Sample, exposures
from application.engine.journal import TickBlock
from application.engine.tick_block import unpack
from application.views.account import AccountView
from domain.account.events import AccountEvent, AccountOpened
from domain.venue.events import DayBoundaryPassed
from infrastructure.event_store.upcasters import upcast

MOST_FACTS: Final = 10_000
FEW_TICKS: Final = 4_000  # are read all, so that nothing between them is missed
NEAR_TICKS: Final = 20  # before a sample: among these every live symbol is quoted
SAMPLES: Final = 240
LARGEST_BLOCK: Final = 256  # of quotes, where only a sample of them is wanted

Pool = AsyncConnectionPool[Any]

FACTS: LiteralString = """
    SELECT topic, state FROM {partition}.events
    WHERE originator_id = %(stream)s
    ORDER BY originator_version LIMIT %(limit)s
"""
TURNS: LiteralString = """
    SELECT topic, state FROM {partition}.events
    WHERE originator_id = %(stream)s
      AND topic LIKE 'venue.day-boundary-passed/%%'
    ORDER BY originator_version DESC LIMIT %(limit)s
"""
BETWEEN: LiteralString = """
    SELECT venue_id, number, first_sequence, last_sequence, engine_from, engine_to,
        body, sha256, previous_sha256
    FROM {partition}.tick_blocks
    WHERE venue_id = %(venue)s
      AND greatest(first_sequence, last_sequence) > %(since)s
      AND greatest(first_sequence, last_sequence) <= %(until)s
    ORDER BY number
"""
NEAR: LiteralString = """
    SELECT wanted.tick, near.*
    FROM unnest(%(ticks)s::bigint[]) AS wanted (tick), LATERAL (
        SELECT venue_id, number, first_sequence, last_sequence, engine_from, engine_to,
            body, sha256, previous_sha256
        FROM {partition}.tick_blocks
        WHERE venue_id = %(venue)s
          AND greatest(first_sequence, last_sequence) > wanted.tick - %(near)s
          AND greatest(first_sequence, last_sequence) <= wanted.tick
          AND last_sequence - first_sequence < %(largest)s
    ) AS near
    ORDER BY wanted.tick, near.number
"""


class Found(TickBlock, frozen=True, kw_only=True):
    tick: int  # the one that it was looked up for


class Drawing(Struct, frozen=True):
    """Blocks as they are stored: reading them takes a while, so a thread may do it."""

    facts: tuple[AccountEvent, ...]
    is_whole: bool  # False: the account has more facts than these
    turns: tuple[DayBoundaryPassed, ...]
    every: tuple[TickBlock, ...] = ()
    near: tuple[Found, ...] = ()

    def samples(self) -> Iterator[Sample]:
        for block in self.every:
            for each in unpack(block).accepted:
                quote = each.quote
                yield Sample(each.engine_time, quote.sequence, (quote,))
        for _, blocks in groupby(self.near, key=lambda block: block.tick):
            *_, last = together = tuple(blocks)
            accepted = (each for block in together for each in unpack(block).accepted)
            quotes = tuple(each.quote for each in accepted)
            yield Sample(last.engine_to, last.last_sequence, quotes)


async def looked_back(pool: Pool, partition: str, account: AccountView) -> Drawing:
    """Read every quote of the time at risk where they are few, else samples of them.

    What the positions were worth at a boundary hangs a floor, so it is always read.
    """
    facts = await facts_of(pool, partition, account.account_id, account.version)
    opened = facts[0]
    assert isinstance(opened, AccountOpened)
    last_tick, venue_id = account.quote_sequence, account.venue_id
    turns = await turns_of(pool, partition, opened, account.valued_at)
    is_whole = len(facts) == account.version
    spans = [(each.since, each.until or last_tick) for each in exposures(facts)]
    ticks = sum(until - since for since, until in spans)
    if ticks <= FEW_TICKS:
        every = [await between(pool, partition, venue_id, *span) for span in spans]
        return Drawing(facts, is_whole, turns, every=tuple(chain.from_iterable(every)))
    step = max(1, ticks // SAMPLES)
    wanted = {tick for since, until in spans for tick in range(since, until + 1, step)}
    wanted.update(each.tick for each in turns)
    samples = await near(pool, partition, venue_id, wanted)
    return Drawing(facts, is_whole, turns, near=samples)


async def facts_of(
    pool: Pool, partition: str, account_id: str, version: int
) -> tuple[AccountEvent, ...]:
    """List an account's facts up to a version: all of them, unless they are many."""
    given = {"stream": f"account-{account_id}", "limit": min(version, MOST_FACTS)}
    rows = await fetch(pool, FACTS, partition, given)
    facts = (decode(*upcast(topic, state)) for topic, state in rows)
    return tuple(fact for fact in facts if isinstance(fact, AccountEvent))


async def turns_of(
    pool: Pool, partition: str, opened: AccountOpened, until: datetime
) -> tuple[DayBoundaryPassed, ...]:
    """List the boundaries of the account's day since it was opened."""
    given = {"stream": f"venue-{opened.venue_id}", "limit": MOST_FACTS}
    rows = await fetch(pool, TURNS, partition, given)
    facts = (decode(*upcast(topic, state)) for topic, state in rows)
    day = opened.phase.trading_day
    return tuple(
        fact
        for fact in facts
        if isinstance(fact, DayBoundaryPassed)
        and fact.trading_day == day
        and opened.at < fact.at <= until
    )


async def between(
    pool: Pool, partition: str, venue_id: str, since: int, until: int
) -> list[TickBlock]:
    query = SQL(BETWEEN).format(partition=Identifier(partition))
    given = {"venue": venue_id, "since": since, "until": until}
    async with pool.connection() as connection:
        cursor = connection.cursor(row_factory=class_row(TickBlock), binary=True)
        await cursor.execute(query, given)
        blocks: list[TickBlock] = await cursor.fetchall()
        return blocks


async def near(
    pool: Pool, partition: str, venue_id: str, ticks: Iterable[int]
) -> tuple[Found, ...]:
    query = SQL(NEAR).format(partition=Identifier(partition))
    given = {
        "venue": venue_id,
        "ticks": sorted(ticks),
        "near": NEAR_TICKS,
        "largest": LARGEST_BLOCK,
    }
    async with pool.connection() as connection:
        cursor = connection.cursor(row_factory=class_row(Found), binary=True)
        await cursor.execute(query, given)
        return tuple(await cursor.fetchall())


async def fetch(
    pool: Pool, query: LiteralString, partition: str, given: dict[str, object]
) -> list[tuple[str, bytes]]:
    text = SQL(query).format(partition=Identifier(partition))
    async with pool.connection() as connection:
        rows: list[tuple[str, bytes]]
        rows = await (await connection.execute(text, given)).fetchall()
        return rows
