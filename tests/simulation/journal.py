"""The log of a partition behind a line that loses, delays and refuses, by seed.

What the engine sees is what the PostgreSQL adapter promises: a commit ends stored,
not stored, refused for its content, or fenced; lost answers are settled by the head.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from contextvars import Context
from random import Random
from typing import Any, Final, TypeVar
from uuid import UUID

from application.engine.journal import (
    LEASE_SECONDS,
    MOST_IN_A_PAGE,
    Batch,
    Checkpoint,
    Fenced,
    Head,
    Image,
    NotStored,
    Receipt,
    Recorded,
    Rejected,
    TickBlock,
)
from application.parked import Failure, Parked
from infrastructure.event_store.memory import MemoryJournal, Partition

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, T]]  # at the database, where nobody waits
POISON: Final = b"poison"
FIRST_PAUSE_SECONDS: Final = 0.02
LONGEST_PAUSE_SECONDS: Final = 1.0
PAGE: Final = 200
WAYS: Final = (0.0, 0.0002, 0.0005, 0.001, 0.003)


class Lost(Exception):
    """The line went before the answer came: nobody knows yet what became of it."""


class Weather:
    """How the line and the database behave; chances are of one call."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.loses = self.refuses = self.dawdles = 0.0
        self.is_out = False

    def change(self, loses: float, refuses: float, dawdles: float) -> None:
        self.loses, self.refuses, self.dawdles = loses, refuses, dawdles

    def calm(self) -> None:
        self.change(0.0, 0.0, 0.0)
        self.is_out = False

    def way(self) -> float:
        """Seconds from one end of the line to the other."""
        if self._random.random() < self.dawdles:
            return self._random.choice((0.03, 0.1, 0.4, 1.3))
        return self._random.choice(WAYS)

    def is_lost(self) -> bool:
        return self.is_out or self._random.random() < self.loses

    def is_refused(self) -> bool:
        return self._random.random() < self.refuses


class Database:
    """What outlives every process: the log, and until when its owner was confirmed."""

    def __init__(self, weather: Weather, hear: Callable[[Batch], None]) -> None:
        self.partition = Partition()
        self.weather = weather
        self.hear = hear
        self.leased_until = 0.0


