"""What the tables say after what has happened."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from psycopg_pool import AsyncConnectionPool

from application.catalogue import fact_of
from domain.account.events import AccountQuarantined
from infrastructure.event_store.history import history
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.roles import Role
from projections.accounts import ACCOUNTS, account, account_owner, accounts_of
from projections.breaches import breach, breaches_of
from projections.challenges import challenges_of
from projections.leaderboard import LEADERBOARD, leaderboard
from projections.table import Rows
from projections.told import told
from projections.trades import account_of_trade, trade, trades_of
from tests.adapters.projecting import project_all
from tests.adapters.trading_desk import (
    MAX_LOSS,
    MONDAY,
    TARGET,
    Desk,
    phase,
    trading_desk,
)
from tests.databases import Database

PAUSE = {
    "id": "daily",
    "kind": "daily",
    "anchor": "balance",
    "amount": ["abs", "500"],
    "effect": "pause",
}


@pytest.fixture
async def live(database: Database) -> AsyncIterator[Desk]:
    journal = PostgresJournal(database.dsn(), "p1")
    async with trading_desk("p1", journal, "live") as desk:
        yield desk


@pytest.fixture
async def sandbox(database: Database) -> AsyncIterator[Desk]:
    journal = PostgresJournal(database.dsn(), "s1")
    async with trading_desk("s1", journal, "sb-1") as desk:
        yield desk


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[AsyncConnectionPool[Any]]:
    """Ask as the API does: with its role."""
    async with AsyncConnectionPool(database.dsn(), min_size=1, max_size=2) as pool:
        yield pool


async def test_a_trade_closed_in_two_parts_adds_up(
    database: Database, sandbox: Desk, pool: AsyncConnectionPool[Any]
) -> None:
    account_id = await sandbox.opens_account()
    await sandbox.quotes("1.09990", "1.10000")
    trade_id = await sandbox.trades(account_id)
    await project_all(database)

    opened = await trade(pool, trade_id)
    assert opened is not None
    assert (opened.status, opened.balance) == ("open", Decimal("9993.00"))
    assert opened.close_price is None

    await sandbox.quotes("1.10100", "1.10110")
    await sandbox.closes(account_id, trade_id, "0.40")
    await sandbox.quotes("1.10200", "1.10210")
    answer = await sandbox.closes(account_id, trade_id)
    await project_all(database)

    closed = await trade(pool, trade_id)
    assert closed is not None
    assert closed.status == answer["status"] == "closed"
    assert str(closed.profit) == answer["profit"] == "160.00"
    assert str(closed.balance) == answer["balance"] == "10153.00"
    assert closed.closed_quantity == Decimal("1.00")
    assert closed.close_price == Decimal("1.10200")
    assert closed.position == answer["position"]
    assert closed.version == answer["version"]
    assert await account_of_trade(pool, trade_id) == account_id


async def test_trades_come_newest_first_a_slice_at_a_time(
    database: Database, sandbox: Desk, pool: AsyncConnectionPool[Any]
) -> None:
    account_id = await sandbox.opens_account()
    opened = []
    for price in ("1.10000", "1.10001", "1.10002"):
        await sandbox.quotes(price, price)
        opened.append(await sandbox.trades(account_id, "0.01"))
    await sandbox.closes(account_id, opened[0])
    await project_all(database)

    first = await trades_of(pool, account_id=account_id, limit=2)
    second = await trades_of(pool, account_id=account_id, after=first.next, limit=2)
    still_open = await trades_of(pool, account_id=account_id, status="open", limit=9)
    mine = await trades_of(pool, trader_id="trader-1", limit=9)

    assert [each.trade_id for each in first.items + second.items] == opened[::-1]
    assert second.next is None
    assert [each.trade_id for each in still_open.items] == opened[:0:-1]
    assert len(mine.items) == 3
    assert (await trades_of(pool, trader_id="a stranger", limit=9)).items == ()


async def test_a_breach_comes_with_its_evidence(
    database: Database, sandbox: Desk, pool: AsyncConnectionPool[Any]
) -> None:
    account_id = await sandbox.opens_account()
    await sandbox.quotes("1.09990", "1.10000")
    trade_id = await sandbox.trades(account_id)
    await sandbox.quotes("1.09006", "1.09016")
    await project_all(database)

    ((found,), none) = await breaches(pool, account_id)
    assert none is None
    assert found.rule == "max"
    assert found.primary
    assert (found.floor, found.observed) == (Decimal("9000.00"), Decimal("8999.00"))
    assert [each.sequence for each in found.quotes] == [2]
    assert [each.trade_id for each in found.positions] == [trade_id]
    assert found.positions[0].valued_at == Decimal("1.09006")
    assert found.arithmetic == (
        "1.00 x 100000 x (1.09006 - 1.10000) = -994.00 USD",
        "9993.00 - 994.00 = 8999.00",
        "10000.00 - 1000.00 = 9000.00",
        "8999.00 < 9000.00",
    )
    assert [each.floor for each in found.floor_history] == [Decimal("9000.00")]
    assert found == await breach(pool, found.breach_id)

    ended = await account(pool, account_id)
    assert ended is not None
    assert ended.status == "breached"
    assert ended.balance == Decimal("8999.00")
    assert (await trades_of(pool, account_id=account_id, limit=9)).items[
        0
    ].profit == -994

    events = await history(pool, "s1", f"account-{account_id}", limit=9)
    assert [each.type for each in events] == [
        "account.opened/1",
        "account.position-opened/1",
        "account.rule-breached/1",
        "account.position-closed/1",
    ]
    later = await history(
        pool, "s1", f"account-{account_id}", after_position=number(events[1]), limit=9
    )
    assert later == events[2:]
    assert found.event_position == later[0].position
    assert events[1].actor == "trader-1"


async def test_every_rule_crossed_at_once_has_a_row_the_first_one_primary(
    database: Database, sandbox: Desk, pool: AsyncConnectionPool[Any]
) -> None:
    account_id = await sandbox.opens_account(MAX_LOSS, PAUSE)
    await sandbox.quotes("1.09990", "1.10000")
    await sandbox.trades(account_id)
    await sandbox.quotes("1.05000", "1.05010")
    await project_all(database)

    first = await breaches_of(pool, account_id=account_id, limit=1)
    second = await breaches_of(pool, account_id=account_id, after=first.next, limit=1)

    assert [(b.rule, b.primary) for b in first.items] == [("daily", True)]
    assert [(b.rule, b.primary) for b in second.items] == [("max", False)]


async def test_a_pause_ends_at_the_boundary_without_an_event_of_the_account(
    database: Database, sandbox: Desk, pool: AsyncConnectionPool[Any]
) -> None:
    account_id = await sandbox.opens_account(PAUSE)
    await sandbox.quotes("1.09990", "1.10000")
    await sandbox.trades(account_id)
    await sandbox.quotes("1.09400", "1.09410")
    await project_all(database)
    assert await status_of(pool, account_id) == "paused"

    await sandbox.turns_day()
    await project_all(database)
    assert await status_of(pool, account_id) == "active"


async def test_days_are_counted_once_however_many_trades_they_see(
    database: Database, sandbox: Desk, pool: AsyncConnectionPool[Any]
) -> None:
    account_id = await sandbox.opens_account()
    await sandbox.quotes("1.10000", "1.10000")
    await sandbox.trades(account_id, "0.01")
    await sandbox.trades(account_id, "0.01")
    await sandbox.turns_day()
    await sandbox.trades(account_id, "0.01")
    await project_all(database)

    found = await account(pool, account_id)
    assert found is not None
    assert found.trading_days == 2
    owner = await account_owner(pool, account_id)
    assert owner is not None
    assert (owner.trader_id, owner.partition) == ("trader-1", "s1")


async def test_a_challenge_moves_from_phase_to_phase(
    database: Database, sandbox: Desk, pool: AsyncConnectionPool[Any]
) -> None:
    challenge_id = await sandbox.buys_challenge(
        phase(MAX_LOSS, TARGET), phase(MAX_LOSS, name="funded")
    )
    await project_all(database)
    ((bought,), _) = await challenges(pool)
    assert (bought.status, bought.phase) == ("active", "evaluation")

    await sandbox.quotes("1.10000", "1.10000")
    trade_id = await sandbox.trades(bought.account_id)
    await sandbox.quotes("1.12000", "1.12000")
    await sandbox.closes(bought.account_id, trade_id)
    await project_all(database)

    ((funded,), _) = await challenges(pool)
    assert funded.challenge_id == challenge_id
    assert (funded.status, funded.phase) == ("funded", "funded")
    assert [(each.name, each.status) for each in funded.phases] == [
        ("evaluation", "passed"),
        ("funded", "active"),
    ]
    mine = await accounts_of(pool, "trader-1", limit=1)
    assert mine.next is not None
    more = await accounts_of(pool, "trader-1", after=mine.next, limit=1)
    assert {each.status for each in mine.items + more.items} == {"active", "passed"}

    await sandbox.trades(funded.account_id)
    await sandbox.quotes("1.00000", "1.00000")
    await project_all(database)
    ((over,), _) = await challenges(pool)
    assert over.status == "breached"
    assert [each.status for each in over.phases] == ["passed", "breached"]


async def test_the_best_return_leads_and_a_breach_leaves_the_board(
    database: Database, live: Desk, sandbox: Desk, pool: AsyncConnectionPool[Any]
) -> None:
    await sandbox_result(sandbox)
    idle = await live.opens_account(trader="idle")
    loser, winner, breached = [
        await live.opens_account(trader=name) for name in ("loser", "winner", "gone")
    ]
    await live.quotes("1.10000", "1.10000")
    trades = {
        loser: await live.trades(loser, "0.10"),
        winner: await live.trades(winner, "0.50"),
        breached: await live.trades(breached, "2.00"),
    }
    await live.quotes("1.10100", "1.10100")
    await live.closes(winner, trades[winner])
    await live.quotes("1.09000", "1.09000")
    await live.closes(loser, trades[loser])
    database.execute(
        "INSERT INTO identity.people (trader_id, email, handle, password_hash)"
        " VALUES ('winner', 'w@example.org', 'Winner', 'x')"
    )
    await project_all(database)

    board = await leaderboard(pool, "main", 10)
    assert [(each.rank, each.account_id) for each in board] == [(1, winner), (2, loser)]
    assert idle not in {each.account_id for each in board}
    assert board[0].handle == "Winner"
    assert board[1].handle.startswith("trader-")
    assert (board[0].return_percent, board[0].equity_drawdown) == (
        Decimal("0.4650"),
        Decimal("0.0000"),
    )
    assert (board[1].return_percent, board[1].equity_drawdown) == (
        Decimal("-1.0070"),
        Decimal("1.0070"),
    )


async def test_equal_returns_go_to_the_smaller_fall_then_to_the_earlier(
    database: Database, live: Desk, pool: AsyncConnectionPool[Any]
) -> None:
    fell, late, early, alike = [
        await live.opens_account(trader=name) for name in ("a", "b", "c", "d")
    ]
    for account_id in (fell, late, early, alike):
        await live.quotes("1.10000", "1.10000")
        await both_ways(live, account_id, "1.09000" if account_id == fell else None)
    await project_all(database)
    database.execute(
        "UPDATE read.leaderboard SET reached_at = '2026-01-05' WHERE account_id"
        " = ANY(%s)",
        [early, alike],
        role=Role.PROJECTOR,
    )

    board = await leaderboard(pool, "main", 10)
    assert [each.rank for each in board] == [1, 1, 2, 3]
    assert {each.account_id for each in board[:2]} == {early, alike}
    assert [each.account_id for each in board[2:]] == [late, fell]
    assert len(await leaderboard(pool, "main", 1)) == 1


async def test_a_quarantined_account_is_frozen_and_leaves_the_board(
    live: Desk,
) -> None:
    account_id = await live.opens_account()
    *_, stored = [each async for each in live.host.engine.journal.events(0)]
    opened = told("p1", stored.position, stored.stream, 1, fact_of(stored))
    frozen = replace(
        opened, fact=AccountQuarantined(at=MONDAY, tick=0, cause="KeyError")
    )
    accounts: Rows[Any] = Rows({})
    board: Rows[Any] = Rows({})
    for each in (opened, frozen):
        ACCOUNTS.fold(accounts, each)
        LEADERBOARD.fold(board, each)

    assert accounts.written[0].status == "frozen"
    assert board.removed == [account_id]


async def both_ways(desk: Desk, account_id: str, dip: str | None) -> None:
    """End 86 dollars up; on the way perhaps lose what is won back later."""
    if dip is not None:
        trade_id = await desk.trades(account_id, "0.10")
        await desk.quotes(dip, dip)
        await desk.closes(account_id, trade_id)
        trade_id = await desk.trades(account_id, "0.10")
        await desk.quotes("1.10193", "1.10193")
        await desk.closes(account_id, trade_id)
    else:
        trade_id = await desk.trades(account_id, "0.20")
        await desk.quotes("1.10467", "1.10467")
        await desk.closes(account_id, trade_id)


async def sandbox_result(sandbox: Desk) -> None:
    account_id = await sandbox.opens_account()
    await sandbox.quotes("1.10000", "1.10000")
    trade_id = await sandbox.trades(account_id)
    await sandbox.quotes("1.20000", "1.20000")
    await sandbox.closes(account_id, trade_id)


async def breaches(pool: AsyncConnectionPool[Any], account_id: str) -> Any:
    found = await breaches_of(pool, account_id=account_id, limit=9)
    return found.items, found.next


async def challenges(pool: AsyncConnectionPool[Any]) -> Any:
    found = await challenges_of(pool, "trader-1", limit=9)
    return found.items, found.next


async def status_of(pool: AsyncConnectionPool[Any], account_id: str) -> str:
    found = await account(pool, account_id)
    assert found is not None
    return found.status


def number(event: Any) -> int:
    return int(event.position.partition("-")[2])
