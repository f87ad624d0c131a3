"""Now and then something breaks, whatever anybody is doing."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Final

from tests.simulation.clock import Wall
from tests.simulation.fleet import Fleet, Process
from tests.simulation.journal import Weather

KINDS: Final = (
    "kill",
    "pause",
    "usurp",
    "rival",
    "outage",
    "restart",
    "clock",
    "clock",
)
STOP_SECONDS: Final = 20
TURNS: Final = (22, 23)  # New York and Prague, in winter


class Misfortunes:
    def __init__(
        self,
        luck: Random,
        weather: Weather,
        fleet: Fleet,
        wall: Wall,
        woken: Callable[[Process], None],
    ) -> None:
        self._luck, self._weather = luck, weather
        self._fleet, self._wall = fleet, wall
        self._woken = woken

    async def go_on(self) -> None:
        try:
            while True:
                await self._strike()
        except Exception as error:  # noqa: BLE001 - a promise that was broken there
            self._fleet.fail(error)

    async def _strike(self) -> None:
        luck, alive = self._luck, self._fleet.alive
        await asyncio.sleep(luck.choice((0.02, 0.1, 0.3, 1.0)))
        self._weather.change(
            loses=luck.choice((0.0, 0.0, 0.01, 0.1)),
            refuses=luck.choice((0.0, 0.0, 0.05)),
            dawdles=luck.choice((0.0, 0.05)),
        )
        if alive:
            await self._befall(luck.choice(alive), luck.choice(KINDS))

    async def _befall(self, victim: Process, what: str) -> None:
        fleet = self._fleet
        seconds = self._luck.choice((0.02, 0.3, 1.2, 3.0))
        match what:
            case "kill":
                fleet.interrupt(victim, self._luck.randint(0, 120))
            case "pause":
                await self._pause(victim, seconds)
            case "usurp" if fleet.has_room:
                fleet.start()
                await self._pause(victim, seconds)
            case "rival" if fleet.has_room:
                fleet.start()
            case "outage":
                self._weather.is_out = True
                await asyncio.sleep(seconds)
                self._weather.is_out = False
            case "restart" if victim.is_serving:
                await asyncio.wait({victim.task(victim.stop())}, timeout=STOP_SECONDS)
                fleet.kill(victim)
            case "clock":
                self._set_clocks()

    async def _pause(self, victim: Process, seconds: float) -> None:
        if await self._fleet.pause(victim, seconds):
            self._woken(victim)

    def _set_clocks(self) -> None:
        """Shortly before the next day begins somewhere, far on, or a little back."""
        hours = self._luck.choice((-0.001, 0, 1, 7, 30))
        if hours:
            self._wall.leap(timedelta(hours=hours))
            return
        today = self._wall.now()
        for hour in TURNS:
            turns = today.replace(hour=hour, minute=0, second=0, microsecond=0)
            if turns > today:
                self._wall.leap(turns - today - timedelta(seconds=0.2))
                return
