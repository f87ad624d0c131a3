"""`tradesense tail` shows the log as it is and as it grows, and reads it only."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from click.testing import CliRunner, Result
from httpx import AsyncClient

from api.cli.main import main
from infrastructure.roles import Role
from tests.databases import Database
from tests.doors.desk import Desk

PATIENCE_SECONDS = 30
SANDBOX = "s1-0"


@pytest.fixture
def environment(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> Mapping[str, str]:
    """Whoever may read the log may follow it: no right to write is needed."""
    told = {
        "TS_ENV": "dev",
        "DATABASE_URL": database.dsn(Role.AUDITOR),
        "REDIS_URL": database.servers.redis_url,
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return told


@pytest.fixture
async def traded(http: AsyncClient) -> tuple[Desk, str]:
    """A desk whose account has bought."""
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    await desk.trade(account_id)
    return desk, account_id


async def tail(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ("tail", *words))


async def objects(*words: str) -> list[dict[str, Any]]:
    told = await tail("--once", "--json", *words)
    assert (told.exit_code, told.stderr) == (0, ""), told.output
    return [json.loads(line) for line in told.stdout.splitlines()]


async def test_a_line_tells_where_when_what_and_whose(
    traded: tuple[Desk, str], environment: Mapping[str, str]
) -> None:
    told = await tail("--once", "--after", SANDBOX)
    assert told.exit_code == 0, told.output
    *_, opened, bought = told.stdout.splitlines()
    assert bought.split("  ")[0] == "s1-3"
    columns = [bought.index(each) for each in ("2026-", "account.pos", "account-")]
    assert columns == [
        opened.index(each) for each in ("2026-", "account.o", "account-")
    ]
    assert bought.endswith("buy 1.00 EURUSD at 1.10000, balance 10000.00 USD")
    assert f"  account-{traded[1]}  " in bought


async def test_an_object_is_what_the_api_says_of_the_same_event(
    traded: tuple[Desk, str], environment: Mapping[str, str]
) -> None:
    desk, account_id = traded
    api = await desk.get(f"/accounts/{account_id}/events")
    assert await objects("--after", "s1-0", "--stream", "account-") == api["items"]


async def test_it_can_begin_anywhere_and_choose(
    traded: tuple[Desk, str],
    environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def places(found: list[dict[str, Any]]) -> list[str]:
        return [each["position"] for each in found]

    assert places(await objects("--after", "s1-1")) == ["s1-2", "s1-3"]
    assert places(await objects("--after", "s1-3")) == []
    assert places(await objects("--after", "s1-0", "-n", "2")) == ["s1-1", "s1-2"]
    everything = await objects("--after", "0")
    assert {each["position"][:3] for each in everything} == {"p1-", "s1-"}
    assert places(everything)[:2] == ["p1-1", "p1-2"]
    monkeypatch.setattr("api.cli.tail.BEGINS_BEFORE", 1)
    assert places(await objects()) == [everything[-4]["position"], "s1-3"]
    for name in ("account.position-opened", "account.position-opened/1"):
        assert places(await objects("--after", "0", "--type", name)) == ["s1-3"]
    stream = ("--stream", f"account-{traded[1]}")
    assert places(await objects("--after", "0", *stream)) == ["s1-2", "s1-3"]


@pytest.mark.parametrize(
    "words",
    [
        ("--after", "p9-1"),
        ("--after", "p1-x"),
        ("--after", "-1"),
        ("--after", "9" * 30),
        ("--type", "account.vanished"),
        ("-n", "0"),
    ],
)
async def test_what_it_cannot_mean_is_refused(
    environment: Mapping[str, str], words: tuple[str, str]
) -> None:
    told = await tail("--once", *words)
    assert (told.exit_code, told.stdout) == (2, "")


async def test_an_event_that_cannot_be_read_is_told_as_such_and_others_go_on(
    traded: tuple[Desk, str], environment: Mapping[str, str], database: Database
) -> None:
    database.execute(
        "INSERT INTO s1.events (notification_id, originator_id, originator_version,"
        " topic, state, envelope) VALUES (4, 'account-x', 1, 'account.opened/9',"
        " '{\"at\":1', '{}')"
    )
    database.execute("UPDATE s1.partition_head SET position = 4")
    told = await tail("--once", "--after", "s1-2")
    _, unread = told.stdout.splitlines()
    assert "unreadable" in unread
    assert "UnknownFact: account.opened/9" in unread
    *_, last = await objects("--after", "s1-2")
    assert (last["type"], last["version"]) == ("account.opened/9", 1)
    assert "unreadable" in last


async def test_a_database_that_is_away_is_one_line(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    told = await tail("--once")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.startswith("Error: ")


async def test_it_follows_and_ends_in_good_order(
    traded: tuple[Desk, str], environment: Mapping[str, str]
) -> None:
    desk, account_id = traded
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "api.cli.main", "tail", "--json"),
        *("--stream", "account-"),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None

    async def until(is_it: Callable[[dict[str, Any]], bool]) -> None:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_it(json.loads(await process.stdout.readline())):
                pass

    await until(lambda event: event["position"] == "s1-3")
    await desk.trade(account_id, side="sell", quantity="0.25")
    await until(lambda event: event["position"] == "s1-4")
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(PATIENCE_SECONDS):
        said, complained = await process.communicate()
    assert (process.returncode, said, complained) == (0, b"", b"")
