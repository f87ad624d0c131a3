"""What a table cannot be told is parked with its cause; all else is told."""

import asyncio
from typing import Any, cast

import pytest
from msgspec.structs import replace

from application.engine.journal import Recorded
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.event_store.upcasters import UPCASTERS
from infrastructure.event_store.wire import connect
from infrastructure.roles import Role
from projections.digest import digest
from projections.lag import lags
from projections.rebuild import rebuild
from projections.runner import Runner
from projections.schema import PROJECTIONS
from projections.table import Projection, Rows
from projections.told import Told
from projections.trades import TRADES
from tests.adapters.batches import batch_of, recorded
from tests.adapters.projecting import PARTITIONS, reading
from tests.adapters.trading_desk import trading_desk
from tests.databases import Database

CHANGES = 6


async def traded(database: Database) -> int:
    """Fill the log; say where its third trade was opened."""
    journal = PostgresJournal(database.dsn(), "p1")
    async with trading_desk("p1", journal, "live") as desk:
        account_id = await desk.opens_account()
        await desk.quotes("1.10000", "1.10000")
        for _ in range(CHANGES):
            await desk.trades(account_id, "0.10")
    rows = database.execute(
        "SELECT notification_id FROM p1.events"
        " WHERE topic = 'account.position-opened/1' ORDER BY 1 OFFSET 2 LIMIT 1"
    )
    position = rows[0][0]
    assert isinstance(position, int)
    return position


def broken_at(position: int) -> tuple[Projection[Any], ...]:
    """The tables of a version with a bug in one of them."""

    def fold(rows: Rows[Any], told: Told) -> None:
        TRADES.fold(rows, told)
        if told.position == position:
            message = "a bug"
            raise KeyError(message)

    broken = replace(TRADES, fold=fold)
    return tuple(broken if each is TRADES else each for each in PROJECTIONS)


async def project(
    database: Database, projections: tuple[Projection[Any], ...] = PROJECTIONS
) -> None:
    """Tell the tables all that the log of the live venue holds."""
    runner = Runner(database.dsn(Role.PROJECTOR), "p1", projections=projections)
    running = asyncio.create_task(runner.run())
    ((end,),) = database.execute("SELECT position FROM p1.partition_head")
    async with reading(database) as read:
        assert isinstance(end, int)
        await read.wait_for("p1", end, 20)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    runner.close()


def parked(database: Database) -> list[tuple[object, ...]]:
    return database.execute(
        "SELECT subject, cause, settled FROM p1.parked ORDER BY id", role=Role.AUDITOR
    )


async def count(database: Database) -> int:
    async with await connect(database.dsn(Role.PROJECTOR)) as connection:
        return (await lags(connection))[0].parked_events


async def test_an_event_that_breaks_one_table_is_told_to_all_others(
    database: Database,
) -> None:
    position = await traded(database)

    await project(database, broken_at(position))

    cause = "trades: KeyError: 'a bug'"
    assert parked(database) == [(f"p1-{position}", cause, None)]
    assert await count(database) == 1
    told = database.execute("SELECT count(*) FROM read.trades")
    assert told == [(CHANGES - 1,)]
    balance = database.execute("SELECT open_trades FROM read.accounts")
    assert balance == [(CHANGES,)]


async def test_a_rebuild_tries_what_was_parked_again(database: Database) -> None:
    position = await traded(database)
    await project(database, broken_at(position))

    await rebuild(database.dsn(Role.PROJECTOR), PARTITIONS)

    assert [settled for *_, settled in parked(database)] == ["rebuilt"]
    assert await count(database) == 0
    assert database.execute("SELECT count(*) FROM read.trades") == [(CHANGES,)]


async def test_what_a_rebuild_cannot_tell_either_stays_parked(
    database: Database,
) -> None:
    position = await traded(database)
    await project(database, broken_at(position))
    lived = await digest(database.dsn(Role.PROJECTOR))
    (kept,) = parked(database)

    for _ in range(2):
        await rebuild(
            database.dsn(Role.PROJECTOR), PARTITIONS, projections=broken_at(position)
        )

    assert parked(database) == [kept]
    again = await digest(database.dsn(Role.PROJECTOR))
    assert again.by_events == lived.by_events


async def test_what_no_table_understands_is_parked_and_the_rest_is_told(
    database: Database,
) -> None:
    """As after going back to an older version, which has no name for a new fact."""
    await traded(database)
    journal = PostgresJournal(database.dsn(), "p1")
    head = await journal.take()
    stranger = from_tomorrow(head.position + 1)
    spoilt = replace(stranger, position=head.position + 2, name="account.opened/1")
    spoilt = replace(spoilt, stream="account-spoilt")
    await journal.commit(batch_of(head, (stranger, spoilt)))
    await journal.close()

    await project(database)

    told = [
        (subject, str(cause).partition(":")[0])
        for subject, cause, _ in parked(database)
    ]
    assert told == [
        (f"p1-{stranger.position}", "all tables"),
        (f"p1-{spoilt.position}", "all tables"),
    ]
    assert database.execute("SELECT count(*) FROM read.trades") == [(CHANGES,)]
    lived = await digest(database.dsn(Role.PROJECTOR))
    await rebuild(database.dsn(Role.PROJECTOR), PARTITIONS)
    again = await digest(database.dsn(Role.PROJECTOR))
    assert again.by_events == lived.by_events
    assert await count(database) == 2


async def test_what_was_upcast_in_vain_is_parked_with_that_cause(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await traded(database)
    journal = PostgresJournal(database.dsn(), "p1")
    head = await journal.take()
    old = replace(from_tomorrow(head.position + 1), name="account.opened/0")
    await journal.commit(batch_of(head, (old, recorded(head.position + 2))))
    await journal.close()

    def in_vain(shape: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return "account.opened/1", {**shape, "trader_id": shape["owner"]}

    monkeypatch.setitem(cast("Any", UPCASTERS), old.name, in_vain)
    await project(database)

    assert parked(database)[0] == (
        f"p1-{old.position}",
        "all tables: KeyError: 'owner'",
        None,
    )
    assert database.execute("SELECT count(*) FROM read.trades") == [(CHANGES,)]


async def test_what_no_column_can_hold_is_parked(database: Database) -> None:
    position = await traded(database)
    ((name, payload),) = database.execute(
        "SELECT topic, state FROM p1.events WHERE notification_id = %s", position
    )
    assert isinstance(payload, bytes)
    journal = PostgresJournal(database.dsn(), "p1")
    head = await journal.take()
    odd = payload.replace(b'"symbol":"EURUSD"', rb'"symbol":"\u0000"')
    spoilt = replace(recorded(head.position + 1), name=name, payload=odd)
    await journal.commit(batch_of(head, (spoilt,)))
    await journal.close()

    await project(database, (TRADES,))

    ((subject, cause, _),) = parked(database)
    assert subject == f"p1-{spoilt.position}"
    assert str(cause).startswith("trades: Failed: 22")
    told = database.execute("SELECT symbol, count(*) FROM read.trades GROUP BY symbol")
    assert told == [("EURUSD", CHANGES)]


def from_tomorrow(position: int) -> Recorded:
    return replace(recorded(position), name="account.promoted/1", payload=b"{}")
