"""The time on the wall, which somebody may set, and on machines that differ from it."""

from asyncio import AbstractEventLoop
from datetime import datetime, timedelta

from tests.stories.facts import MONDAY


class Wall:
    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._began = MONDAY

    def now(self) -> datetime:
        return self._began + timedelta(seconds=round(self._loop.time(), 6))

    def leap(self, ahead: timedelta) -> None:
        self._began += ahead


class MachineClock:
    def __init__(self, wall: Wall, apart: float) -> None:
        self._wall, self._apart = wall, timedelta(seconds=apart)

    def now(self) -> datetime:
        return self._wall.now() + self._apart
