"""A batch is stored once, wherever the line to PostgreSQL is cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import psycopg
import pytest
import uvloop

from application.engine.journal import Fenced, NotStored, Rejected
from infrastructure.event_store.journal import PostgresJournal
from tests.adapters.batches import batch_after, batch_of, head_after, receipt, recorded
from tests.adapters.cutting import Cut, Cutter
from tests.databases import Database

CUTS = 60


@pytest.fixture
async def cutter(database: Database) -> AsyncIterator[Cutter]:
    async with cutter_before(database) as cutter:
        yield cutter


@pytest.fixture
async def journal(cutter: Cutter) -> AsyncIterator[PostgresJournal]:
    async with aclosing(PostgresJournal(cutter.dsn, "p1")) as journal:
        yield journal


@asynccontextmanager
async def cutter_before(database: Database) -> AsyncIterator[Cutter]:
    with TemporaryDirectory(prefix="ts-cut-") as folder:
        async with Cutter(database.dsn(), Path(folder)) as cutter:
            yield cutter


@asynccontextmanager
async def aclosing(journal: PostgresJournal) -> AsyncIterator[PostgresJournal]:
    try:
        yield journal
    finally:
        await journal.close()


@pytest.mark.parametrize("cut", Cut)
async def test_wherever_the_line_is_cut_the_batch_is_stored_once(
    journal: PostgresJournal, cutter: Cutter, database: Database, cut: Cut
) -> None:
    head = await journal.take()
    first = batch_after(head, 3, receipts=(receipt("buy", 1),))

    cutter.armed = cut
    await journal.commit(first)
    await journal.commit(batch_after(head_after(head, first), 2))

    assert cutter.cuts == 1
    assert positions(database) == [1, 2, 3, 4, 5]
    assert journal.is_available


def test_the_same_holds_on_the_loop_that_the_product_runs_on(
    database: Database,
) -> None:
    async def cut_everywhere() -> None:
        async with (
            cutter_before(database) as cutter,
            aclosing(PostgresJournal(cutter.dsn, "p1")) as journal,
        ):
            head = await journal.take()
            for cutter.armed in Cut:
                batch = batch_after(head, 2)
                await journal.commit(batch)
                head = head_after(head, batch)

    uvloop.run(cut_everywhere())

    assert positions(database) == list(range(1, 2 * len(Cut) + 1))


async def test_many_cuts_double_nothing_and_lose_nothing(
    journal: PostgresJournal, cutter: Cutter, database: Database
) -> None:
    random = Random(5)  # noqa: S311 - a repeatable choice, not a secret
    head = await journal.take()
    for number in range(CUTS):
        batch = batch_after(
            head, random.randint(0, 3), receipts=(receipt(str(number), number),)
        )
        cutter.armed = random.choice(list(Cut))
        await journal.commit(batch)
        head = head_after(head, batch)

    assert cutter.cuts == CUTS
    assert positions(database) == list(range(1, head.position + 1))
    assert database.execute("SELECT count(*) FROM p1.receipts") == [(CUTS,)]


async def test_a_batch_waits_while_the_database_is_away(
    journal: PostgresJournal, cutter: Cutter, database: Database
) -> None:
    head = await journal.take()
    cutter.armed, cutter.is_up = Cut.BEFORE, False

    committing = asyncio.create_task(journal.commit(batch_after(head)))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(committing), timeout=0.1)
    assert not journal.is_available
    assert journal.trouble_seconds > 0
    cutter.is_up = True
    await committing

    assert journal.is_available
    assert journal.trouble_seconds == 0
    assert positions(database) == [1]


async def test_a_caller_who_stops_waiting_does_not_stop_the_commit(
    journal: PostgresJournal, cutter: Cutter, database: Database
) -> None:
    head = await journal.take()
    first = batch_after(head)
    cutter.armed, cutter.is_up = Cut.BEFORE, False
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(journal.commit(first), timeout=0.1)
    cutter.is_up = True

    await journal.commit(batch_after(head_after(head, first)))

    assert positions(database) == [1, 2]


async def test_an_engine_cut_off_and_replaced_finds_itself_fenced(
    journal: PostgresJournal, cutter: Cutter, database: Database
) -> None:
    head = await journal.take()
    cutter.armed, cutter.is_up = Cut.BEFORE, False
    committing = asyncio.create_task(journal.commit(batch_after(head)))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(committing), timeout=0.1)
    async with aclosing(PostgresJournal(database.dsn(), "p1")) as other:
        taken = await other.take()
        await other.commit(batch_of(taken, (recorded(1, "account-of-the-other"),)))
    cutter.is_up = True

    with pytest.raises(Fenced):
        await committing

    streams = database.execute("SELECT originator_id FROM p1.events")
    assert streams == [("account-of-the-other",)]


async def test_a_writer_that_hangs_with_the_head_in_its_hands_is_ended(
    database: Database, journal: PostgresJournal
) -> None:
    hanging = psycopg.connect(database.dsn(), application_name="journal-p1")
    hanging.execute("SELECT FROM p1.partition_head FOR UPDATE")

    head = await journal.take()
    await journal.commit(batch_after(head))

    with pytest.raises(psycopg.OperationalError):
        hanging.execute("SELECT 1")
    assert positions(database) == [1]


async def test_a_head_that_cannot_be_asked_leaves_the_outcome_open_not_wrong(
    journal: PostgresJournal, cutter: Cutter, database: Database
) -> None:
    """Another session locks the head just when we need to know what became of us."""
    head = await journal.take()
    cutter.armed, cutter.is_up = Cut.ANSWER, False
    committing = asyncio.create_task(journal.commit(batch_after(head)))
    await asyncio.wait({committing}, timeout=0.2)
    async with await psycopg.AsyncConnection.connect(database.dsn()) as other:
        await other.execute("SELECT FROM p1.partition_head FOR UPDATE")
        cutter.is_up = True
        await asyncio.wait({committing}, timeout=2.5)  # longer than our lock_timeout
        assert not committing.done()

    await committing

    assert positions(database) == [1]


async def test_content_that_no_column_can_hold_is_refused_not_retried(
    journal: PostgresJournal,
) -> None:
    head = await journal.take()
    for stream, version in (("account-\0", 1), ("account-\ud800", 1), ("a", 2**63)):
        with pytest.raises(Rejected):
            await journal.commit(batch_of(head, (recorded(1, stream, version),)))

    await journal.commit(batch_after(head))


async def test_a_refusal_that_is_not_about_the_content_says_not_stored(
    journal: PostgresJournal, database: Database
) -> None:
    head = await journal.take()
    database.execute("REVOKE INSERT ON p1.events FROM ts_app")

    with pytest.raises(NotStored) as refusal:
        await journal.commit(batch_after(head))

    assert not isinstance(refusal.value, Rejected)
    database.execute("GRANT INSERT ON p1.events TO ts_app")
    await journal.commit(batch_after(head))


def positions(database: Database) -> list[object]:
    rows = database.execute("SELECT notification_id FROM p1.events ORDER BY 1")
    return [position for (position,) in rows]
