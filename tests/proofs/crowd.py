"""Traders that go on until they are told to pause, whatever happens around them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.proofs.product import PATIENCE_SECONDS, until
from tests.proofs.traders import Sent, Trader


class Crowd:
    def __init__(self, url: Callable[[], str], seed: int, many: int) -> None:
        self.traders = [Trader(n, seed, url, self._hear) for n in range(many)]
        self.acknowledged: list[Sent] = []
        self._may_go = asyncio.Event()
        self._idle = 0
        self._strike_at = 0
        self._strike: Callable[[], None] | None = None
        self._lives: list[asyncio.Task[None]] = []

    @property
    def in_flight(self) -> int:
        """How many commands are sent at this instant, and not answered."""
        return sum(trader.is_asking for trader in self.traders)

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

    async def trade_until(
        self, answers: int, later_seconds: float, strike: Callable[[], None]
    ) -> None:
        """Strike the moment that an answer arrives: what it says must be on disk.

        Or a little later, while others are being decided, written, and answered.
        """
        struck = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hit() -> None:
            strike()
            struck.set()

        def heard() -> None:
            if later_seconds:
                loop.call_later(later_seconds, hit)
            else:
                hit()

        self._strike_at = len(self.acknowledged) + answers
        self._strike = heard
        self._may_go.set()
        await self._until(struck.is_set, "the strike")

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
