"""The processes: each with an engine for every partition, until something ends it."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextvars import Context
from random import Random
from typing import Any, Final

from application.engine.host import Host
from application.engine.journal import Fenced, NotStored
from application.gateway import LocalGateway
from tests.simulation.clock import MachineClock, Wall
from tests.simulation.journal import Database, SimulatedJournal
from tests.simulation.loop import PROCESS, VirtualLoop

MOST_AT_A_TIME: Final = 3
LAST_WORDS_SECONDS: Final = 0.05
APART: Final = (0.0, 0.0, -0.4, 0.7)
LATE: Final = (0.0, 0.005, 0.02)  # seconds until a client has noticed who serves


class Process:
    def __init__(
        self, number: int, databases: Mapping[str, Database], clock: MachineClock
    ) -> None:
        self.number = number
        self._context = Context()
        self._context.run(PROCESS.set, number)
        self.hosts = {
            name: Host(name, SimulatedJournal(database), clock)
            for name, database in databases.items()
        }
        self.gateway = LocalGateway(self.hosts)
        self.is_serving = self.is_over = False

    def task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` inside the process: it stops when the process does."""
        context = self._context.copy()
        return asyncio.get_running_loop().create_task(work, context=context)

    async def stop(self) -> None:
        for host in self.hosts.values():
            await host.stop()


class Fleet:
    def __init__(
        self,
        loop: VirtualLoop,
        luck: Random,
        wall: Wall,
        databases: Mapping[str, Database],
        broken: asyncio.Future[None],
    ) -> None:
        self._loop, self._luck, self._wall = loop, luck, wall
        self._databases = databases
        self._broken = broken
        self.started = 0
        self.alive: list[Process] = []
        self._has_opened = asyncio.Event()
        self.is_replaced = True  # whoever runs them starts another one for the last

    def fail(self, error: BaseException) -> None:
        if not self._broken.done():
            self._broken.set_exception(error)

    @property
    def has_room(self) -> bool:
        return len(self.alive) < MOST_AT_A_TIME

    def start(self) -> Process:
        self.started += 1
        clock = MachineClock(self._wall, self._luck.choice(APART))
        process = Process(self.started, self._databases, clock)
        self.alive.append(process)
        process.task(self._starting(process))
        return process

    async def _starting(self, process: Process) -> None:
        try:
            for host in process.hosts.values():
                await host.start(lambda _: self._ended(process))
        except (ConnectionError, Fenced, NotStored):
            self.kill(process)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run has failed
            self.fail(error)
        else:
            process.is_serving = not process.is_over
            self._has_opened.set()

    def _ended(self, process: Process) -> None:
        """A writer of its has: what there is still to say is said; then it exits."""
        process.is_serving = False
        self._later(LAST_WORDS_SECONDS, lambda: self.kill(process))

    def kill(self, process: Process) -> None:
        if process.is_over:
            return
        process.is_serving, process.is_over = False, True
        self._loop.hold(process.number)
        self.alive.remove(process)
        if self.is_replaced and not self.alive:
            self._later(self._luck.choice((0.0, 0.02, 0.05)), self._replace)

    def _replace(self) -> None:
        if not self.alive:
            self.start()

    def _later(self, seconds: float, act: Any) -> None:
        """Whoever ends, this is done by somebody who does not."""
        self._loop.call_later(seconds, act, context=Context())

    async def pause(self, process: Process, seconds: float) -> bool:
        """As a machine does that is too busy; does it wake up again?"""
        self._loop.hold(process.number)
        await asyncio.sleep(seconds)
        if process.is_over:
            return False
        self._loop.let_go(process.number)
        return True

    def wake(self) -> None:
        self._loop.spare()
        for process in self.alive:
            self._loop.let_go(process.number)

    def is_held(self, process: Process) -> bool:
        return self._loop.is_held(process.number)

    def interrupt(self, process: Process, steps: int) -> None:
        """Kill it at an await point like any other."""
        self._loop.after_steps(process.number, steps, lambda: self.kill(process))

    async def door(self) -> Process:
        """Mostly whoever began last; a client may know another one."""
        while not (serving := [each for each in self.alive if each.is_serving]):
            self._has_opened.clear()
            await self._has_opened.wait()
            await asyncio.sleep(self._luck.choice(LATE))
        return serving[-1] if self._luck.random() < 0.9 else self._luck.choice(serving)
