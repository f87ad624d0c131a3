"""When a round is due: at once after a rest, else a little after the one before."""

import asyncio
from collections.abc import Callable

from msgspec import Struct


class Rhythm(Struct, frozen=True, kw_only=True):
    apart_seconds: float = 0.04  # what comes meanwhile goes into one frame
    beat_seconds: float = 15.0
    first_message_seconds: float = 5.0  # until a WebSocket must say what it wants


class Pulse:
    def __init__(self, apart_seconds: float) -> None:
        self._apart = apart_seconds
        self._round: Callable[[float], None] | None = None
        self._last = float("-inf")
        self._next: asyncio.TimerHandle | None = None

    def start(self, take_round: Callable[[float], None]) -> None:
        self._round = take_round

    def stop(self) -> None:
        self._round = None
        if self._next is not None:
            self._next.cancel()

    def ask(self) -> None:
        """There is something to write; the round that is due already will do it."""
        if self._next is None and self._round is not None:
            loop = asyncio.get_running_loop()
            wait = max(0.0, self._last + self._apart - loop.time())
            self._next = loop.call_later(wait, self._beat)

    def _beat(self) -> None:
        self._next = None
        self._last = asyncio.get_running_loop().time()
        if self._round is not None:
            self._round(self._last)
