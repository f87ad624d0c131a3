"""Long commands say on stderr how much is done, and of how much; stdout is theirs."""

import asyncio
import json
import re
from typing import Any

import pytest
from click.testing import CliRunner, Result
from httpx import AsyncClient

from api.cli.main import main
from infrastructure.roles import Role
from tests.databases import Database
from tests.doors.desk import Desk

COUNTED = re.compile(r"^(\w+).* (\d+)/(\d+) ", re.MULTILINE)
TICKS = 7


@pytest.fixture(autouse=True)
def _environment(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TS_ENV", "dev")
    monkeypatch.setenv("DATABASE_URL", database.dsn(Role.OWNER))
    monkeypatch.setenv("REDIS_URL", database.servers.redis_url)


@pytest.fixture
async def traded(http: AsyncClient) -> int:
    """A sandbox with some ticks; the answer is how many events its log holds."""
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    for tick in range(TICKS):
        await desk.quote(f"1.0999{tick}", f"1.1000{tick}")
    trade = await desk.trade(account_id)
    return int(trade["position"].partition("-")[2])


async def tradesense(*words: str) -> Result:
    ran = await asyncio.to_thread(CliRunner().invoke, main, words)
    assert ran.exit_code == 0, ran.output
    return ran


def counted(ran: Result) -> dict[str, Any]:
    return {what: (int(n), int(of)) for what, n, of in COUNTED.findall(ran.stderr)}


async def test_a_replay_counts_events_and_ticks(traded: int) -> None:
    ran = await tradesense("audit", "replay", "--json")
    report = json.loads(ran.stdout)
    assert report["equal"]
    shown = counted(ran)
    assert shown["s1"] == (traded + TICKS, traded + TICKS)
    assert sum(total for _, total in shown.values()) == report["events"] + TICKS


async def test_a_rebuild_counts_events(traded: int) -> None:
    ran = await tradesense("projections", "rebuild", "--json")
    position = json.loads(ran.stdout)["position"]
    assert position["s1"] == traded
    assert counted(ran) == {name: (at, at) for name, at in position.items()}


async def test_a_seed_counts_accounts(address: tuple[str, int]) -> None:
    url = f"http://{address[0]}:{address[1]}"
    ran = await tradesense("seed", "--accounts", "3", "--url", url, "--json")
    assert json.loads(ran.stdout.splitlines()[-1])["accounts"] == 3
    assert counted(ran)["accounts"] == (3, 3)
