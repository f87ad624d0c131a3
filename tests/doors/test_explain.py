"""`tradesense audit explain` says what the API said, of any instant, and why."""

import asyncio
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from httpx import AsyncClient

from api.cli.main import main
from infrastructure.roles import Role
from tests.databases import Database
from tests.doors.desk import MAX_LOSS, Desk

TARGET = {"id": "goal", "kind": "target", "pct": "8", "basis": "closed"}
NINE, TEN, ELEVEN = (f"2026-01-05T{hour:02}:00:00Z" for hour in (9, 10, 11))


@pytest.fixture(autouse=True)
def _environment(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may read the log may explain: no right to write is needed."""
    monkeypatch.setenv("TS_ENV", "dev")
    monkeypatch.setenv("DATABASE_URL", database.dsn(Role.AUDITOR))
    monkeypatch.setenv("REDIS_URL", database.servers.redis_url)


async def explain(*words: str) -> Result:
    words = ("audit", "explain", *words)
    return await asyncio.to_thread(CliRunner().invoke, main, words)


async def explained(*words: str) -> Any:
    told = await explain(*words, "--json")
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout)


def exactly(at: str) -> str:
    return at.replace("Z", ".000000Z")


@pytest.fixture
async def desk(http: AsyncClient) -> Desk:
    opened = await Desk.opened(http)
    await opened.open_venue(NINE)
    return opened


async def fallen(desk: Desk) -> str:
    """Bought at nine, down to the floor at ten, and below it at eleven."""
    account_id = await desk.open_account(MAX_LOSS, TARGET)
    await desk.quote("1.09990", "1.10000")
    await desk.trade(account_id)
    await desk.quote("1.09000", "1.09010", TEN)
    return account_id


async def test_every_figure_comes_with_what_it_was_computed_from(desk: Desk) -> None:
    account_id = await fallen(desk)
    now = await desk.get(f"/accounts/{account_id}")
    await desk.quote("1.08999", "1.09009", ELEVEN)
    found = await explained(account_id, "--at", TEN)
    assert found["account"] == now
    assert found["balance"] == "the deposit of 10000.00"
    (held,) = found["positions"]
    assert held["arithmetic"] == "1.00 x 100000 x (1.09000 - 1.10000) = -1000.00 USD"
    assert (held["quote"]["sequence"], held["quote"]["bid"]) == (2, "1.09000")
    assert found["equity"] == ["10000.00 - 1000.00 = 9000.00"]
    (limit,) = found["limits"]
    assert limit["because"] == "deposit 10000.00 after tick 0"
    assert limit["arithmetic"] == [
        "10000.00 x 10 % = 1000.00",
        "10000.00 - 1000.00 = 9000.00",
        "9000.00 - 9000.00 = 0.00",
    ]
    assert found["verdicts"] == []
    assert found["because"] == [
        "max: is touched, which is allowed",
        "goal: asks for 10800.00, has 10000.00",
        "goal: counts once no position is open",
    ]


async def test_a_verdict_is_told_with_the_arithmetic_of_its_evidence(
    desk: Desk, projected: None
) -> None:
    account_id = await fallen(desk)
    await desk.quote("1.08999", "1.09009", ELEVEN)
    (breach,) = (await desk.get("/breaches", account_id=account_id))["items"]
    found = await explained(account_id)
    (verdict,) = found["verdicts"]
    assert verdict == {
        "outcome": "breached",
        "at": ELEVEN,
        "position": breach["event_position"],
        "rules": ["max"],
        "arithmetic": breach["arithmetic"],
    }
    assert found["because"] == []
    assert found["account"] == await desk.get(f"/accounts/{account_id}")
    assert found["balance"] == "10000.00 - 1001.00 = 8999.00"
    (booked,) = found["booked"]
    assert (booked["type"], booked["times"]) == ("account.position-closed/1", 1)


async def test_it_reads_like_an_explanation(desk: Desk) -> None:
    account_id = await fallen(desk)
    said = (await explain(account_id, "--at", TEN)).stdout.splitlines()
    assert said[0].startswith(f"Account {account_id}, ")
    for line in (
        "Balance 10000.00 USD",
        "Equity 9000.00 USD",
        "  buy 1.00 EURUSD at 1.10000",
        f"    closes at 1.09000, by tick 2, EURUSD 1.09000/1.09010 of {exactly(TEN)}",
        f"  peak equity              10000.00  since tick 0, {exactly(NINE)}",
        "  max: floor 9000.00, 0.00 away",
        "    equity below it, at any tick, ends the account",
        "No verdict ends it",
    ):
        assert line in said
    await desk.quote("1.08999", "1.09009", ELEVEN)
    said = (await explain(account_id)).stdout.splitlines()
    assert f"Verdict: breached max, {exactly(ELEVEN)}, s1-4" in said
    assert said[-1] == "  8999.00 < 9000.00"


async def test_what_cannot_be_told_is_one_line(desk: Desk) -> None:
    account_id = await desk.open_account()
    for words, said in (
        (("nobody",), "no account has that id"),
        ((account_id, "--at", "2026-01-05T08:59:59Z"), "was opened at 2026-01-05T09:"),
        ((account_id, "--at", ELEVEN), "still to come: the log of its venue ends at"),
    ):
        told = await explain(*words)
        assert (told.exit_code, told.stdout) == (1, "")
        assert said in told.stderr.splitlines()[-1]
    for odd in ("now", "2026-01-05T09:00:00", "2026-13-05T09:00:00Z", "9", "0001"):
        told = await explain(account_id, "--at", odd)
        assert (told.exit_code, told.stdout) == (2, "")
        assert "such as 2026-01-05T09:00:00Z" in told.stderr
