"""Whatever is killed, whenever: nothing acknowledged is lost, nothing happens twice.

A whole product runs on bundled servers of its own, traders trade, and at an instant
that the seed chooses something is killed with SIGKILL. Nobody repairs anything.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from random import Random
from time import monotonic

import pytest
from httpx import AsyncClient

from tests.proofs.conftest import Counts, Figure
from tests.proofs.ledger import Ledger
from tests.proofs.product import PATIENCE_SECONDS, WHOLE, Product, product, until
from tests.proofs.traders import Sent, Trader

SEED = 20_260_105
KINDS = ("everything", "api", "project", "postgres")
QUICK, FULL = 1, 20  # kills of each kind
TRADERS = 4
FEWEST, MOST = 30, 150  # answers before a kill
AFTERWARDS = 20  # answers before we look
SAMPLE = 40  # commands sent again after each kill
AT_THE_END = 2_000
ONLY_THE_FIRST = 0.3

Recovered = dict[str, list[float]]


class Crowd:
    """Traders that go on until they are told to pause, whatever happens around them."""

    def __init__(self, url: Callable[[], str], seed: int) -> None:
        self.traders = [Trader(n, seed, url, self._hear) for n in range(TRADERS)]
        self.acknowledged: list[Sent] = []
        self._may_go = asyncio.Event()
        self._idle = 0
        self._strike_at = 0
        self._strike: Callable[[], None] | None = None
        self._lives: list[asyncio.Task[None]] = []

    def _hear(self, sent: Sent) -> None:
        self.acknowledged.append(sent)
        if self._strike is not None and len(self.acknowledged) >= self._strike_at:
            strike, self._strike = self._strike, None
            strike()

    async def live(self, trader: Trader) -> None:
        await trader.enter()
        while True:
            if not self._may_go.is_set():
                self._idle += 1
                await self._may_go.wait()
                self._idle -= 1
            await trader.step()

    async def trade(self, answers: int) -> None:
        """Let them trade until so many more answers have come."""
        wanted = len(self.acknowledged) + answers
        self._may_go.set()
        await self._until(lambda: len(self.acknowledged) >= wanted, "answers")

    async def trade_until(self, answers: int, strike: Callable[[], None]) -> None:
        """Strike the moment that an answer arrives: what it says must be on disk."""
        self._strike_at = len(self.acknowledged) + answers
        self._strike = strike
        await self.trade(answers)

    async def rest(self) -> None:
        """Let each finish what it has begun, and nothing more."""
        self._may_go.clear()
        await self._until(lambda: self._idle == len(self.traders), "idle traders")

    async def _until(self, is_so: Callable[[], bool], what: str) -> None:
        def checked() -> bool:
            for life in self._lives:
                if life.done():
                    life.result()  # a trader that was answered strangely says so
            return is_so()

        await until(checked, what, 2 * PATIENCE_SECONDS)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator["Crowd"]:
        self._lives = [asyncio.create_task(self.live(each)) for each in self.traders]
        try:
            yield self
        finally:
            for life in self._lives:
                life.cancel()
            await asyncio.gather(*self._lives, return_exceptions=True)
            for trader in self.traders:
                await trader.close()


class Killing:
    """One product, the crowd on it, and how long it took to come back each time."""

    def __init__(self, made: Product, crowd: Crowd, http: AsyncClient) -> None:
        self.product = made
        self.crowd = crowd
        self.http = http
        self.recovered: dict[str, Recovered] = defaultdict(lambda: defaultdict(list))

    async def ready(self) -> None:
        await until(lambda: self.product.is_ready(self.http), "ready")

    async def strike(self, kind: str, chance: Random) -> None:
        """Kill, and wait until it serves again; the traders never stop asking."""
        victims = self._victims(kind, chance)
        await self.crowd.trade_until(
            chance.randint(FEWEST, MOST), lambda: self.product.kill(victims)
        )
        killed = monotonic()
        if kind == "everything":
            await until(lambda: not self.product.living(), "no process left")
            self.product.start("up")
        times = self.recovered[kind]
        seen = len(self.crowd.acknowledged)
        healthy = asyncio.create_task(
            until(lambda: self.product.is_healthy(self.http), f"health after {kind}")
        )
        await self.crowd.trade(AFTERWARDS)
        times["commands"].append(monotonic() - killed)
        times["health"].append(await healthy)
        newest = self.crowd.acknowledged[-1]
        await newest.trader.get("/accounts", min_position=newest.position)
        times["tables"].append(monotonic() - killed)
        assert len(self.crowd.acknowledged) >= seen + AFTERWARDS

    def _victims(self, kind: str, chance: Random) -> list[int]:
        """Everything, or only what holds all others, which then go with it."""
        if kind != "everything":
            return [self.product.pid_of(kind)]
        if chance.random() < ONLY_THE_FIRST:
            return [self.product.pid_of("up")]
        return chance.sample(victims := list(self.product.living()), len(victims))

    async def check(self, ledger: Ledger, chance: Random) -> None:
        await self.crowd.rest()
        await until(lambda: self.product.roles() == WHOLE, "nothing more, nothing less")
        ledger.must_hold(self.crowd.acknowledged)
        ledger.must_be_contiguous()
        await asyncio.gather(self._rebuild_equals(), self._replay_equals())
        many = min(SAMPLE, len(self.crowd.acknowledged))
        await answered_alike(chance.sample(self.crowd.acknowledged, many))
        ledger.must_hold(self.crowd.acknowledged)

    async def _rebuild_equals(self) -> None:
        """Only digests at the same positions compare; the live market may go on."""
        for _ in range(5):
            before = await self.product.asked("projections", "digest")
            after = await self.product.asked("projections", "rebuild")
            if before["position"] == after["position"]:
                assert before == after
                return
        raise AssertionError("the log never stood still")

    async def _replay_equals(self) -> None:
        report = await self.product.asked("audit", "replay")
        assert report["equal"], report
        assert report["live"] == report["replayed"]
        assert report["accounts"] >= TRADERS


async def answered_alike(sent: list[Sent]) -> None:
    """The same key asks again, and gets the same bytes."""
    for each in sent:
        answer = await each.trader.again(each)
        assert (answer.status_code, answer.content) == (each.status, each.answer), each
        assert answer.headers["Idempotency-Replayed"] == "true"


@pytest.fixture
async def killing() -> AsyncIterator[Killing]:
    async with product() as made, AsyncClient(timeout=5) as http:
        made.start("up")
        killing = Killing(made, Crowd(lambda: made.url, SEED), http)
        try:
            await killing.ready()
            async with killing.crowd.alive():
                yield killing
        finally:
            sys.stdout.write(made.said())  # shown where the test fails


async def test_whatever_is_killed_nothing_acknowledged_is_lost(
    killing: Killing, counts: Counts, figure: Figure
) -> None:
    chance = Random(SEED)  # noqa: S311 - chance to be repeated, not a secret
    product, crowd = killing.product, killing.crowd
    url = await product.asked("db", "url", "--role", "owner")
    ledger = Ledger(url["url"])
    for kind in in_turn(counts.of(QUICK, FULL), chance):
        await killing.strike(kind, chance)
        await killing.check(ledger, chance)
    many = min(AT_THE_END, len(crowd.acknowledged))
    await answered_alike(chance.sample(crowd.acknowledged, many))
    quotes = ledger.must_hold_quotes(crowd.acknowledged)
    heads = ledger.must_be_contiguous()
    assert await product.stop() == 0
    for kind, times in killing.recovered.items():
        figure(told(kind, times))
    figure(
        f"{len(crowd.acknowledged)} commands acknowledged, 0 lost, 0 doubled;"
        f" {sum(heads.values())} events, {quotes} quotes",
    )


def in_turn(times: int, chance: Random) -> Iterator[str]:
    """Mix them, but so that nobody dies too often in too short a time."""
    for _ in range(times):
        yield from chance.sample(KINDS, len(KINDS))


def told(kind: str, times: Recovered) -> str:
    spans = ", ".join(
        f"{what} {sum(took) / len(took):.2f} s (longest {max(took):.2f})"
        for what, took in times.items()
    )
    return f"kill -9 {kind}, {len(times['health'])} times: back after {spans}"
