"""A firm full of open positions serves again soon after its engine is killed.

Every account holds a position. What was done since the last checkpoint, trades and
quotes that touch every account, is known from the log alone: the checkpoints are kept
from being replaced. Each time the whole state is held against that of the killed one.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from time import monotonic
from typing import Any

import msgspec
import psycopg
import pytest
from httpx import AsyncClient
from msgspec import Struct

from api.bootstrap import connection_pool
from infrastructure.clock import SystemClock
from infrastructure.identity.hashing import CHEAP, Argon2Hasher
from infrastructure.identity.people import PostgresPeople
from infrastructure.identity.seed import seed_people
from infrastructure.ids import TimeOrderedIds
from infrastructure.roles import Role
from infrastructure.settings import Environment
from tests.databases import Database
from tests.proofs.conftest import Counts, Figure
from tests.proofs.firm import PARTITION, VENUE, account
from tests.proofs.product import PATIENCE_SECONDS, Product, product, until

QUICK, FULL = 500, 100_000  # accounts
PER_ACCOUNT_SECONDS = 0.01  # how long anything may take that is asked of all of them
SINCE = ("1.10010", "1.10020", "1.10005")  # quotes after the checkpoint
LOCK = f"LOCK TABLE {PARTITION}.checkpoints IN EXCLUSIVE MODE"
TRADER = {"email": "user@tradesense.ai", "password": "user123"}


class Spans(Struct):
    """Seconds since the process was begun."""

    ready: float
    traded: float
    judged: float  # a quote that touches every account is on disk


class Engine:
    """An engine process that has begun; it is asked a line at a time."""

    def __init__(self, process: asyncio.subprocess.Process, patience: float) -> None:
        self.began = monotonic()
        self._process = process
        self._patience = patience

    @property
    def age(self) -> float:
        return monotonic() - self.began

    async def told(self) -> Any:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), self._patience)
        assert line, "the engine has ended"
        return msgspec.json.decode(line)

    async def ask(self, *words: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        told = await self.told()
        assert words[0] in told, told
        return told[words[0]]

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Firm:
    def __init__(self, dsn: str, trader_id: str, accounts: int) -> None:
        self._dsn = dsn
        self._trader_id = trader_id
        self.patience = 2 * PATIENCE_SECONDS + accounts * PER_ACCOUNT_SECONDS

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[Engine]:
        """Begin one, and kill it in the end."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.proofs.firm", self._dsn, self._trader_id),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        engine = Engine(process, self.patience)
        try:
            yield engine
        finally:
            await engine.kill()


@contextmanager
def no_checkpoint(owner: str) -> Iterator[None]:
    """Keep what is saved from being replaced meanwhile."""
    with psycopg.connect(owner) as connection:
        connection.execute(LOCK)
        yield


@pytest.fixture
async def trader_id(database: Database) -> str:
    async with connection_pool(database.dsn()) as pool:
        people, hasher = PostgresPeople(pool), Argon2Hasher(CHEAP)
        ids = TimeOrderedIds()
        await seed_people(Environment.DEV, people, hasher, SystemClock(), ids)
        trader = await people.by_email(TRADER["email"])
    assert trader is not None
    return trader.trader_id


@pytest.fixture
async def made(database: Database) -> AsyncIterator[Product]:
    servers = database.servers
    url, cache = database.dsn(Role.OWNER), servers.redis_url
    async with product(FEED="none", DATABASE_URL=url, REDIS_URL=cache) as made:
        yield made


async def test_a_killed_engine_serves_all_its_exposed_accounts_again(
    database: Database, trader_id: str, made: Product, counts: Counts, figure: Figure
) -> None:
    accounts = counts.of(QUICK, FULL)
    firm = Firm(database.dsn(), trader_id, accounts)
    async with firm.engine() as engine:
        await engine.told()
        await engine.ask("fill", accounts)
        await engine.ask("save")
        with no_checkpoint(database.dsn(Role.OWNER)):
            await engine.ask("trade", 0, accounts // 100)
            await engine.ask("quote", *SINCE)
            killed = await engine.ask("hash")
            await engine.kill()
            await recovers(made, firm, killed, accounts, figure)


async def recovers(
    made: Product, firm: Firm, killed: str, accounts: int, figure: Figure
) -> None:
    async with firm.engine() as engine:
        await engine.told()
        assert await engine.ask("hash") == killed
    async with firm.engine() as engine:
        recovered = await engine.told()
        ready = engine.age
        await engine.ask("trade", 5, 6)
        traded = engine.age
        await engine.ask("quote", "1.10030")
        spans = Spans(ready, traded, engine.age)
        after = await engine.ask("hash")
    async with firm.engine() as engine:
        await engine.told()
        assert await engine.ask("hash") == after
    seconds = recovered["recovered"] - recovered["leased"]
    figure(
        f"{accounts} accounts exposed, the engine killed with SIGKILL: the next has"
        f" recovered {spans.ready:.2f} s after its exec (images and log {seconds:.2f},"
        f" the lease before {recovered['leased']:.2f}), has answered a trade after"
        f" {spans.traded:.2f} s, and a quote that touches all of them is decided and on"
        f" disk after {spans.judged:.2f} s"
    )
    spans = await served(made, firm)
    figure(
        f"{accounts} accounts exposed, the API process likewise: healthy"
        f" {spans.ready:.2f} s after its exec, a trader has logged in and traded over"
        f" HTTP after {spans.traded:.2f} s, a quote that touches all of them is decided"
        f" and on disk after {spans.judged:.2f} s"
    )


async def served(made: Product, firm: Firm) -> Spans:
    async with AsyncClient(timeout=firm.patience) as http:
        began = monotonic()
        made.start("api")
        answers = partial(made.is_healthy, http)
        await until(answers, "an API that answers", firm.patience)
        ready = monotonic() - began
        headers = await signed_in(http, made.url)
        order = {"symbol": "EURUSD", "side": "buy", "quantity": "0.10"}
        trade = await http.post(
            f"{made.url}/api/v1/trades",
            json={"account_id": account(7), **order},
            headers=headers,
        )
        assert trade.status_code == 201, trade.text
        traded = monotonic() - began
        quote = {"symbol": "EURUSD", "bid": "1.10040", "ask": "1.10050"}
        path = f"{made.url}/api/v1/sandbox/venues/{VENUE}/quotes"
        await until(
            lambda: is_taken(http, path, {"quotes": [quote]}, headers),
            "the quote decided",
            firm.patience,
        )
        return Spans(ready, traded, monotonic() - began)


async def is_taken(
    http: AsyncClient, path: str, body: object, headers: dict[str, str]
) -> bool:
    """Whoever waited too long asks again; the same quote twice is refused as such."""
    answer = await http.post(path, json=body, headers=headers)
    assert answer.status_code in {200, 503}, answer.text
    return answer.status_code == 200


async def signed_in(http: AsyncClient, url: str) -> dict[str, str]:
    answer = await http.post(f"{url}/api/v1/auth/login", json=TRADER)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}