class SimulatedJournal:
    """Implements `application.engine.journal.Journal`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._server = MemoryJournal(database.partition)
        self._line = Context()  # of no process: what is sent outlives its sender
        self._epoch = 0
        self._turn = asyncio.Lock()
        self._trouble_since: float | None = None
        self.rival_seconds = 0.0

    @property
    def trouble_seconds(self) -> float:
        if self._trouble_since is None:
            return 0.0
        return now() - self._trouble_since

    async def take(self) -> Head:
        async with self._turn:
            pause = FIRST_PAUSE_SECONDS
            while True:
                try:
                    head, lease = await self._asked(self._take)
                except Lost:
                    pause = await self._rest(pause)
                else:
                    self._epoch, self.rival_seconds = head.epoch, lease
                    self._trouble_since = None
                    return head

    async def commit(self, batch: Batch) -> None:
        async with self._turn:
            pause = FIRST_PAUSE_SECONDS
            is_open = False  # whether an earlier attempt may have been stored
            while True:
                try:
                    if is_open and await self._asked(lambda: self._is_stored(batch)):
                        break
                    is_open = True
                    await self._asked(lambda: self._store(batch))
                except Lost:
                    pause = await self._rest(pause)
                except (NotStored, Fenced):
                    self._trouble_since = None
                    raise
                else:
                    break
            self._trouble_since = None

    async def renew(self) -> None:
        await self._confirm(LEASE_SECONDS)

    async def release(self) -> None:
        with suppress(NotStored, Fenced):
            await self._confirm(0.0)

    async def receipts(self, command_ids: Sequence[UUID]) -> dict[UUID, Receipt]:
        return await self._read(lambda: self._server.receipts(command_ids))

    async def checkpoint(self, checkpoint: Checkpoint, images: Sequence[Image]) -> None:
        await self._read(lambda: self._server.checkpoint(checkpoint, images))

    async def latest_checkpoint(self) -> Checkpoint | None:
        return await self._read(self._server.latest_checkpoint)

    def images(self) -> AsyncIterator[Image]:
        return self._paged(self._server.images())

    def events(self, after: int, until: int | None = None) -> AsyncIterator[Recorded]:
        return self._paged(self._server.events(after, until))

    def stream(self, stream: str, after_version: int = 0) -> AsyncIterator[Recorded]:
        return self._paged(self._server.stream(stream, after_version))

    def tick_blocks(
        self, venue_id: str, after_sequence: int = 0
    ) -> AsyncIterator[TickBlock]:
        return self._paged(self._server.tick_blocks(venue_id, after_sequence))

    async def park(self, failure: Failure) -> None:
        await self._read(lambda: self._server.park(failure))

    async def parked(
        self, after: int = 0, limit: int = MOST_IN_A_PAGE
    ) -> tuple[Parked, ...]:
        return await self._read(lambda: self._server.parked(after, limit))

    async def parked_item(self, parked_id: int) -> Parked | None:
        return await self._read(lambda: self._server.parked_item(parked_id))

    async def settle_parked(self, parked_id: int, how: str) -> None:
        await self._read(lambda: self._server.settle_parked(parked_id, how))

    async def close(self) -> None:
        """The process is about to end anyway."""

    # -- at the database ------------------------------------------------------------

    async def _take(self) -> tuple[Head, float]:
        head = await self._server.take()
        return head, max(0.0, self._database.leased_until - now())

    async def _store(self, batch: Batch) -> None:
        if any(POISON in each.payload for each in batch.events):
            raise Rejected("content that no column can hold")
        if self._database.weather.is_refused():
            raise NotStored("no room at the moment")
        await self._server.commit(batch)
        self._database.leased_until = now() + LEASE_SECONDS
        self._database.hear(batch)

    async def _is_stored(self, batch: Batch) -> bool:
        head = self._database.partition.head
        if head.epoch != self._epoch:
            raise Fenced
        assert head.batch in {batch.number - 1, batch.number}
        return head.batch == batch.number

    async def _lease(self, seconds: float) -> None:
        await self._server.renew()
        self._database.leased_until = now() + seconds

    # -- over the line ----------------------------------------------------------------

    async def _asked(self, work: Work[T]) -> T:
        """Once on its way it is beyond the reach of whoever sent it."""
        loop, weather = asyncio.get_running_loop(), self._database.weather
        answer: asyncio.Future[T] = loop.create_future()

        def arrives() -> None:
            if weather.is_lost():
                tell(answer, Lost())
                return
            try:
                said: T | Exception = done(work())
            except Exception as refusal:  # noqa: BLE001 - an answer like any other
                said = refusal
            loop.call_later(weather.way(), returns, said, context=self._line)

        def returns(said: T | Exception) -> None:
            tell(answer, Lost() if weather.is_lost() else said)

        loop.call_later(weather.way(), arrives, context=self._line)
        return await answer

    async def _confirm(self, seconds: float) -> None:
        async with self._turn:
            try:
                await self._asked(lambda: self._lease(seconds))
            except Lost as lost:
                raise NotStored from lost

    async def _read(self, work: Work[T]) -> T:
        try:
            return await self._asked(work)
        except Lost as lost:
            raise ConnectionError from lost

    async def _paged(self, items: AsyncIterator[T]) -> AsyncIterator[T]:
        async def page() -> list[T]:
            taken = []
            for _ in range(PAGE):
                try:
                    taken.append(await anext(items))
                except StopAsyncIteration:
                    break
            return taken

        while taken := await self._read(page):
            for each in taken:
                yield each
            if len(taken) < PAGE:
                return

    async def _rest(self, pause: float) -> float:
        if self._trouble_since is None:
            self._trouble_since = now()
        await asyncio.sleep(pause)
        return min(pause * 2, LONGEST_PAUSE_SECONDS)


def now() -> float:
    return asyncio.get_running_loop().time()


def done(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    raise AssertionError("the database has waited for somebody")


def tell(answer: asyncio.Future[T], said: T | Exception) -> None:
    if answer.done():  # nobody listens any more
        return
    if isinstance(said, Exception):
        answer.set_exception(said)
    else:
        answer.set_result(said)
