"""An event loop whose time is virtual and whose order is a seed's.

Nothing sleeps: when nobody can move, the clock jumps to the next timer. What runs on
behalf of a process can be held back, as SIGSTOP would, or for ever, as SIGKILL would.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Final, TypeVarTuple

Ts = TypeVarTuple("Ts")
OUTSIDE: Final = 0  # clients, the database, the weather: whatever is no engine
PROCESS: Final[ContextVar[int]] = ContextVar("process", default=OUTSIDE)
MOST_STEPS_AT_ONE_INSTANT: Final = 200_000


class Stalled(Exception):
    """Nobody will ever move again, or somebody never rests."""


class Step(asyncio.TimerHandle):
    """A callback, whose it is, and in which context; nothing that a run never reads."""

    __slots__ = ("process",)

    def __init__(
        self,
        process: int,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.process = process
        self._when = when
        self._callback = callback
        self._args = args
        self._context = context
        self._loop = loop
        self._cancelled = self._scheduled = False
        self._source_traceback = self._repr = None

    def cancel(self) -> None:
        """It is passed over when its turn comes."""
        self._cancelled = True

    def run(self) -> None:
        self._context.run(self._callback, *self._args)


class VirtualLoop(asyncio.BaseEventLoop):
    def __init__(self, random: Random, *, is_shuffled: bool) -> None:
        super().__init__()
        self._random, self._is_shuffled = random, is_shuffled
        self._now = 0.0
        self._steps_now = 0
        self._soon: list[Step] = []
        self._later: list[tuple[float, int, Step]] = []
        self._number = count().__next__
        self._held: dict[int, list[Step]] = {}
        self._fuse: tuple[int, int, Callable[[], None]] | None = None
        self.set_exception_handler(lambda _loop, _context: None)

    def time(self) -> float:
        return self._now

    # -- processes ----------------------------------------------------------------

    def hold(self, process: int) -> None:
        """Nothing of it runs from here on; what it has sent is on its way."""
        self._held.setdefault(process, [])

    def let_go(self, process: int) -> None:
        self._soon.extend(self._held.pop(process, ()))

    def is_held(self, process: int) -> bool:
        return process in self._held

    def after_steps(self, process: int, steps: int, then: Callable[[], None]) -> None:
        """Interrupt it at an await point like any other."""
        self._fuse = (process, steps, then)

    def spare(self) -> None:
        """Forget about interrupting anybody."""
        self._fuse = None

    def end(self) -> None:
        """Cancel whatever is left, the dead too, so that nothing lingers."""
        for process in tuple(self._held):
            self.let_go(process)
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        self.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.run_until_complete(self.shutdown_asyncgens())
        self.close()

    # -- what asyncio asks of a loop ------------------------------------------------

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        if context is None:
            context = copy_context()
        process = context.get(PROCESS, OUTSIDE)
        step = Step(process, self._now, callback, args, context, self)
        self._soon.append(step)
        return step

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        if context is None:
            context = copy_context()
        process = context.get(PROCESS, OUTSIDE)
        step = Step(process, when, callback, args, context, self)
        heappush(self._later, (when, self._number(), step))
        return step

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def _run_once(self) -> None:
        soon = self._fallen_due()
        if self._is_shuffled and len(soon) > 1:
            self._random.shuffle(soon)
        held = self._held
        for step in soon:
            if step._cancelled:  # noqa: SLF001 - as every event loop does
                continue
            if self._fuse is not None and step.process == self._fuse[0]:
                self._burn()
            if step.process in held:
                held[step.process].append(step)
            else:
                step.run()

    def _fallen_due(self) -> list[Step]:
        """What can move now; the clock jumps where nobody can."""
        soon, self._soon = self._soon, []
        later = self._later
        if not soon:
            self._jump()
        while later and later[0][0] <= self._now:
            soon.append(heappop(later)[2])
        self._steps_now += len(soon)
        if self._steps_now > MOST_STEPS_AT_ONE_INSTANT:
            raise Stalled(f"somebody never rests at {self._now}")
        return soon

    def _jump(self) -> None:
        later = self._later
        while later and later[0][2].cancelled():
            heappop(later)
        if not later:
            raise Stalled("everybody waits for somebody else")
        self._now = max(self._now, later[0][0])
        self._steps_now = 0

    def _burn(self) -> None:
        assert self._fuse is not None
        process, steps, then = self._fuse
        if steps > 0:
            self._fuse = (process, steps - 1, then)
        else:
            self._fuse = None
            then()
