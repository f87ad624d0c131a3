"""Each fact counts once: whoever dies, whoever reads along, however often rebuilt."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from random import Random

import psycopg
import pytest
from psycopg.sql import SQL

from application.catalogue import FACTS
from application.parked import ParkedRetried, ParkedSkipped
from application.refusals import ProjectionBehind
from domain.plan.events import PlanActivated, PlanDrafted
from domain.venue.events import (
    ClockAdvanced,
    FeedGap,
    InstrumentChanged,
    InstrumentListed,
    JudgingCaughtUp,
    JudgingDeferred,
    SymbolQuarantined,
    SymbolReleased,
    VenueOpened,
)
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.event_store.reader import PositionGap
from infrastructure.event_store.wire import connect
from infrastructure.roles import Role
from projections.digest import Digest, digest
from projections.lag import lags
from projections.pages import Page, Pages
from projections.rebuild import rebuild
from projections.runner import Runner
from projections.schema import PROJECTIONS, READ, create, has_other_shape
from projections.telling import Tables
from tests.adapters.projecting import PARTITIONS, caught_up, projecting, reading
from tests.adapters.trading_desk import Desk, trading_desk
from tests.databases import Database

SEED = 20_260_105
PROJECT = """
import asyncio, sys
from projections.process import project_until_signalled
asyncio.run(project_until_signalled(sys.argv[1], page=2))
"""


@pytest.fixture
async def live(database: Database) -> AsyncIterator[Desk]:
    async with trading_desk(
        "p1", PostgresJournal(database.dsn(), "p1"), "live"
    ) as desk:
        yield desk


@pytest.fixture
async def sandbox(database: Database) -> AsyncIterator[Desk]:
    async with trading_desk(
        "s1", PostgresJournal(database.dsn(), "s1"), "sb-1"
    ) as desk:
        yield desk


async def busy(desk: Desk, traders: int = 4, moves: int = 12, seed: int = SEED) -> None:
    """Trade to and fro at random prices until somebody is breached, as a rule."""
    random = Random(seed)  # noqa: S311 - chance to be repeated, not a secret
    accounts = [
        await desk.opens_account(trader=f"trader-{number}") for number in range(traders)
    ]
    open_trades: list[tuple[str, str]] = []
    for _ in range(moves):
        price = f"{1.1 + random.randint(-400, 400) / 1e5:.5f}"
        await desk.quotes(price, price)
        for account_id in accounts:
            entry = desk.host.engine.memory.shown(f"account-{account_id}")
            if entry is None or entry.state.status != "active":  # type: ignore[union-attr]
                continue
            if random.random() < 0.7:
                open_trades.append((account_id, await desk.trades(account_id, "0.20")))
            else:
                still = {p.trade_id for p in entry.state.positions}  # type: ignore[union-attr]
                for held in [t for t in open_trades if t[1] in still][:1]:
                    await desk.closes(*held, "0.10")


async def test_two_partitions_fill_the_same_tables(
    database: Database, live: Desk, sandbox: Desk
) -> None:
    async with projecting(database), reading(database) as read:
        await asyncio.gather(busy(live), busy(sandbox, seed=SEED + 1))
        await caught_up(database, read)

    told = database.execute(
        "SELECT partition, count(*), max(position) FROM read.accounts"
        " GROUP BY partition ORDER BY 1",
        role=Role.AUDITOR,
    )
    assert [(name, count) for name, count, _ in told] == [("p1", 4), ("s1", 4)]
    checkpoints = database.execute(
        "SELECT partition, position FROM read.checkpoints ORDER BY 1"
    )
    assert checkpoints == [("p1", live.position), ("s1", sandbox.position)]


async def test_a_projector_that_loses_its_connection_again_and_again_counts_once(
    database: Database, live: Desk
) -> None:
    await busy(live)
    async with reading(database) as read:
        runner = Runner(database.dsn(Role.PROJECTOR), "p1", page=3)
        running = asyncio.create_task(runner.run())
        for position in range(5, live.position, 7):
            await read.wait_for("p1", position, 20)
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'projector-p1'"
                " AND datname = current_database()",
                role=Role.PROJECTOR,
            )
        await read.wait_for("p1", live.position, 20)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        runner.close()

    await equals_a_rebuild(database)


async def test_a_projector_process_killed_again_and_again_counts_once(
    database: Database, live: Desk
) -> None:
    dsn = database.dsn(Role.PROJECTOR)
    async with reading(database) as read:
        for seed in range(3):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", PROJECT, dsn
            )
            trading = asyncio.create_task(busy(live, seed=seed))
            await read.wait_for("p1", read.position("p1") + 10, 20)
            process.kill()
            await process.wait()
            await trading
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROJECT, dsn
        )
        await caught_up(database, read, partitions=("p1",))
        process.terminate()
        assert await process.wait() == 0

    await equals_a_rebuild(database)


async def test_two_projectors_at_once_count_once(
    database: Database, live: Desk
) -> None:
    async with projecting(database), projecting(database), reading(database) as read:
        await busy(live)
        await caught_up(database, read)

    await equals_a_rebuild(database)


async def test_a_page_that_does_not_begin_where_the_tables_are_is_not_told(
    database: Database, live: Desk
) -> None:
    await busy(live, traders=1, moves=3)
    first, second = (await whole_log(database)).halves()
    async with telling(database) as tables, telling(database) as others:
        assert not await tables.tell(second)
        assert await tables.tell(first)
        assert not await tables.tell(first)
        assert not await others.tell(first)  # these have not heard of it
        assert await others.position() == first.last
        assert await others.tell(second)
        assert not await tables.tell(second)
        assert await tables.position() == live.position

    await equals_a_rebuild(database)


async def test_what_is_remembered_of_tables_ends_with_them(
    database: Database, live: Desk
) -> None:
    account_id = await live.opens_account()
    await live.quotes("1.10000", "1.10000")
    await live.trades(account_id, "0.10")
    dsn = database.dsn(Role.PROJECTOR)
    async with telling(database) as tables:
        assert await tables.tell(await whole_log(database))
        await rebuild(dsn, PARTITIONS)
        told = live.position
        await live.trades(account_id, "0.10")
        with closing(Pages(dsn, "p1")) as log:
            page = await log.page(told)
        assert page is not None
        assert not await tables.tell(page)
        assert await tables.position() == told
        assert await tables.tell(page)

    await equals_a_rebuild(database)


async def test_a_rebuild_beside_the_live_tables_ends_equal_to_them(
    database: Database, live: Desk, sandbox: Desk
) -> None:
    dsn = database.dsn(Role.PROJECTOR)
    await busy(live)
    async with projecting(database), reading(database) as read:
        trading = asyncio.gather(busy(live, moves=30), busy(sandbox))
        for _ in range(3):
            await rebuild(dsn, PARTITIONS)
        await trading
        await caught_up(database, read)
        continued = await digest(dsn)

    await rebuild(dsn, PARTITIONS)
    assert (await digest(dsn)).by_events == continued.by_events
    assert continued.position == {"p1": live.position, "s1": sandbox.position}
    left = database.execute("SELECT FROM pg_tables WHERE schemaname = 'read_next'")
    assert left == []


async def test_rebuilt_tables_are_as_open_to_readers_as_the_first_ones(
    database: Database, live: Desk
) -> None:
    await rebuild(database.dsn(Role.PROJECTOR), PARTITIONS)
    await rebuild(database.dsn(Role.PROJECTOR), PARTITIONS)
    for role in (Role.APP, Role.ANALYST, Role.AUDITOR):
        assert database.execute("SELECT count(*) FROM read.trades", role=role) == [(0,)]
    for role in (Role.APP, Role.ANALYST, Role.AUDITOR):
        with pytest.raises(psycopg.errors.Error, match=r"denied|read-only"):
            database.execute("DELETE FROM read.trades", role=role)


async def test_every_table_and_column_says_what_it_is(database: Database) -> None:
    await rebuild(database.dsn(Role.PROJECTOR), PARTITIONS)
    silent = database.execute(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a"
        " ON a.attrelid = c.oid AND a.attnum >= 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'read'::regnamespace AND c.relkind = 'r'"
        " AND c.relname <> 'checkpoints'"
        " AND col_description(c.oid, a.attnum) IS NULL"
    )
    assert silent == []


def test_every_fact_is_heard_or_left_out_on_purpose() -> None:
    heard = {fact for projection in PROJECTIONS for fact in projection.hears}
    assert set(FACTS.values()) - heard == {
        PlanDrafted,
        PlanActivated,
        VenueOpened,
        ClockAdvanced,
        FeedGap,
        SymbolQuarantined,
        SymbolReleased,
        InstrumentListed,
        InstrumentChanged,
        JudgingDeferred,
        JudgingCaughtUp,
        ParkedRetried,
        ParkedSkipped,
    }


async def test_tables_of_another_version_are_noticed(database: Database) -> None:
    dsn = database.dsn(Role.PROJECTOR)
    await rebuild(dsn, PARTITIONS)
    async with await connect(dsn) as connection:
        assert not await has_other_shape(connection, READ)
        await connection.execute("UPDATE read.checkpoints SET shape = 'older'")
        assert await has_other_shape(connection, READ)


async def test_a_hole_in_the_log_stops_the_projector(database: Database) -> None:
    journal = PostgresJournal(database.dsn(), "p1")
    await journal.take()
    database.execute(
        "INSERT INTO p1.events (notification_id, originator_id, originator_version,"
        " topic, state) VALUES (2, 'plan-x', 1, 'plan.activated/1', '{}')"
    )
    runner = Runner(database.dsn(Role.PROJECTOR), "p1")
    with pytest.raises(PositionGap):
        await asyncio.wait_for(runner.run(), 10)
    runner.close()
    await journal.close()


async def test_who_waits_for_a_position_is_told_when_it_will_not_come(
    database: Database, live: Desk
) -> None:
    async with projecting(database), reading(database) as read:
        await read.wait_for("p1", live.position, 20)
        with pytest.raises(ProjectionBehind, match=f"p1-{live.position}"):
            await read.wait_for("p1", live.position + 1, 0.05)
        assert all(lag.lag_events == 0 for lag in await read.lags())


async def test_a_lag_is_told_in_facts_and_in_seconds(
    database: Database, live: Desk
) -> None:
    async with await connect(database.dsn()) as connection:
        behind, idle = await lags(connection)
    assert (behind.partition, behind.lag_events) == ("p1", live.position)
    assert behind.lag_seconds > 0
    assert (idle.lag_events, idle.lag_seconds) == (0, 0.0)


@asynccontextmanager
async def telling(database: Database) -> AsyncIterator[Tables]:
    dsn = database.dsn(Role.PROJECTOR)
    async with await connect(dsn) as connection:
        await create(connection, READ)
    with closing(await Tables.open(dsn, "p1")) as tables:
        await tables.position()
        yield tables


async def whole_log(database: Database) -> Page:
    with closing(Pages(database.dsn(Role.PROJECTOR), "p1")) as log:
        page = await log.page(0)
    assert page is not None
    return page


async def equals_a_rebuild(database: Database) -> None:
    dsn = database.dsn(Role.PROJECTOR)
    lived: Digest = await digest(dsn)
    await rebuild(dsn, PARTITIONS)
    assert (await digest(dsn)).by_events == lived.by_events
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(SQL("SELECT count(*) FROM read.trades")).fetchone()
    assert rows is not None
    assert rows[0] > 0
