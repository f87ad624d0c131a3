"""Quotes at their own pace: two a second for each symbol, none of them early."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from application.clock import Clock
from domain.venue.gate import RawQuote
from infrastructure.feeds.source import EPOCH, STEP, PriceSource

BEAT: Final = timedelta(milliseconds=100)
SLOTS: Final = STEP // BEAT  # symbols take turns, so that quotes come in a trickle


class PacedFeed:
    """A `MarketFeed` that wakes on every beat of the clock."""

    def __init__(
        self,
        sources: Sequence[PriceSource],
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sources = tuple(sources)
        self._clock = clock
        self._sleep = sleep

    async def quotes(self) -> AsyncIterator[tuple[RawQuote, ...]]:
        """Skip, for a reader that comes late, the beats that went by meanwhile."""
        last = beat_of(self._clock.now())
        while True:
            now = self._clock.now()
            last = max(last + 1, beat_of(now))
            at = EPOCH + last * BEAT
            await self._sleep(max(0.0, (at - now).total_seconds()))
            if batch := self.batch(at):
                yield batch

    def batch(self, at: datetime) -> tuple[RawQuote, ...]:
        turn = beat_of(at) % SLOTS
        offered = (each.quote(at) for each in self._sources[turn::SLOTS])
        return tuple(quote for quote in offered if quote is not None)


def beat_of(at: datetime) -> int:
    return (at - EPOCH) // BEAT
