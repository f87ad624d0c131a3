"""The product's processes: started together, kept alive, ended together."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from infrastructure.parentage import die_with_parent

STOP_SECONDS = 9.0  # of the ten that a clean stop may take
FIRST_PAUSE_SECONDS = 0.25
YOUNG_SECONDS = 10.0  # who dies younger than that is not well
MOST_YOUNG_DEATHS = 5
LONGEST_LINE = 64 * 1024

Say = Callable[[str], None]


@dataclass(frozen=True)
class Member:
    """One process. What `is_heard` members print is the running line of the product.

    One that `waits` gets ready, then reads its input to the end before it begins.
    """

    name: str
    argv: Sequence[str]
    is_heard: bool = False
    waits: bool = False


class Unwell(Exception):
    """A process died again and again; the text says which."""


class Family:
    def __init__(self, say: Say, environment: Mapping[str, str] | None = None) -> None:
        self._say = say
        self._environment = {**os.environ, **(environment or {})}
        self._processes: dict[str, Process] = {}
        self._is_stopping = False
        self._gate, self._bolt = os.pipe()
        self.has_born = asyncio.Event()

    def let_begin(self) -> None:
        """End the input of those that wait, and of all that are started later."""
        bolt, self._bolt = self._bolt, -1
        if bolt >= 0:
            os.close(bolt)

    async def keep(self, member: Member) -> None:
        """Start it, and start it again whenever it dies; returns when all stop."""
        young_deaths = 0
        while not self._is_stopping:
            born = time.monotonic()
            ended = await self._live(member)
            if self._is_stopping:
                return
            is_young = time.monotonic() - born < YOUNG_SECONDS
            young_deaths = young_deaths + 1 if is_young else 0
            if young_deaths >= MOST_YOUNG_DEATHS:
                raise Unwell(f"{member.name} died {young_deaths} times in a row")
            pause = FIRST_PAUSE_SECONDS * 2 ** max(young_deaths - 1, 0)
            self._say(f"{member.name} {how(ended)}; starting it again in {pause:g} s")
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """Ask all to end; who has not after nine seconds is killed."""
        self._is_stopping = True
        self.let_begin()
        self._signal(signal.SIGTERM)
        waits = [process.wait() for process in self._processes.values()]
        try:
            await asyncio.wait_for(asyncio.gather(*waits), STOP_SECONDS)
        except TimeoutError:
            slow = ", ".join(self._processes)
            self._say(f"not ended after {STOP_SECONDS:g} s, killed: {slow}")
            self.kill()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        for process in self._processes.values():
            if process.returncode is None:
                process.send_signal(number)

    async def _live(self, member: Member) -> int:
        process = await asyncio.create_subprocess_exec(
            *member.argv,
            stdin=self._gate if member.waits else DEVNULL,
            stdout=PIPE if member.is_heard else DEVNULL,  # the others write to the log
            stderr=PIPE,
            env=self._environment,
            limit=LONGEST_LINE,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end them in order
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
        self._processes[member.name] = process
        self.has_born.set()
        try:
            if self._is_stopping:
                process.terminate()
            said = [self._relay(process.stderr, f"{member.name} | ")]
            if member.is_heard:
                said.append(self._relay(process.stdout, ""))
            await asyncio.gather(*said)
            return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
            self._processes.pop(member.name, None)

    async def _relay(self, stream: asyncio.StreamReader | None, before: str) -> None:
        assert stream is not None
        while True:
            try:
                line = await stream.readline()
            except ValueError:
                continue  # longer than any line of ours: dropped, not kept
            if not line:
                return
            self._say(before + line.decode(errors="replace").rstrip("\n"))


def how(ended: int) -> str:
    if ended < 0:
        return f"was ended by {signal.Signals(-ended).name}"
    return f"ended with exit code {ended}"


def ours(name: str) -> Sequence[str]:
    return (sys.executable, "-m", "api.cli.main", name)
