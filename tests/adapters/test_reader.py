"""A reader of the log sees every fact, in order, soon; and nothing twice."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import psycopg
import pytest

from application.engine.journal import Head, Recorded
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.event_store.reader import LogReader, PositionGap
from infrastructure.event_store.upcasters import Upcaster, upcast
from tests.adapters.batches import batch_after, batch_of, head_after, recorded
from tests.adapters.reading import numbers, read_all, reading
from tests.databases import Database

BATCHES = 40
PARTITIONS = ("p1", "s1")


@pytest.fixture
async def journal(database: Database) -> AsyncIterator[PostgresJournal]:
    journal = PostgresJournal(database.dsn(), "p1")
    yield journal
    await journal.close()


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[LogReader]:
    async with reading(database) as reader:
        yield reader


async def test_pages_come_in_order_and_end_where_the_log_ends(
    journal: PostgresJournal, reader: LogReader
) -> None:
    await journal.commit(batch_after(await journal.take(), 5))

    assert numbers(await reader.page(after=0, limit=2)) == [1, 2]
    assert numbers(await reader.page(after=2, limit=10)) == [3, 4, 5]
    assert numbers(await reader.page(after=5)) == []
    assert await reader.position() == 5


async def test_readers_of_two_partitions_skip_nothing_while_commits_are_delayed(
    database: Database,
) -> None:
    async with asyncio.timeout(30):
        reads = [
            asyncio.create_task(read_all(database, name, until=until(name)))
            for name in PARTITIONS
        ]
        await asyncio.gather(*(write_all(database, name) for name in PARTITIONS))
        seen = await asyncio.gather(*reads)

    for name, positions in zip(PARTITIONS, seen, strict=True):
        assert positions == list(range(1, until(name) + 1))


async def test_a_hole_in_the_log_is_an_alarm(
    database: Database, reader: LogReader
) -> None:
    insert(database, 1, 3)

    with pytest.raises(PositionGap, match="expected position 2, found 3"):
        await reader.page(after=0)


async def test_a_lost_end_of_the_log_is_an_alarm(
    database: Database, reader: LogReader
) -> None:
    insert(database, 1)
    database.execute("UPDATE p1.partition_head SET position = 2")

    assert numbers(await reader.page(after=0)) == [1]
    with pytest.raises(PositionGap, match="ends at 2"):
        await reader.page(after=1)


async def test_waiting_for_a_position_ends_when_it_is_there_or_in_time(
    journal: PostgresJournal, reader: LogReader
) -> None:
    head = await journal.take()
    assert not await reader.wait_for(1, timeout=0.05)

    waiting = asyncio.create_task(reader.wait_for(1, timeout=10))
    await journal.commit(batch_after(head))

    assert await waiting
    assert await reader.wait_for(1, timeout=0)


async def test_a_reader_without_hints_looks_by_itself(
    database: Database, reader: LogReader
) -> None:
    """A commit whose hint is lost is seen at the next look, a second later at most."""
    pages = reader.pages(after=0)
    first = asyncio.ensure_future(anext(pages))
    await asyncio.wait({first}, timeout=0.05)
    insert(database, 1)
    database.execute("UPDATE p1.partition_head SET position = 1")

    async with asyncio.timeout(1.5):
        assert numbers(await first) == [1]


def test_an_old_shape_is_read_in_the_new_words() -> None:
    chain: dict[str, Upcaster] = {
        "a/1": lambda shape: ("a/2", {**shape, "side": "long"}),
        "a/2": lambda shape: ("a/3", {**shape, "venue": "live"}),
    }

    name, payload = upcast("a/1", b'{"type":"a/1","price":"1"}', chain)

    assert name == "a/3"
    assert payload == b'{"type":"a/3","price":"1","side":"long","venue":"live"}'
    assert upcast("b/1", b"{}", chain) == ("b/1", b"{}")


def until(partition: str) -> int:
    return sum(sizes(partition))


def sizes(partition: str) -> list[int]:
    random = Random(partition)  # noqa: S311 - a repeatable choice, not a secret
    return [random.randint(1, 9) for _ in range(BATCHES)]


async def write_all(database: Database, partition: str) -> None:
    """Commit batch after batch while another session holds the head now and then."""
    journal = PostgresJournal(database.dsn(), partition)
    head = await journal.take()
    async with await psycopg.AsyncConnection.connect(
        database.dsn(), autocommit=True
    ) as other:
        for number, size in enumerate(sizes(partition)):
            batch = batch_of(head, tuple(events_after(head, size)))
            committing = asyncio.create_task(journal.commit(batch))
            if number % 4 == 0:
                async with other.transaction():
                    await other.execute(
                        f"SELECT pg_sleep(0.005) FROM {partition}.partition_head"  # noqa: S608 - our own names
                        " FOR UPDATE"
                    )
            await committing
            head = head_after(head, batch)
    await journal.close()


def events_after(head: Head, size: int) -> list[Recorded]:
    return [recorded(head.position + 1 + offset) for offset in range(size)]


def insert(database: Database, *positions: int) -> None:
    for position in positions:
        database.execute(
            "INSERT INTO p1.events VALUES (%s, 1, %s, 'a/1', '{}')",
            position,
            f"account-{position}",
        )
