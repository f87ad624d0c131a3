"""One run: engines, a database, traders and bad luck under one seed."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import Context
from datetime import timedelta
from hashlib import sha256
from itertools import count
from random import Random
from typing import Any, Final
from unittest.mock import patch

from msgspec import Struct
from structlog.testing import capture_logs

import application.engine.backlog as backlog_module
import application.engine.deciding as deciding_module
import application.engine.engine as engine_module
import application.engine.kept as kept_module
import application.engine.saving as saving_module
import application.engine.start as start_module
import application.policies.runner as runner_module
from application.engine.asks import Answer
from application.engine.host import Host
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION
from application.refusals import Waitable
from infrastructure.event_store.memory import MemoryJournal
from tests.simulation import ending
from tests.simulation.clients import Clients
from tests.simulation.clock import MachineClock, Wall
from tests.simulation.curse import cursed
from tests.simulation.fleet import Fleet, Process
from tests.simulation.journal import Weather
from tests.simulation.loop import PROCESS, Stalled, VirtualLoop
from tests.simulation.misfortunes import Misfortunes
from tests.simulation.promises import Facts, must
from tests.simulation.realm import Realm
from tests.simulation.workload import (
    LIVE,
    SANDBOXES,
    TRADERS,
    Operator,
    Trader,
    plans,
    venue,
)
from tests.stories.engines import remembered

SESSIONS: Final = 4  # of each trader
LONGEST_RUN_SECONDS: Final = 7_200.0  # virtual
ALARMS: Final = {"policy-failed", "follow-up-refused"}
VERDICTS: Final = {
    "account.rule-breached/1",
    "account.objectives-met/1",
    "account.expired/1",
}
NARROW: Final = (
    (kept_module, "AT_HAND", 3),
    (kept_module, "WARY_BATCHES", 2),
    (engine_module, "MOST_IN_A_BATCH", 3),
    (engine_module, "SLICE", 2),
    (runner_module, "AT_HAND", 2),
    (saving_module, "SLICE", 1),
    (saving_module, "SLICE_OF_STALE", 1),
    (start_module, "MOST_KEPT", 3),
    (engine_module, "MOST_JUDGED", 1),
    (deciding_module, "SLICE", 2),
    (backlog_module, "MOST_KEPT", 4),
)


class Outcome(Struct, frozen=True):
    """`digest` is of all that was stored and told, in its order."""

    seed: int
    commands: int
    answered: int
    refused: int
    unknown: int
    events: int
    verdicts: int
    frozen: int
    parked: int
    processes: int
    virtual_seconds: int
    digest: str


class World:
    def __init__(self, seed: int, commands: int, loop: VirtualLoop) -> None:
        self._seed, self._loop = seed, loop
        luck = Random(seed)  # noqa: S311 - repeatable on purpose
        self._weather = Weather(Random(seed + 1))  # noqa: S311 - likewise
        self._wall = Wall(loop)
        self._broken: asyncio.Future[None] = loop.create_future()
        self._is_stormy = luck.random() < 0.85
        names = (LIVE_PARTITION, SANDBOX_PARTITION)
        self._realms = {
            name: Realm(name, self._weather, self._wall.now, self._fail)
            for name in names
        }
        databases = {name: realm.database for name, realm in self._realms.items()}
        self._fleet = Fleet(loop, luck, self._wall, databases, self._broken)
        self._live, self._sandboxes = self._realms.values()
        homes = {owner: venue_id for venue_id, owner in SANDBOXES.items()}
        self._traders = [
            Trader(
                name,
                homes.get(name, LIVE),
                luck,
                self._sandboxes if name in homes else self._live,
            )
            for name in TRADERS
        ]
        self._operators = [Operator(each, luck) for each in self._realms.values()]
        self._clients = Clients(luck, self._fleet, self._traders, commands)
        self._misfortunes = Misfortunes(
            luck, self._weather, self._fleet, self._wall, self._clients.look_around
        )
        self._spare_numbers = count(1_000_000)

    def _fail(self, error: BaseException) -> None:
        self._fleet.fail(error)

    async def run(self) -> Outcome:
        playing = asyncio.ensure_future(self._play())
        both: set[asyncio.Future[Any]] = {playing, self._broken}
        await asyncio.wait(
            both,
            timeout=LONGEST_RUN_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if self._broken.done():
            self._broken.result()
        if not playing.done():
            raise Stalled("the run does not end")
        return playing.result()

    async def _play(self) -> Outcome:
        clients = self._clients
        await self._open(self._fleet.start())
        troubling = asyncio.ensure_future(self._misfortunes.go_on())
        if not self._is_stormy:
            troubling.cancel()
        sessions = [
            clients.trade(each) for each in self._traders for _ in range(SESSIONS)
        ]
        deciding = [clients.operate(each) for each in self._operators]
        await asyncio.gather(clients.quote(self._live), *sessions, *deciding)
        troubling.cancel()
        process = await self._at_rest()
        await self._settle_doubts()
        for operator in self._operators:
            await clients.settle(operator)
        await self._a_day_passes(process)
        await self._compare(process)
        return self._outcome()

    async def _open(self, process: Process) -> None:
        """What is there before anybody trades."""
        beginnings = {
            self._live.name: (*venue(LIVE), *plans()),
            self._sandboxes.name: [ask for each in SANDBOXES for ask in venue(each)],
        }
        for name, asks in beginnings.items():
            for ask in asks:
                told = await self._clients.send(self._realms[name], ask)
                must(isinstance(told, Answer) and not told.is_refused, ask, told)
        await process.task(keep_time(process.hosts[self._live.name]))

    async def _at_rest(self) -> Process:
        """Fair weather, nobody paused: one engine must come out as the only one."""
        self._weather.calm()
        self._fleet.wake()
        await asyncio.sleep(20)
        (process, *others) = self._fleet.alive
        must(not others, "there are", len(others), "engines too many")
        must(process.is_serving, "it does not serve")
        return process

    async def _settle_doubts(self) -> None:
        for realm in self._realms.values():
            for ask in tuple(realm.answers.doubtful.values()):
                if ask.is_kept:
                    told = await self._clients.insist(realm, ask, 20)
                    must(not isinstance(told, Waitable | None), "no answer:", ask, told)

    async def _a_day_passes(self, process: Process) -> None:
        """Nobody asks for anything; the day must turn all the same."""
        await asyncio.sleep(1)
        self._all_has_followed(process)
        due, clock = self._live.model.next_due(LIVE), self._wall
        if due is not None:
            clock.leap(max(timedelta(), due - clock.now()) + timedelta(seconds=2))
            await asyncio.sleep(1)
            is_past = self._live.model.venues[LIVE]["clock"] >= due
            must(is_past, "no heartbeat: the day has not turned")
        self._all_has_followed(process)

    def _all_has_followed(self, process: Process) -> None:
        for name, realm in self._realms.items():
            ending.all_has_followed(realm, process.hosts[name])
            ending.what_was_parked_is_decided(realm)

    async def _compare(self, process: Process) -> None:
        for host in process.hosts.values():
            await host.checkpoint()
        self._fleet.is_replaced = False
        self._fleet.kill(process)
        for name, realm in self._realms.items():
            host, partition = process.hosts[name], realm.database.partition
            ending.the_live_engine_agrees(realm.model, host)
            ending.the_ticks_are_chained(partition)
            await ending.a_replay_agrees(partition)
            live = remembered(host.engine)
            await self._starts_anew(realm, live)
            partition.checkpoint = None
            partition.images.clear()
            await self._starts_anew(realm, live)

    async def _starts_anew(self, realm: Realm, live: Facts) -> None:
        clock = MachineClock(self._wall, 0)
        host = Host(realm.name, MemoryJournal(realm.database.partition), clock)
        number, context = next(self._spare_numbers), Context()
        context.run(PROCESS.set, number)

        async def start() -> None:
            await host.start(lambda _: None)
            self._loop.hold(number)  # before its policy asks for anything again

        await asyncio.get_running_loop().create_task(start(), context=context)
        ending.the_same_is_remembered(live, host)

    def _outcome(self) -> Outcome:
        told = [realm.answers for realm in self._realms.values()]
        stored = [realm.database.partition for realm in self._realms.values()]
        accounts = [
            account
            for realm in self._realms.values()
            for account in realm.model.accounts.values()
        ]
        digest = sha256()
        for realm in self._realms.values():
            digest.update(all_that_was_said(realm))
        return Outcome(
            seed=self._seed,
            commands=self._clients.sent,
            answered=sum(each.answered for each in told),
            refused=sum(each.refused for each in told),
            unknown=sum(each.unknown for each in told),
            events=sum(len(each.events) for each in stored),
            verdicts=sum(e.name in VERDICTS for each in stored for e in each.events),
            frozen=sum(each["status"] == "frozen" for each in accounts),
            parked=sum(len(each.parked) for each in stored),
            processes=self._fleet.started,
            virtual_seconds=int(self._loop.time()),
            digest=digest.hexdigest(),
        )


def all_that_was_said(realm: Realm) -> bytes:
    digest, partition = realm.answers.digest, realm.database.partition
    for event in partition.events:
        digest.update(event.payload + event.envelope)
    for receipt in partition.receipts.values():
        digest.update(receipt.command_id.bytes + receipt.body)
    for blocks in partition.tick_blocks.values():
        digest.update(blocks[-1].sha256)
    return digest.digest()


async def keep_time(host: Host) -> None:
    """As whoever opens the live venue does."""
    host.keep_time()


@contextmanager
def narrow(seed: int) -> Iterator[None]:
    """Some seeds leave little room, so that what is rarely full is often full."""
    luck = Random(seed + 2)  # noqa: S311 - repeatable on purpose
    with ExitStack() as stack:
        for module, name, value in NARROW:
            if luck.random() < 0.4:
                stack.enter_context(patch.object(module, name, value))
        yield


@contextmanager
def unswept() -> Iterator[None]:
    """When cycles are collected depends on what ran before, so here none are.

    Afterwards only what the run has left is looked through, not all that was there.
    """
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        gc.enable()


def simulated(seed: int, commands: int) -> Outcome:
    """Run once. The same seed and number of commands give the same digest."""
    random = Random(seed + 3)  # noqa: S311 - repeatable on purpose
    loop = VirtualLoop(random, is_shuffled=seed % 2 == 1)
    with narrow(seed), cursed(), unswept(), capture_logs() as logs:
        try:
            outcome = loop.run_until_complete(World(seed, commands, loop).run())
        finally:
            loop.end()
    alarms = [each for each in logs if each["event"] in ALARMS]
    must(not alarms, *alarms[:2])
    return outcome
