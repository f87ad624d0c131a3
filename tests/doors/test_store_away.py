"""While Postgres is away nobody hangs and nobody is lied to; then life goes on."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest
from httpx import AsyncClient, Response

from api.bootstrap import build
from infrastructure.embedded.profiles import throw_away
from infrastructure.embedded.servers import Servers, acquire, discard
from infrastructure.migrate import migrate
from infrastructure.roles import Role
from infrastructure.settings import Settings
from tests.doors.desk import Desk
from tests.doors.outages import Outage, Store
from tests.doors.running import asking, running

TRADERS = 4
LONGEST_ANSWER_SECONDS = 7.0
RECOVERY_SECONDS = 5.0
PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def store(servers: Servers) -> Iterator[Store]:
    folder = Path(tempfile.mkdtemp(prefix="ts-away-"))
    folder.chmod(0o711)  # the servers' user passes through
    data = folder / "data"
    with acquire(data, throw_away(), redis_url=servers.redis_url) as held:
        migrate(held.database_url(Role.OWNER))
        yield Store(data, held)
    discard(data)
    shutil.rmtree(folder)


@pytest.fixture
async def http(store: Store, tmp_path: Path) -> AsyncIterator[AsyncClient]:
    lent = Servers(
        {role: store.servers.database_url(role) for role in Role},
        store.servers.redis_url,
    )
    app = build(Settings(data=tmp_path, feed="live"), lent)
    try:
        async with running(app), asking(app) as client:
            yield client
    finally:
        store.comes_back()


class Orders:
    """What traders asked for, and what they were told about each."""

    def __init__(self, desk: Desk, account_id: str) -> None:
        self._desk, self._account_id = desk, account_id
        self.acknowledged: set[str] = set()
        self.refused: set[str] = set()  # with a 503, and never sent again
        self.slowest = 0.0
        self.is_back = asyncio.Event()

    async def send(self, name: str) -> Response:
        body = {
            "account_id": self._account_id,
            "symbol": "EURUSD",
            "side": "buy",
            "quantity": "0.01",
            "client_order_id": name,
        }
        clock = asyncio.get_running_loop().time
        began = clock()
        answer = await self._desk.ask("POST", "/trades", json=body)
        self.slowest = max(self.slowest, clock() - began)
        if answer.status_code == 503:
            assert answer.json()["code"] == "store-unavailable"
            assert answer.headers["Retry-After"] == "1"
        else:
            assert answer.status_code in {200, 201}, answer.text
            self.acknowledged.add(name)
        return answer

    async def send_once(self) -> Response:
        name = f"once-{uuid4().hex}"
        answer = await self.send(name)
        if answer.status_code == 503:
            self.refused.add(name)
        return answer

    async def keep_trading(self) -> None:
        """One order after the other; the same again until it is taken."""
        while not self.is_back.is_set():
            name = f"again-{uuid4().hex}"
            while (await self.send(name)).status_code == 503:
                await asyncio.wait((self._rest(),), timeout=1)  # as `Retry-After` says

    def _rest(self) -> asyncio.Task[object]:
        return asyncio.create_task(self.is_back.wait())


async def until(status: int, ask: Callable[[], Awaitable[Response]]) -> Response:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (answer := await ask()).status_code != status:
            pass
    return answer


def rows(store: Store, query: str) -> list[Any]:
    with psycopg.connect(store.servers.database_url(Role.AUDITOR)) as connection:
        return connection.execute(query.encode()).fetchall()


async def accepts(store: Store) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(
                    store.servers.database_url(Role.AUDITOR), connect_timeout=2
                )
            except psycopg.OperationalError:
                await asyncio.sleep(0)
            else:
                await connection.close()
                return


@pytest.mark.parametrize("outage", Outage)
async def test_an_outage_of_the_store(
    store: Store, http: AsyncClient, outage: Outage, *, is_full: bool
) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    orders = Orders(desk, account_id)
    clock = asyncio.get_running_loop().time

    async def look() -> Response:
        return await desk.ask("GET", f"/accounts/{account_id}")

    async def quoted() -> Response:
        return await desk.ask("GET", "/market-data/symbols/BTCUSD")

    while (await quoted()).json().get("bid") is None:  # 503 on a busy machine
        pass
    trading = [asyncio.create_task(orders.keep_trading()) for _ in range(TRADERS)]
    await orders.send_once()

    store.goes_away(outage)
    went = clock()
    unread = await until(503, look)  # memory answers as long as the lease lasts
    assert unread.json()["code"] == "store-unavailable"
    waiting = [asyncio.create_task(orders.send_once()) for _ in range(TRADERS)]
    assert (await http.get("/live")).status_code == 200
    health = await http.get("/health")
    assert (health.status_code, health.json()["database"]) == (503, "disconnected")
    away = 30.0 if is_full else 3.0
    done, _ = await asyncio.wait(trading, timeout=away - (clock() - went))
    assert not done
    assert (await orders.send_once()).status_code == 503  # at once
    assert (await quoted()).status_code == 503

    store.comes_back()
    await accepts(store)
    back = clock()
    await until(201, orders.send_once)
    await until(200, look)
    await until(200, quoted)
    await until(200, lambda: http.get("/health"))
    assert clock() - back < RECOVERY_SECONDS
    orders.is_back.set()
    await asyncio.gather(*trading, *waiting)

    assert orders.slowest < LONGEST_ANSWER_SECONDS
    stored = Counter(traded(store, account_id))
    assert orders.acknowledged == orders.acknowledged & stored.keys()
    assert max(stored.values()) == 1
    assert orders.refused
    assert orders.refused.isdisjoint(stored)
    assert (await desk.get(f"/accounts/{account_id}"))["margin"] == margin(stored)
    async with asyncio.timeout(RECOVERY_SECONDS):
        while not gaps(store):  # told with the first quote after it
            await quoted()
    assert gaps(store) >= [away - 1]
    for partition in ("p1", "s1"):
        query = f"SELECT count(*), max(notification_id) FROM {partition}.events"  # noqa: S608 - ours
        ((count, last),) = rows(store, query)
        assert count == last


def traded(store: Store, account_id: str) -> Iterator[str]:
    query = (
        "SELECT state FROM s1.events WHERE topic = 'account.position-opened/1'"  # noqa: S608 - ours
        f" AND originator_id = 'account-{account_id}'"
    )
    for (state,) in rows(store, query):
        yield msgspec.json.decode(state)["position"]["client_order_id"]


def margin(stored: Counter[str]) -> str:
    return f"{11 * len(stored)}.00"  # 0.01 lots at 1.10000, one to a hundred


def gaps(store: Store) -> list[float]:
    """How many seconds the live market was silent, each time."""
    found = rows(store, "SELECT state FROM p1.events WHERE topic = 'venue.feed-gap/1'")
    facts = [msgspec.json.decode(state, type=Gap) for (state,) in found]
    return [(fact.at - fact.since).total_seconds() for fact in facts][-1:]


class Gap(msgspec.Struct):
    at: datetime
    since: datetime
