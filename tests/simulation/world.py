"""One run: engines, a database, traders and bad luck under one seed."""

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import Context
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Final
from unittest.mock import patch

from msgspec import Struct
from msgspec.structs import replace
from structlog.testing import capture_logs

import application.engine.engine as engine_module
import application.engine.kept as kept_module
import application.engine.recovery as recovery_module
import application.policies.runner as runner_module
from application.engine.asks import Answer, Ask, TakeQuotes
from application.engine.host import Host
from application.engine.journal import Batch, Fenced, NotStored
from application.gateway import LIVE_PARTITION, LocalGateway
from application.refusals import NotFound, Waitable
from infrastructure.event_store.memory import MemoryJournal
from tests.simulation import ending
from tests.simulation.answers import ANOTHER_BODY, Answers, Told
from tests.simulation.journal import Database, SimulatedJournal, Weather
from tests.simulation.loop import PROCESS, Stalled, VirtualLoop
from tests.simulation.model import Facts, Model, must
from tests.simulation.workload import (
    LIVE,
    SANDBOXES,
    TRADERS,
    Trader,
    by_the_house,
    openings,
)
from tests.stories.engines import remembered
from tests.stories.facts import MONDAY

PARTITION: Final = LIVE_PARTITION
SESSIONS: Final = 3  # of each trader
LONGEST_RUN_SECONDS: Final = 7_200.0  # virtual
MOST_PROCESSES: Final = 3  # at a time
ALARMS: Final = {
    "judging-failed",
    "policy-failed",
    "follow-up-refused",
    "follow-up-failed",
}
MISFORTUNES: Final = (
    "kill",
    "pause",
    "usurp",
    "rival",
    "outage",
    "restart",
    "clock",
    "clock",
)
NARROW: Final = (
    (kept_module, "AT_HAND", 3),
    (kept_module, "WARY_BATCHES", 2),
    (engine_module, "MOST_IN_A_BATCH", 3),
    (engine_module, "SLICE", 2),
    (runner_module, "AT_HAND", 2),
    (recovery_module, "SLICE", 1),
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
    processes: int
    virtual_seconds: int
    digest: str


class MachineClock:
    """Follows virtual time, but may be set, and no two machines agree."""

    def __init__(self, world: "World", apart: float) -> None:
        self._world, self._apart = world, timedelta(seconds=apart)

    def now(self) -> datetime:
        return self._world.now() + self._apart


class Process:
    """One engine, from its start to whatever ends it."""

    def __init__(self, number: int, world: "World") -> None:
        self.number = number
        self.context = Context()
        self.context.run(PROCESS.set, number)
        clock = MachineClock(world, world.luck.choice((0.0, 0.0, -0.4, 0.7)))
        self.host = Host(PARTITION, SimulatedJournal(world.database), clock)
        self.gateway = LocalGateway({PARTITION: self.host})
        self.is_serving = self.is_over = False

    def task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` inside the process: it stops when the process does."""
        context = self.context.copy()
        return asyncio.get_running_loop().create_task(work, context=context)


class World:
    def __init__(self, seed: int, commands: int, loop: VirtualLoop) -> None:
        self.seed, self.commands, self.loop = seed, commands, loop
        self.luck = Random(seed)  # noqa: S311 - repeatable on purpose
        self.weather = Weather(Random(seed + 1))  # noqa: S311 - likewise
        self.database = Database(self.weather, self.hear)
        self.model = Model()
        self.answers = Answers(self.model)
        self.processes: list[Process] = []
        self.sent = 0
        self.broken: asyncio.Future[None] = loop.create_future()
        self.ahead = timedelta()  # how far the clocks were set
        self.is_stormy = self.luck.random() < 0.85
        homes = {owner: venue for venue, owner in SANDBOXES.items()}
        self.traders = [
            Trader(name, homes.get(name, LIVE), self.luck, self.model)
            for name in TRADERS
        ]
        self._spare_numbers = count(1_000_000)

    def now(self) -> datetime:
        return MONDAY + self.ahead + timedelta(seconds=round(self.loop.time(), 6))

    def fail(self, error: BaseException) -> None:
        if not self.broken.done():
            self.broken.set_exception(error)

    def hear(self, batch: Batch) -> None:
        try:
            self.model.take(batch)
        except Exception as error:  # noqa: BLE001 - the engine must not catch it
            self.fail(error)

    # -- processes ------------------------------------------------------------------

    def start(self) -> None:
        process = Process(len(self.processes) + 1, self)
        self.processes.append(process)
        process.task(self._starting(process))

    async def _starting(self, process: Process) -> None:
        try:
            await process.host.start(lambda _: self._ended(process))
        except (ConnectionError, Fenced, NotStored):
            self.kill(process)  # whoever runs it starts another
        except Exception as error:  # noqa: BLE001 - whatever it is, the run has failed
            self.fail(error)
        else:
            process.is_serving = not process.is_over

    def _ended(self, process: Process) -> None:
        """Its writer has: what it has still to say, it says; then it exits."""
        process.is_serving = False
        self.loop.call_later(0.05, self.kill, process, context=Context())

    def kill(self, process: Process) -> None:
        process.is_serving, process.is_over = False, True
        self.loop.hold(process.number)

    async def pause(self, process: Process, seconds: float) -> None:
        self.loop.hold(process.number)
        await asyncio.sleep(seconds)
        if process.is_over:
            return
        self.loop.let_go(process.number)
        for trader in self.traders:  # who happens to ask just as it wakes
            for account_id in trader.accounts[:1]:
                await self.look(process, account_id, trader.name)

    def alive(self) -> list[Process]:
        return [each for each in self.processes if not each.is_over]

    async def supervise(self) -> None:
        while True:
            if not self.alive():
                self.start()
            await asyncio.sleep(0.05)

    async def misfortune(self) -> None:
        """Now and then something breaks, whatever it is doing."""
        try:
            await self._misfortunes()
        except Exception as error:  # noqa: BLE001 - a promise that was broken there
            self.fail(error)

    async def _misfortunes(self) -> None:
        luck = self.luck
        while True:
            await asyncio.sleep(luck.choice((0.02, 0.1, 0.3, 1.0)))
            self.weather.change(
                loses=luck.choice((0.0, 0.0, 0.01, 0.1)),
                refuses=luck.choice((0.0, 0.0, 0.05)),
                dawdles=luck.choice((0.0, 0.05)),
            )
            if alive := self.alive():
                await self._befall(luck.choice(alive), luck.choice(MISFORTUNES))

    async def _befall(self, victim: Process, what: str) -> None:
        seconds = self.luck.choice((0.02, 0.3, 1.2, 3.0))
        has_room = len(self.alive()) < MOST_PROCESSES
        match what:
            case "kill":
                steps = self.luck.randint(0, 120)
                self.loop.after_steps(victim.number, steps, lambda: self.kill(victim))
            case "pause":
                await self.pause(victim, seconds)
            case "usurp" if has_room:
                self.start()
                await self.pause(victim, seconds)
            case "rival" if has_room:
                self.start()
            case "outage":
                self.weather.is_out = True
                await asyncio.sleep(seconds)
                self.weather.is_out = False
            case "restart" if victim.is_serving:
                await asyncio.wait({victim.task(victim.host.stop())}, timeout=20)
                self.kill(victim)
            case "clock":
                self._set_clocks()

    def _set_clocks(self) -> None:
        """Shortly before the next day begins somewhere, far on, or a little back."""
        hours = self.luck.choice((-0.001, 0, 1, 7, 30))
        if hours:
            self.ahead += timedelta(hours=hours)
            return
        today = self.now()
        for hour in (22, 23):  # New York and Prague, in winter
            turns = today.replace(hour=hour, minute=0, second=0, microsecond=0)
            if turns > today:
                self.ahead += turns - today - timedelta(seconds=0.2)
                return

    # -- clients ----------------------------------------------------------------------

    async def door(self) -> Process:
        while not (serving := [each for each in self.processes if each.is_serving]):  # noqa: ASYNC110 - as a client does, who knows of no event in there
            await asyncio.sleep(0.02)
        return serving[-1] if self.luck.random() < 0.9 else self.luck.choice(serving)

    async def send(self, ask: Ask) -> Told:
        """One attempt, at whoever serves; or what was taken for it."""
        process = await self.door()
        known = self.answers.acknowledged
        was_there = self.model.first_told.get(ask.stream, known + 1) <= known
        self.sent += 1
        asking: asyncio.Task[Answer] = process.task(process.gateway.ask(PARTITION, ask))
        patience = self.luck.choice((0.3, 6.0, 6.0, 6.0))
        await asyncio.wait({asking}, timeout=patience)
        told: Told = None
        if asking.done():
            told = asking.exception() or asking.result()
        elif self.luck.random() < 0.7:  # hang up, or let it run on unheard
            asking.cancel()
        self.answers.hear(ask, told, known, was_there=was_there)
        return told

    async def insist(self, ask: Ask, tries: int) -> Told:
        """Send it until somebody decides, as a client with a key may."""
        told = await self.send(ask)
        while tries and ask.is_kept and isinstance(told, Waitable | None):
            tries -= 1
            await asyncio.sleep(self.luck.choice((0.0, 0.1, 0.5)))
            told = await self.send(ask)
        return told

    async def session(self, trader: Trader) -> None:
        luck = self.luck
        while self.sent < self.commands:
            ask = trader.next()
            if ask.is_kept and luck.random() < 0.05:
                await asyncio.gather(self.send(ask), self.send(ask))
            told = await self.insist(ask, 4)
            if ask.is_kept and luck.random() < 0.05:
                await self.send(ask)
            if ask.is_kept and isinstance(told, Answer) and luck.random() < 0.01:
                await self.send(replace(ask, request_hash=ANOTHER_BODY))
            if luck.random() < 0.2 and trader.accounts:
                account_id = luck.choice(trader.accounts)
                await self.look(await self.door(), account_id, trader.name)
            await asyncio.sleep(luck.choice((0.0, 0.0, 0.002, 0.02, 0.1)))

    async def feed(self) -> None:
        """The live market, through its own traders' eyes."""
        watched = [each for each in self.traders if each.venue_id == LIVE]
        for number in count():
            if self.sent >= self.commands:
                return
            source = watched[number % len(watched)]
            quotes = tuple(source.quote(None) for _ in range(self.luck.randint(1, 4)))
            command = TakeQuotes(venue_id=LIVE, quotes=quotes)
            ask = by_the_house(f"venue-{LIVE}", command, number)
            await self.send(replace(ask, is_kept=False))
            await asyncio.sleep(self.luck.choice((0.01, 0.05, 0.1)))

    async def look(self, process: Process, account_id: str, owner: str) -> None:
        """Memory answers only as long as nobody else can have begun."""
        known = self.answers.acknowledged
        looking = process.task(self._look(process, account_id, owner, known))
        await asyncio.wait({looking}, timeout=0.1)
        if looking.done():
            looking.result()

    async def _look(
        self, process: Process, account_id: str, owner: str, known: int
    ) -> None:
        try:
            view = process.gateway.account(account_id, owner)
        except (Waitable, NotFound):
            return
        position = int(view.position.partition("-")[2])
        must(position >= known, "memory of the past:", view.position, "<", known)
        account = self.model.accounts[account_id]
        stored = (self.model.position, account["venue"]["sequence"])
        if (position, view.quote_sequence) == stored:
            must(view.balance == account["balance"], "balance", view)
            must(view.equity == self.model.equity(account), "equity", view)
            shown = "active" if view.status == "paused" else view.status
            must(shown == account["status"], "status", view)

    # -- the whole run --------------------------------------------------------------

    async def run(self) -> Outcome:
        playing = asyncio.ensure_future(self._play())
        both: set[asyncio.Future[Any]] = {playing, self.broken}
        await asyncio.wait(
            both,
            timeout=LONGEST_RUN_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if self.broken.done():
            self.broken.result()
        if not playing.done():
            raise Stalled("the run does not end")
        return playing.result()

    async def _play(self) -> Outcome:
        self.start()
        for ask in openings():
            told = await self.send(ask)
            must(isinstance(told, Answer) and not told.is_refused, ask, told)
        await self.processes[0].task(keep_time(self.processes[0].host))
        supervising = asyncio.ensure_future(self.supervise())
        troubling = asyncio.ensure_future(self.misfortune())
        if not self.is_stormy:
            troubling.cancel()
        sessions = [
            self.session(each) for each in self.traders for _ in range(SESSIONS)
        ]
        await asyncio.gather(self.feed(), *sessions)
        troubling.cancel()
        process = await self._at_rest()
        supervising.cancel()
        await self._settle_doubts()
        await self._a_day_passes(process)
        await self._compare(process.host)
        return self._outcome()

    async def _at_rest(self) -> Process:
        """Fair weather, nobody paused: one engine must come out as the only one."""
        self.weather.calm()
        self.loop.spare()
        for process in self.alive():
            self.loop.let_go(process.number)
        await asyncio.sleep(20)
        (process, *others) = self.alive()
        must(not others, "there are", len(others), "engines too many")
        must(process.is_serving, "it does not serve")
        return process

    async def _settle_doubts(self) -> None:
        for ask in tuple(self.answers.doubtful.values()):
            if ask.is_kept:
                told = await self.insist(ask, 20)
                must(not isinstance(told, Waitable | None), "no answer:", ask, told)

    async def _a_day_passes(self, process: Process) -> None:
        """Nobody asks for anything; the day must turn all the same."""
        await asyncio.sleep(1)
        ending.all_has_followed(self.model, self.database.partition, process.host)
        live = self.model.venues[LIVE]
        if due := min((at for at, _ in live["due"].values()), default=None):
            self.ahead += max(timedelta(), due - self.now()) + timedelta(seconds=2)
            await asyncio.sleep(1)
            must(live["clock"] >= due, "no heartbeat: the day has not turned")
        ending.all_has_followed(self.model, self.database.partition, process.host)

    async def _compare(self, host: Host) -> None:
        partition = self.database.partition
        await host.checkpoint()
        self.kill(self.alive()[0])
        ending.the_live_engine_agrees(self.model, host)
        ending.the_ticks_are_chained(partition)
        await ending.a_replay_agrees(partition)
        live = remembered(host.engine)
        await self._starts_anew(live)
        partition.checkpoint = None
        partition.images.clear()
        await self._starts_anew(live)

    async def _starts_anew(self, live: Facts) -> None:
        clock = MachineClock(self, 0)
        host = Host(PARTITION, MemoryJournal(self.database.partition), clock)
        number, context = next(self._spare_numbers), Context()
        context.run(PROCESS.set, number)
        start = host.start(lambda _: None)
        await asyncio.get_running_loop().create_task(start, context=context)
        self.loop.hold(number)
        ending.the_same_is_remembered(live, host)

    def _outcome(self) -> Outcome:
        answers, partition = self.answers, self.database.partition
        for event in partition.events:
            answers.digest.update(event.payload + event.envelope)
        for receipt in partition.receipts.values():
            answers.digest.update(receipt.command_id.bytes + receipt.body)
        for blocks in partition.tick_blocks.values():
            answers.digest.update(blocks[-1].sha256)
        verdicts = {"account.rule-breached/1", "account.objectives-met/1"}
        return Outcome(
            seed=self.seed,
            commands=self.sent,
            answered=answers.answered,
            refused=answers.refused,
            unknown=answers.unknown,
            events=len(partition.events),
            verdicts=sum(each.name in verdicts for each in partition.events),
            processes=len(self.processes),
            virtual_seconds=int(self.loop.time()),
            digest=answers.digest.hexdigest(),
        )


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
    with narrow(seed), unswept(), capture_logs() as logs:
        try:
            outcome = loop.run_until_complete(World(seed, commands, loop).run())
        finally:
            loop.end()
    alarms = [each for each in logs if each["event"] in ALARMS]
    must(not alarms, *alarms[:2])
    return outcome
