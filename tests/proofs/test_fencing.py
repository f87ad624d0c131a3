"""An engine that slept past its lease wakes up to find that it is nobody any more.

One API process is stopped in its tracks, another takes both partitions over and
serves; then the first goes on where it was. It must write nothing, answer nothing
from memory, and end.
"""

import asyncio
import os
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from random import Random
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient, HTTPError, Limits, Response

from api.conventions import command_id
from tests.proofs.conftest import Counts, Figure
from tests.proofs.ledger import Ledger
from tests.proofs.product import Product, free_port, has_ended, product, until
from tests.proofs.traders import Sent, Trader

SEED = 20_260_105
QUICK, FULL = 1, 20
STEPS = 12  # of each trader, before the pause and after the takeover
LINES = 24  # connections that are kept alive over the pause
ASKED = 8  # on each of them, once the first is awake
END_SECONDS = 15.0
WAITING_SECONDS = 0.2
CLOSED = "closed"


class Line:
    """One kept-alive connection of a trader to the engine that is going to sleep."""

    def __init__(self, url: str, trader: Trader) -> None:
        self.told: Counter[str] = Counter()
        self.unwanted: list[UUID] = []
        self._url = f"{url}/api/v1"
        self._trader = trader
        self._http = AsyncClient(timeout=10, limits=Limits(max_connections=1))

    async def ask(self, method: str, path: str, **rest: Any) -> Response | None:
        """Answer None where the connection is closed on us."""
        headers = self._trader.headers | rest.pop("headers", {})
        with suppress(HTTPError):
            return await self._http.request(
                method, self._url + path, headers=headers, **rest
            )
        return None

    async def pester(self, chance: Random) -> None:
        """Ask for everything that memory could tell, and try to trade."""
        for _ in range(ASKED):
            ask = chance.choice((self._look, self._repeat, self._trade))
            answer = await ask(chance)
            if answer is None:
                self.told[CLOSED] += 1
                continue
            assert answer.status_code == 503, (answer.request.url, answer.text)
            assert answer.headers["Retry-After"]
            self.told["503"] += 1

    async def _look(self, chance: Random) -> Response | None:
        account_id = chance.choice(sorted(self._trader.accounts))
        doors = (
            f"/accounts/{account_id}",
            f"/trades?account_id={account_id}",
            f"/market-data/symbols?venue_id={self._trader.venue}",
            "/plans",
        )
        return await self.ask("GET", chance.choice(doors))

    async def _repeat(self, chance: Random) -> Response | None:
        """An answer that was given once is in its memory, too."""
        sent = chance.choice(self._trader.sent)
        headers = {"Idempotency-Key": sent.key}
        return await self.ask("POST", sent.path, json=sent.body, headers=headers)

    async def _trade(self, chance: Random) -> Response | None:
        key = str(UUID(int=chance.getrandbits(128)))
        quote = {"symbol": "EURUSD", "bid": "1.10000", "ask": "1.10010"}
        path = f"/sandbox/venues/{self._trader.venue}/quotes"
        made = command_id(self._trader.trader_id, "POST", f"/api/v1{path}", key)
        self.unwanted.append(made)
        headers = {"Idempotency-Key": key}
        return await self.ask("POST", path, json={"quotes": [quote]}, headers=headers)

    async def close(self) -> None:
        await self._http.aclose()


class Rivals:
    """The folder's product, with as many API processes as one likes."""

    def __init__(self, made: Product, http: AsyncClient) -> None:
        self.product = made
        self.http = http
        self.took: list[float] = []
        self.ended: list[float] = []
        self.told: Counter[str] = Counter()

    async def begin(self) -> subprocess.Popen[bytes]:
        """Start one more API process; it takes the partitions over, and is asked."""
        self.product.port = free_port()
        self.product.url = f"http://127.0.0.1:{self.product.port}"
        begun = self.product.start("api", FEED="live")
        await until(lambda: self.product.is_healthy(self.http), "an API that answers")
        return begun


@pytest.fixture
async def rivals() -> AsyncIterator[Rivals]:
    async with product() as made, AsyncClient(timeout=5) as http:
        ran = await made.run("db", "up")
        assert ran.code == 0, ran
        made.start("project")
        yield Rivals(made, http)


async def test_an_engine_that_lost_its_partition_while_asleep_says_nothing_any_more(
    rivals: Rivals, counts: Counts, figure: Figure
) -> None:
    chance = Random(SEED)  # noqa: S311 - chance to be repeated, not a secret
    url = await rivals.product.asked("db", "url", "--role", "owner")
    ledger = Ledger(url["url"])
    first = await rivals.begin()
    acknowledged: list[Sent] = []
    traders = [
        Trader(number, SEED, lambda: rivals.product.url, acknowledged.append, 1.0)
        for number in range(3)
    ]
    try:
        await asyncio.gather(*(each.enter() for each in traders))
        for _ in range(counts.of(QUICK, FULL)):
            first = await take_over(rivals, first, traders, ledger, chance)
            ledger.must_hold(acknowledged)
            ledger.must_be_contiguous()
        ledger.must_hold_quotes(acknowledged)
    finally:
        for trader in traders:
            await trader.close()
    figure(
        f"{len(rivals.took)} takeovers from a stopped engine: serving after"
        f" {spread(rivals.took)} s; awake again it ended after"
        f" {spread(rivals.ended)} s, and told {dict(rivals.told)}"
    )


async def take_over(
    rivals: Rivals,
    first: subprocess.Popen[bytes],
    traders: list[Trader],
    ledger: Ledger,
    chance: Random,
) -> subprocess.Popen[bytes]:
    """Let the owner sleep under load, and a second one serve; then wake the first."""
    lines = [
        Line(rivals.product.url, traders[number % len(traders)])
        for number in range(LINES)
    ]
    for line in lines:
        answer = await line.ask("GET", "/accounts")
        assert answer is not None
        assert answer.status_code == 200
    busy = [
        asyncio.create_task(steps(each, chance.randint(2, STEPS))) for each in traders
    ]
    await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)
    os.kill(first.pid, signal.SIGSTOP)
    try:
        began = monotonic()
        second = await rivals.begin()
        await traders[0].get("/accounts")
        rivals.took.append(monotonic() - began)
        await asyncio.gather(*busy)  # what hung on the first was asked again here
        await asyncio.gather(*(steps(each, STEPS) for each in traders))
        before = ledger.must_be_contiguous()
        pestering = [asyncio.create_task(line.pester(chance)) for line in lines]
        await asyncio.wait(pestering, timeout=WAITING_SECONDS)  # at its door already
        assert not any(each.done() for each in pestering)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    woke = monotonic()
    await asyncio.gather(*pestering)
    assert await asyncio.to_thread(has_ended, first.pid, END_SECONDS)
    rivals.ended.append(monotonic() - woke)
    first.wait()
    assert second.poll() is None
    ledger.must_lack(each for line in lines for each in line.unwanted)
    after = ledger.must_be_contiguous()
    assert after["s1"] == before["s1"]  # nobody but the traders write there
    for line in lines:
        rivals.told.update(line.told)
        await line.close()
    return second


async def steps(trader: Trader, many: int) -> None:
    for _ in range(many):
        await trader.step()


def spread(took: list[float]) -> str:
    return f"{sum(took) / len(took):.2f} (longest {max(took):.2f})"
