"""How often somebody may try: counted in Valkey, or here while Valkey is away."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter

from application.clock import Clock
from application.refusals import TooManyRequests

LIMITS: Final[Mapping[str, RateLimitItem]] = {
    "login": RateLimitItemPerMinute(10),
    "register": RateLimitItemPerMinute(120),
}
AWAY_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 0.5

T = TypeVar("T")


class CountedAttempts:
    def __init__(
        self,
        clock: Clock,
        shared: Storage | None,
        limits: Mapping[str, RateLimitItem] = LIMITS,
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._shared = None if shared is None else MovingWindowRateLimiter(shared)
        self._away_until = 0.0

    async def hit(self, action: str, subject: str) -> None:
        """Count one more; raises `TooManyRequests` above the limit."""
        item, key = self._limits[action], _key(action, subject)
        if not await self._ask(lambda counter: counter.hit(item, key)):
            await self._refuse(item, key)

    async def check(self, action: str, subject: str) -> None:
        """Raise `TooManyRequests` when the next one would be above the limit."""
        item, key = self._limits[action], _key(action, subject)
        if not await self._ask(lambda counter: counter.test(item, key)):
            await self._refuse(item, key)

    async def _refuse(self, item: RateLimitItem, key: str) -> None:
        window = await self._ask(lambda counter: counter.get_window_stats(item, key))
        wait = int(window.reset_time - self._clock.now().timestamp()) + 1
        seconds = item.get_expiry()
        raise TooManyRequests(item.amount, seconds, min(max(wait, 1), seconds))

    async def _ask(
        self, question: Callable[[MovingWindowRateLimiter], Awaitable[T]]
    ) -> T:
        """Ask the shared counter, and leave it alone for a while once it is away."""
        loop = asyncio.get_running_loop()
        if self._shared is not None and loop.time() >= self._away_until:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await question(self._shared)
            except Exception:  # noqa: BLE001 - whatever ails it, logins go on
                self._away_until = loop.time() + AWAY_SECONDS
        return await question(self._here)


class UncountedAttempts:
    """`TS_RATE=off`, for development only."""

    async def hit(self, action: str, subject: str) -> None: ...

    async def check(self, action: str, subject: str) -> None: ...


def _key(action: str, subject: str) -> str:
    """No address of a person is written into the counter's store."""
    return f"{action}:{hashlib.sha256(subject.encode()).hexdigest()[:32]}"
