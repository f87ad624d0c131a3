"""`leaderboard:BOARD`: the best of a board, whenever its table has changed them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol

from msgspec.structs import replace

from api.streaming.feed import UNANSWERED, shown_name
from api.streaming.hub import Hub
from api.streaming.messages import BoardView
from application.caller import Caller
from application.gateway import LIVE_PARTITION
from application.refusals import NotFound, ProjectionBehind
from projections.leaderboard import MAIN, Ranked

LEADERBOARD: Final = "leaderboard"
BEST: Final = 50
APART_SECONDS: Final = 0.5
LOOKS: Final = 3  # for one that has not moved while it was read
POLL_SECONDS: Final = 1.0

BestOf = Callable[[str, int], Awaitable[tuple[Ranked, ...]]]


class Positions(Protocol):
    def position(self, partition: str) -> int: ...

    async def wait_for(
        self,
        partition: str,
        position: int,
        timeout: float,  # noqa: ASYNC109 - a bound with an answer of its own
    ) -> None: ...


class Leaderboards:
    message = LEADERBOARD

    def __init__(
        self,
        hub: Hub,
        positions: Positions,
        best_of: BestOf,
        *,
        apart_seconds: float = APART_SECONDS,
    ) -> None:
        self._hub = hub
        self._positions = positions
        self._best_of = best_of
        self._apart = apart_seconds
        self._shown: dict[str, tuple[Ranked, ...] | None] = {}  # None: not read yet

    def admit(self, subject: str, caller: Caller | None) -> None:
        del caller  # anyone
        if subject != MAIN:
            raise NotFound(subject)

    async def opening(self, subject: str) -> BoardView:
        """Where nobody answers it is empty for now: no page is sent away for that."""
        self._shown[subject] = None
        try:
            for _ in range(LOOKS):
                view = await self._look(subject)
                if view.position == self._position():
                    break
        except UNANSWERED:
            return BoardView(subject, (), self._position())
        self._shown[subject] = view.items
        return view

    async def run(self) -> None:
        """Follow the table; while nobody reads a board, nobody looks at it."""
        seen = 0
        while True:
            with suppress(ProjectionBehind):
                await self._positions.wait_for(LIVE_PARTITION, seen + 1, POLL_SECONDS)
            now = self._positions.position(LIVE_PARTITION)
            for board in tuple(self._shown):
                if now > seen or self._shown[board] is None:
                    await self._show(board)
            seen = now
            await asyncio.sleep(self._apart)

    async def _show(self, board: str) -> None:
        name = f"leaderboard:{board}"
        if name not in self._hub:
            del self._shown[board]
            return
        try:
            view = await self._look(board)
        except UNANSWERED:
            self._shown[board] = None  # looked at again until somebody answers
            return
        if view.items != self._shown[board]:
            self._shown[board] = view.items
            self._hub.show(name, LEADERBOARD, view)

    async def _look(self, board: str) -> BoardView:
        position = self._position()
        items = await self._best_of(board, BEST)
        named = tuple(
            replace(each, handle=shown_name(each.handle, each.account_id))
            for each in items
        )
        return BoardView(board, named, position)

    def _position(self) -> str:
        return f"{LIVE_PARTITION}-{self._positions.position(LIVE_PARTITION)}"
