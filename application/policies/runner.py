"""Runs a policy over everything that has been stored, in order, and once each.

It hears of a batch when that is on disk. What follows is asked under an id derived
from the event, so a crash between asking and remembering repeats nothing.
"""

import asyncio
from collections import deque
from typing import Final

import structlog

from application.catalogue import Fact, decode
from application.engine.asks import Ask
from application.engine.draft import Draft
from application.engine.engine import Engine
from application.policies.challenge_progress import NAME, react
from application.refusals import Waitable

log = structlog.get_logger("tradesense.policies")

AT_HAND: Final = 50_000  # facts kept in memory; beyond that it reads the log
WAIT_SECONDS: Final = 2.0
BUSY_SECONDS: Final = 0.05

Heard = tuple[int, str, Fact]


class PolicyRunner:
    name = NAME

    def __init__(self, engine: Engine, position: int) -> None:
        self.position = position  # everything up to here has been followed up
        self._engine = engine
        self._heard: deque[Heard] = deque()
        self._heard_to = engine.head.position
        self._has_overflowed = position < engine.head.position
        self._arrived = asyncio.Event()
        self._moved = asyncio.Condition()
        self._effects_until = 0
        self._arrived.set()
        engine.on_commit.append(self.hear)

    def hear(self, draft: Draft) -> None:
        if not draft.events:
            return
        if len(self._heard) + len(draft.facts) > AT_HAND:
            self._heard.clear()
            self._has_overflowed = True
        if not self._has_overflowed:
            self._heard.extend(draft.facts)
        self._heard_to = draft.position
        self._arrived.set()

    async def run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            if self._has_overflowed:
                await self._read_log()
            while self._heard:
                position, stream, fact = self._heard.popleft()
                await self._follow_up(position, stream, fact)
            await self._reach(self._heard_to)

    async def settled(self, position: int) -> None:
        """Wait, bounded, until all that follows from `position` is stored too."""
        try:
            async with asyncio.timeout(WAIT_SECONDS), self._moved:
                await self._moved.wait_for(lambda: self._has_settled(position))
        except TimeoutError:
            log.warning("policy-behind", policy=self.name, position=self.position)

    def _has_settled(self, position: int) -> bool:
        """Follow-ups may have follow-ups of their own."""
        return self.position >= max(position, self._effects_until)

    async def _read_log(self) -> None:
        until = self._heard_to
        self._has_overflowed = False
        while True:
            try:
                async for each in self._engine.journal.events(self.position, until):
                    fact = decode(each.name, each.payload)
                    await self._follow_up(each.position, each.stream, fact)
            except ConnectionError as lost:  # goes on where it was
                log.warning("policy-cannot-read", policy=self.name, error=str(lost))
                await asyncio.sleep(BUSY_SECONDS)
            else:
                return

    async def _follow_up(self, position: int, stream: str, fact: Fact) -> None:
        token = f"{self._engine.partition}-{position}"
        ask = react(token, stream, fact, self._engine.memory.shown)
        if ask is not None:
            await self._ask(ask)
        self.position = position

    async def _ask(self, ask: Ask) -> None:
        """Until it is decided. What cannot be is told, and holds up nothing else."""
        event, policy = ask.causation, self.name
        while True:
            try:
                answer = await self._engine.ask(ask)
            except Waitable:
                await asyncio.sleep(BUSY_SECONDS)
            except Exception:
                log.exception("follow-up-failed", policy=policy, event=event)
                return
            else:
                break
        if answer.is_refused:
            log.error("follow-up-refused", policy=policy, event=event)
        self._effects_until = max(self._effects_until, answer.position)

    async def _reach(self, position: int) -> None:
        async with self._moved:
            if not self._heard and not self._has_overflowed:
                self.position = max(self.position, position)
            self._moved.notify_all()
