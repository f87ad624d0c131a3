"""An event loop whose time is virtual and whose order is a seed's.

Nothing sleeps: when nobody can move, the clock jumps to the next timer. What runs on
behalf of a process can be held back, as SIGSTOP would, or for ever, as SIGKILL would.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Final, TypeVarTuple

Ts = TypeVarTuple("Ts")
OUTSIDE: Final = 0  # clients, the database, the weather: whatever is no engine
PROCESS: Final[ContextVar[int]] = ContextVar("process", default=OUTSIDE)
MOST_STEPS_AT_ONE_INSTANT: Final = 200_000

Step = tuple[int, asyncio.Handle]
Timer = tuple[float, int, int, asyncio.TimerHandle]


class Stalled(Exception):
    """Nobody will ever move again, or somebody never rests."""


class VirtualLoop(asyncio.BaseEventLoop):
    def __init__(self, random: Random, *, is_shuffled: bool) -> None:
        super().__init__()
        self._random, self._is_shuffled = random, is_shuffled
        self._now = 0.0
        self._steps_now = 0
        self._soon: list[Step] = []
        self._later: list[Timer] = []
        self._numbers = count()
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
        handle = asyncio.Handle(callback, args, self, context)
        self._soon.append((process_of(context), handle))
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        place = (when, next(self._numbers), process_of(context), timer)
        heappush(self._later, place)
        return timer

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def _run_once(self) -> None:
        self._fall_due()
        soon, self._soon = self._soon, []
        if self._is_shuffled and len(soon) > 1:
            self._random.shuffle(soon)
        for step in soon:
            process, handle = step
            if handle.cancelled():
                continue
            if self._fuse is not None and process == self._fuse[0]:
                self._burn()
            if process in self._held:
                self._held[process].append(step)
            else:
                handle._run()  # noqa: SLF001 - as every event loop does

    def _fall_due(self) -> None:
        later, soon = self._later, self._soon
        while later and later[0][3].cancelled():
            heappop(later)
        if not soon:
            self._jump()
        while later and later[0][0] <= self._now:
            _, _, process, timer = heappop(later)
            soon.append((process, timer))
        self._steps_now += len(soon)
        if self._steps_now > MOST_STEPS_AT_ONE_INSTANT:
            raise Stalled(f"somebody never rests at {self._now}")

    def _jump(self) -> None:
        if not self._later:
            raise Stalled("everybody waits for somebody else")
        self._now = max(self._now, self._later[0][0])
        self._steps_now = 0

    def _burn(self) -> None:
        assert self._fuse is not None
        process, steps, then = self._fuse
        if steps > 0:
            self._fuse = (process, steps - 1, then)
        else:
            self._fuse = None
            then()


def process_of(context: Context | None) -> int:
    return PROCESS.get() if context is None else context.get(PROCESS, OUTSIDE)
