"""Runs a policy over everything that has been stored, in order, and once each.

It hears of a batch when that is on disk. What follows is asked under an id derived
from the event, so a crash between asking and remembering repeats nothing. What cannot
follow is parked, and asked again when somebody decides so.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar, get_args

import msgspec
import structlog

from application.catalogue import Fact, Unreadable, fact_of
from application.engine.asks import Answer, Ask, Refusal
from application.engine.draft import Draft
from application.engine.engine import Engine
from application.engine.journal import Recorded
from application.engine.parking import again, cause_of, failed, is_follow_up, plain
from application.parked import Failure, Kind, ParkedEvent, ParkedRetried, evolve
from application.policies.challenge_progress import LEADS_ON, NAME, react
from application.refusals import Waitable

log = structlog.get_logger("tradesense.policies")

AT_HAND: Final = 50_000  # facts kept in memory; beyond that it reads the log
WAIT_SECONDS: Final = 2.0
BUSY_SECONDS: Final = 0.05

HEARD: Final = (*LEADS_ON, *get_args(ParkedEvent))

Heard = tuple[int, str, Fact]
T = TypeVar("T")


class PolicyRunner:
    name = NAME

    def __init__(self, engine: Engine, position: int) -> None:
        self.position = position  # everything up to here has been followed up
        self._engine = engine
        self._heard: deque[Heard] = deque()
        self._heard_to = engine.head.position
        self._has_overflowed = position < engine.head.position
        self._is_following = False
        self._arrived = asyncio.Event()
        self._moved = asyncio.Condition()
        self._effects_until = 0
        self._arrived.set()
        engine.on_commit.append(self.hear)

    def hear(self, draft: Draft) -> None:
        if not draft.events:
            return
        due = [each for each in draft.facts if isinstance(each[2], HEARD)]
        self._heard_to = draft.position
        if not due and self._is_idle:  # as with most trades: nothing follows
            self.position = draft.position
            return
        if len(self._heard) + len(due) > AT_HAND:
            self._heard.clear()
            self._has_overflowed = True
        if not self._has_overflowed:
            self._heard.extend(due)
        self._arrived.set()

    @property
    def _is_idle(self) -> bool:
        return not (self._heard or self._is_following or self._has_overflowed)

    async def run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            self._is_following = True
            if self._has_overflowed:
                await self._read_log()
            while self._heard:
                position, stream, fact = self._heard.popleft()
                await self._follow_up(position, stream, fact)
            await self._reach(self._heard_to)

    async def settled(self, position: int) -> None:
        """Wait, bounded, until all that follows from `position` is stored too."""
        if self._is_idle:
            return
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
                    await self._read_up(each)
            except ConnectionError as lost:  # goes on where it was
                log.warning("policy-cannot-read", policy=self.name, error=str(lost))
                await asyncio.sleep(BUSY_SECONDS)
            else:
                return

    async def _read_up(self, recorded: Recorded) -> None:
        try:
            fact = fact_of(recorded)
        except Unreadable as fault:  # whether anything follows, nobody can say
            await self._park(self._unasked(self._token(recorded.position), str(fault)))
            self.position = recorded.position
        else:
            await self._follow_up(recorded.position, recorded.stream, fact)

    async def _follow_up(self, position: int, stream: str, fact: Fact) -> None:
        token = self._token(position)
        try:
            ask = await self._reaction(token, stream, fact)
        except Exception as fault:
            log.exception("policy-failed", policy=self.name, heard=token)
            await self._park(self._unasked(token, cause_of(fault)))
        else:
            if ask is not None:
                await self._ask(ask)
        if isinstance(fact, ParkedEvent):
            parked_id, how = fact.parked_id, evolve(fact).how
            await stored(lambda: self._engine.journal.settle_parked(parked_id, how))
        self.position = position

    async def _reaction(self, token: str, stream: str, fact: Fact) -> Ask | None:
        if isinstance(fact, ParkedRetried):
            return await self._again(token, fact.parked_id)
        return react(token, stream, fact, self._engine.memory.shown)

    async def _again(self, token: str, parked_id: int) -> Ask | None:
        """What was parked, once more; without an ask, what the event leads to now."""
        journal, partition = self._engine.journal, self._engine.partition
        item = await stored(lambda: journal.parked_item(parked_id))
        assert item is not None
        if item.body:
            return again(item.body, partition, parked_id, token)
        position = int(item.subject.rpartition("-")[2])
        recorded = await stored(lambda: one(journal.events(position - 1, position)))
        fact = fact_of(recorded)
        return await self._reaction(item.subject, recorded.stream, fact)

    async def _ask(self, ask: Ask) -> None:
        """Until it is decided. What cannot be is parked, and holds up nothing else."""
        event, policy = ask.causation, self.name
        try:
            answer = await self._answered(ask)
        except Exception as fault:
            log.exception("follow-up-failed", policy=policy, heard=event)
            cause = cause_of(fault.__cause__ or fault)
            await self._park(self._failed(ask, cause))
            return
        if answer.is_refused and is_follow_up(ask):
            log.error("follow-up-refused", policy=policy, heard=event)
            told = msgspec.json.decode(answer.body, type=Refusal)
            await self._park(self._failed(ask, f"{told.code}: {told.detail}"))
        self._effects_until = max(self._effects_until, answer.position)

    async def _answered(self, ask: Ask) -> Answer:
        while True:
            try:
                return await self._engine.ask(ask)
            except Waitable:
                await asyncio.sleep(BUSY_SECONDS)

    def _failed(self, ask: Ask, cause: str) -> Failure:
        return failed(ask, cause, self._engine.clock.now(), self._engine.head.epoch)

    def _unasked(self, token: str, cause: str) -> Failure:
        return Failure(
            kind=Kind.POLICY,
            subject=token,
            origin=f"{self.name}-{token}",
            cause=plain(cause),
            body=b"",
            at=self._engine.clock.now(),
        )

    async def _park(self, failure: Failure) -> None:
        await stored(lambda: self._engine.journal.park(failure))

    def _token(self, position: int) -> str:
        return f"{self._engine.partition}-{position}"

    async def _reach(self, position: int) -> None:
        async with self._moved:
            if not self._heard and not self._has_overflowed:
                self.position = max(self.position, position)
                self._is_following = position < self._heard_to
            self._moved.notify_all()


async def stored(act: Callable[[], Awaitable[T]]) -> T:
    """Try until the log answers: nothing is passed over because it was away."""
    while True:
        try:
            return await act()
        except ConnectionError:
            await asyncio.sleep(BUSY_SECONDS)


async def one(recorded: AsyncIterator[Recorded]) -> Recorded:
    return await anext(recorded)
