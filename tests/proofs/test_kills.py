"""Whatever is killed, whenever: nothing acknowledged is lost, nothing happens twice.

A whole product runs on bundled servers of its own, traders trade, and at an instant
that the seed chooses something is killed with SIGKILL. Nobody repairs anything.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from random import Random
from time import monotonic

import pytest
from httpx import AsyncClient
from msgspec import Struct

from infrastructure.roles import Role
from tests.proofs.conftest import Counts, Figure
from tests.proofs.crowd import Crowd
from tests.proofs.derived import Derived
from tests.proofs.ledger import Ledger
from tests.proofs.product import WHOLE, Product, product, until
from tests.proofs.traders import Sent

SEED = 20_260_105
KINDS = ("everything", "api", "project", "postgres")
QUICK, FULL = 1, 20  # kills of each kind
TRADERS = 6
FEWEST, MOST = 20, 80  # answers before a kill
AT_ONCE = 0.5  # of the kills come with an answer, the others some time after it
LATEST_SECONDS = 0.03
SOON, LATE = 10, 60  # answers after it, before we look
SAMPLE = 20  # commands sent again after each kill
AT_THE_END = 2_000
ONLY_THE_FIRST = 0.3

Recovered = dict[str, list[float]]


class Blow(Struct, frozen=True):
    """When something is killed, and what: the seed's choice."""

    kind: str
    answers: int
    later_seconds: float
    answers_after: int


class Killing:
    """One product, the crowd on it, and how long it took to come back each time."""

    def __init__(self, made: Product, crowd: Crowd, http: AsyncClient) -> None:
        self.product = made
        self.crowd = crowd
        self.http = http
        self.recovered: dict[str, Recovered] = defaultdict(lambda: defaultdict(list))
        self.in_flight: list[int] = []

    async def ready(self) -> None:
        await until(lambda: self.product.is_ready(self.http), "ready")

    async def strike(self, blow: Blow, chance: Random) -> None:
        """Kill, and wait until it serves again; the traders never stop asking."""
        await until(lambda: self.product.roles() == WHOLE, "all that there is to kill")
        victims = self._victims(blow.kind, chance)

        def hit() -> None:
            self.in_flight.append(self.crowd.in_flight)
            self.product.kill(victims)

        await self.crowd.trade_until(blow.answers, blow.later_seconds, hit)
        killed, seen = monotonic(), len(self.crowd.acknowledged)
        say(f"{blow}: {victims}, with {self.in_flight[-1]} commands in flight")
        assert self.in_flight[-1]
        if blow.kind == "everything":
            await until(lambda: not self.product.living(), "no process left")
            self.product.start("up")
        await self._serves_again(self.recovered[blow.kind], killed, blow.answers_after)
        assert len(self.crowd.acknowledged) >= seen + blow.answers_after

    async def _serves_again(self, times: Recovered, killed: float, many: int) -> None:
        healthy = asyncio.create_task(
            until(lambda: self.product.is_healthy(self.http), "health")
        )
        await self.crowd.trade(TRADERS + 1)  # so that one was sent after the kill
        times["commands"].append(monotonic() - killed)
        times["health"].append(await healthy)
        await self.crowd.trade(many)
        await self.crowd.rest()
        newest = self.crowd.acknowledged[-1]
        await newest.trader.get("/accounts", min_position=newest.position)
        times["tables"].append(monotonic() - killed)

    def _victims(self, kind: str, chance: Random) -> list[int]:
        """Everything, or only what holds all others, which then go with it."""
        if kind != "everything":
            return [self.product.pid_of(kind)]
        if chance.random() < ONLY_THE_FIRST:
            return [self.product.pid_of("up")]
        return chance.sample(victims := list(self.product.living()), len(victims))

    async def check(self, ledger: Ledger, derived: Derived, chance: Random) -> None:
        await until(lambda: self.product.roles() == WHOLE, "nothing more, nothing less")
        acknowledged = self.crowd.acknowledged
        ledger.must_hold(acknowledged)
        heads = ledger.must_be_contiguous()
        await derived.must_agree(heads, accounts=sum(map(opens_account, acknowledged)))
        many = min(SAMPLE, len(acknowledged))
        await answered_alike(chance.sample(acknowledged, many))
        ledger.must_hold(acknowledged)


def opens_account(sent: Sent) -> bool:
    return sent.is_success and sent.path.endswith(("/accounts", "/challenges"))


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
        killing = Killing(made, Crowd(lambda: made.url, SEED, TRADERS), http)
        try:
            await killing.ready()
            async with killing.crowd.alive():
                yield killing
        finally:
            say(made.said())


async def test_whatever_is_killed_nothing_acknowledged_is_lost(
    killing: Killing, counts: Counts, figure: Figure
) -> None:
    chance = Random(SEED)  # noqa: S311 - chance to be repeated, not a secret
    product, crowd = killing.product, killing.crowd
    urls = product.database_urls()
    ledger = Ledger(urls[Role.OWNER])
    derived = Derived(urls[Role.PROJECTOR], urls[Role.AUDITOR])
    for blow in blows(counts.of(QUICK, FULL), chance):
        await killing.strike(blow, chance)
        await killing.check(ledger, derived, chance)
    many = min(AT_THE_END, len(crowd.acknowledged))
    await answered_alike(chance.sample(crowd.acknowledged, many))
    quotes = ledger.must_hold_quotes(crowd.acknowledged)
    heads = ledger.must_be_contiguous()
    assert await product.stop() == 0
    for kind, times in killing.recovered.items():
        figure(told(kind, times))
    figure(
        f"{len(crowd.acknowledged)} commands acknowledged, 0 lost, 0 doubled;"
        f" {min(killing.in_flight)} to {max(killing.in_flight)} in flight at a kill;"
        f" {sum(heads.values())} events, {quotes} quotes",
    )


def blows(times: int, chance: Random) -> Iterator[Blow]:
    """Mix them, but so that nobody dies too often in too short a time."""
    for _ in range(times):
        for kind in chance.sample(KINDS, len(KINDS)):
            at_once, later = chance.random() < AT_ONCE, chance.random()
            yield Blow(
                kind=kind,
                answers=chance.randint(FEWEST, MOST),
                later_seconds=0.0 if at_once else later * LATEST_SECONDS,
                answers_after=chance.randint(SOON, LATE),
            )


def told(kind: str, times: Recovered) -> str:
    spans = ", ".join(
        f"{what} {sum(took) / len(took):.2f} s (longest {max(took):.2f})"
        for what, took in times.items()
    )
    return f"kill -9 {kind}, {len(times['health'])} times: back after {spans}"


def say(text: str) -> None:
    """It is shown where the test fails."""
    sys.stdout.write(f"{text}\n")
