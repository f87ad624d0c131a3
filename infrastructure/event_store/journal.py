"""The log of one partition in PostgreSQL, written by one engine and no other.

A commit ends in one of four ways, never in a fifth: stored; not stored; refused for
its content; fenced. When the connection goes while the answer is due, the head tells.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from uuid import UUID

from application.engine.journal import (
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
from infrastructure.archive.reading import TickArchive
from infrastructure.event_store import statements
from infrastructure.event_store.contiguity import require_contiguous
from infrastructure.event_store.hints import Hints
from infrastructure.event_store.receipts import Receipts
from infrastructure.event_store.shelf import Shelf
from infrastructure.event_store.wire import Backend, Call, Failed, Lost, Row, Wire
from infrastructure.event_store.wire import with_options as connection

RELEASE_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 1.0  # also the longest wait for a server that came back
LOCK_NOT_AVAILABLE = "55P03"


class PostgresJournal:
    """Implements `application.engine.journal.Journal`."""

    def __init__(
        self, dsn: str, partition: str, archive: TickArchive | None = None
    ) -> None:
        if not partition.isidentifier():
            message = f"not the name of a partition: {partition!r}"
            raise ValueError(message)
        self._dsn = connection(
            dsn,
            f"journal {partition}".replace(" ", "-"),
            statement_timeout="5s",
            lock_timeout="2s",
            synchronous_commit="on",  # a receipt that was answered is on disk
            plan_cache_mode="force_generic_plan",
        )
        self._prepared = statements.statements(partition)
        self._shelf = Shelf(dsn, partition, archive)
        self._receipts = Receipts(dsn, partition)
        self._hints = Hints(dsn, partition)
        self._wire: Wire | None = None
        self._ending: Backend | None = None  # may still hold a batch of ours
        self._head: Head | None = None
        self._is_fenced = False
        self._turn = asyncio.Lock()
        self._committing: set[asyncio.Future[None]] = set()
        self._trouble_since: float | None = None
        self._asked_since: float | None = None  # what no answer has come to yet
        self.rival_seconds = 0.0

    @property
    def is_available(self) -> bool:
        """Whether the log was answering when it was last asked."""
        return self._trouble_since is None

    @property
    def trouble_seconds(self) -> float:
        """How long the log has not been answering; 0 when it does."""
        times = (self._trouble_since, self._asked_since)
        since = min((each for each in times if each is not None), default=None)
        return 0.0 if since is None else asyncio.get_running_loop().time() - since

    async def take(self) -> Head:
        """Raise the epoch, once an older writer's batch has ended or been ended.

        Keeps trying while nobody answers; the caller bounds its own wait.
        """
        async with self._turn:
            pause = FIRST_PAUSE_SECONDS
            while True:
                try:
                    wire = await self._connected()
                    ((*head, lease),) = await wire.run((Call(b"take"),))
                    self._head = _head([tuple(head)])
                    self.rival_seconds = _int(lease) / 1_000
                except Lost:
                    pause = await self._rest(pause)
                except Failed as failed:
                    if failed.sqlstate != LOCK_NOT_AVAILABLE:
                        raise NotStored(str(failed)) from failed
                    await self._end_rivals()
                else:
                    self._is_fenced = False
                    self._trouble_since = None
                    return self._head

    async def commit(self, batch: Batch) -> None:
        """Store the batch. A caller that stops waiting does not stop the commit."""
        if self._head is None:
            message = "take the partition before writing to it"
            raise RuntimeError(message)
        committing = asyncio.ensure_future(self._commit(batch))
        self._committing.add(committing)
        committing.add_done_callback(self._committing.discard)
        await asyncio.shield(committing)

    async def renew(self) -> None:
        await self._confirm(b"renew")

    async def release(self) -> None:
        with suppress(Lost, Fenced, NotStored, TimeoutError):
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._confirm(b"release")

    async def _confirm(self, statement: bytes) -> None:
        """One attempt; the caller asks again soon enough."""
        async with self._turn:
            assert self._head is not None
            if self._is_fenced:
                raise Fenced
            call = Call(statement, (statements.bigint(self._head.epoch),))
            try:
                with self._asking():
                    await (await self._connected()).run((call,))
            except Lost as lost:
                self._note_trouble()
                raise NotStored(str(lost)) from lost
            except Failed as failed:
                raise self._verdict(failed) from failed
            self._trouble_since = None

    async def _commit(self, batch: Batch) -> None:
        async with self._turn:
            assert self._head is not None
            if self._is_fenced:
                raise Fenced
            require_contiguous(self._head, batch)
            calls = statements.calls(batch, self._head.epoch)
            with self._asking():
                await self._store(batch.number, calls)
            self._trouble_since = None
            self._head = Head(
                epoch=self._head.epoch, batch=batch.number, position=batch.position
            )
            self._hints.give(batch.position)

    async def _store(self, number: int, calls: Sequence[Call]) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                if self._wire is None or self._wire.is_lost:
                    wire = await self._settled(number)
                    if wire is None:
                        return
                else:
                    wire = self._wire
                await wire.run(calls)
            except Lost:
                pause = await self._rest(pause)
            except Failed as failed:
                raise self._verdict(failed) from failed
            else:
                return

    async def _settled(self, number: int) -> Wire | None:
        """Connect anew; None when the head shows that the batch is stored already.

        Whatever goes wrong here says nothing about the batch: ask again.
        """
        try:
            wire = await self._connected()
            return None if await self._is_stored(wire, number) else wire
        except Failed as failed:
            if self._wire is not None:
                self._wire.close()
            raise Lost(str(failed)) from failed

    def _verdict(self, failed: Failed) -> Exception:
        """Name a refusal: the server is there, and rolled the whole batch back."""
        self._trouble_since = None
        if failed.sqlstate == statements.FENCED:
            self._is_fenced = True
            return Fenced(str(failed))
        if statements.is_content(failed.sqlstate):
            return Rejected(str(failed))
        return NotStored(str(failed))

    async def _is_stored(self, wire: Wire, number: int) -> bool:
        """Ask the head what became of the batch that nobody can still be storing."""
        assert self._head is not None
        head = _head(await wire.run((Call(b"head"),)))
        if head.epoch != self._head.epoch or head.batch not in (number - 1, number):
            self._is_fenced = True
            message = f"expected batch {number} of epoch {self._head.epoch}: {head}"
            raise Fenced(message)
        return head.batch == number

    async def _connected(self) -> Wire:
        """Give a live connection, after the process behind the lost one is gone."""
        if self._wire is not None and not self._wire.is_lost:
            return self._wire
        if self._wire is not None:
            self._ending = self._wire.backend
        self._wire = None
        wire = await Wire.open(self._dsn, self._prepared)
        if self._ending is not None:
            old = self._ending
            ended = await wire.run((Call(b"end", (old.pid, old.started)),))
            if ended != [(b"\x01",)]:
                wire.close()
                raise Lost("the old backend does not end")
            self._ending = None
        self._wire = wire
        return wire

    async def _end_rivals(self) -> None:
        with suppress(Lost):
            await (await self._connected()).run((Call(b"end_rivals"),))

    async def _rest(self, pause: float) -> float:
        self._note_trouble()
        await asyncio.sleep(pause)
        return min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _note_trouble(self) -> None:
        if self._trouble_since is None:
            self._trouble_since = asyncio.get_running_loop().time()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """A server that hangs is in trouble before its connection is given up."""
        self._asked_since = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            self._asked_since = None

    async def receipts(self, command_ids: Sequence[UUID]) -> dict[UUID, Receipt]:
        return await self._receipts.find(command_ids)

    async def checkpoint(self, checkpoint: Checkpoint, images: Sequence[Image]) -> None:
        assert self._head is not None, "only the writer takes a checkpoint"
        await self._shelf.checkpoint(checkpoint, images, self._head.epoch)

    async def latest_checkpoint(self) -> Checkpoint | None:
        return await self._shelf.latest_checkpoint()

    def images(self) -> AsyncIterator[Image]:
        return self._shelf.images()

    def events(self, after: int, until: int | None = None) -> AsyncIterator[Recorded]:
        return self._shelf.events(after, until)

    def stream(self, stream: str, after_version: int = 0) -> AsyncIterator[Recorded]:
        return self._shelf.stream(stream, after_version)

    def tick_blocks(
        self, venue_id: str, after_sequence: int = 0
    ) -> AsyncIterator[TickBlock]:
        return self._shelf.tick_blocks(venue_id, after_sequence)

    async def park(self, failure: Failure) -> None:
        await self._shelf.park(failure)

    async def parked(
        self, after: int = 0, limit: int = MOST_IN_A_PAGE
    ) -> tuple[Parked, ...]:
        return await self._shelf.parked(after, limit)

    async def parked_item(self, parked_id: int) -> Parked | None:
        return await self._shelf.parked_item(parked_id)

    async def settle_parked(self, parked_id: int, how: str) -> None:
        await self._shelf.settle_parked(parked_id, how)

    async def close(self) -> None:
        """Let go. What became of a commit in flight, the head will tell."""
        for committing in tuple(self._committing):
            committing.cancel()
        await asyncio.gather(*self._committing, return_exceptions=True)
        if self._wire is not None:
            self._wire.close()
        self._receipts.close()
        await self._hints.close()
        await self._shelf.close()


def _head(rows: Sequence[Row]) -> Head:
    ((epoch, batch, position),) = rows
    return Head(epoch=_int(epoch), batch=_int(batch), position=_int(position))


def _int(column: bytes | None) -> int:
    assert column is not None
    return int.from_bytes(column, "big", signed=True)
