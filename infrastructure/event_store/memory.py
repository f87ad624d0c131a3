"""The log of a partition in memory, for tests and simulations: the same promises.

It can be told to misbehave once: to lose a batch, to refuse it, or to be slow, so that
an engine meets in a test what a database does to it on a bad day.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from uuid import UUID

from msgspec.structs import replace

from application.engine.journal import (
    MOST_IN_A_PAGE,
    MOST_PARKED,
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
from application.parked import Failure, Kind, Parked
from infrastructure.event_store.contiguity import require_contiguous

Key = tuple[str, int] | UUID
NOTHING_TAKEN = Head(epoch=0, batch=0, position=0)


class Partition:
    """What is kept: it outlives the journals that write to it, as a disk would."""

    def __init__(self) -> None:
        self.head = NOTHING_TAKEN
        self.events: list[Recorded] = []
        self.streams: dict[str, list[Recorded]] = {}
        self.receipts: dict[UUID, Receipt] = {}
        self.tick_blocks: dict[str, list[TickBlock]] = {}
        self.images: dict[str, Image] = {}
        self.checkpoint: Checkpoint | None = None
        self.parked: dict[int, Parked] = {}
        self.parked_origins: set[tuple[Kind, str]] = set()
        self.keys: set[Key] = set()  # what a database would hold unique


class MemoryJournal:
    """Implements `application.engine.journal.Journal` over a `Partition`."""

    is_available = True
    trouble_seconds = 0.0
    rival_seconds = 0.0

    def __init__(self, partition: Partition | None = None) -> None:
        self.partition = Partition() if partition is None else partition
        self.before_commit: Callable[[Batch], Awaitable[None]] | None = None
        self.fails_next_with: NotStored | None = None
        self._epoch: int | None = None

    async def take(self) -> Head:
        head = self.partition.head
        self.partition.head = Head(
            epoch=head.epoch + 1, batch=head.batch, position=head.position
        )
        self._epoch = self.partition.head.epoch
        return self.partition.head

    async def commit(self, batch: Batch) -> None:
        if self._epoch is None:
            message = "take the partition before writing to it"
            raise RuntimeError(message)
        if self.before_commit is not None:
            await self.before_commit(batch)
        failure, self.fails_next_with = self.fails_next_with, None
        if failure is not None:
            raise failure
        kept = self.partition
        if kept.head.epoch != self._epoch or kept.head.batch != batch.number - 1:
            raise Fenced
        require_contiguous(kept.head, batch)
        keys = _keys(batch)
        if len(set(keys)) < len(keys) or not kept.keys.isdisjoint(keys):
            message = "a version, a command or a block of ticks is there already"
            raise Rejected(message)
        kept.keys.update(keys)
        for event in batch.events:
            kept.events.append(event)
            kept.streams.setdefault(event.stream, []).append(event)
        kept.receipts |= {each.command_id: each for each in batch.receipts}
        for block in batch.tick_blocks:
            kept.tick_blocks.setdefault(block.venue_id, []).append(block)
        kept.head = Head(epoch=self._epoch, batch=batch.number, position=batch.position)

    async def renew(self) -> None:
        if self.partition.head.epoch != self._epoch:
            raise Fenced

    async def release(self) -> None:
        """Nobody else waits for this memory."""

    async def receipts(self, command_ids: Sequence[UUID]) -> dict[UUID, Receipt]:
        known = self.partition.receipts
        return {each: known[each] for each in command_ids if each in known}

    async def checkpoint(self, checkpoint: Checkpoint, images: Sequence[Image]) -> None:
        kept = self.partition
        is_older = (
            kept.checkpoint is not None
            and kept.checkpoint.position > checkpoint.position
        )
        if kept.head.epoch != self._epoch or is_older:
            raise Fenced
        kept.checkpoint = checkpoint
        kept.images |= {image.stream: image for image in images}

    async def latest_checkpoint(self) -> Checkpoint | None:
        return self.partition.checkpoint

    async def images(self) -> AsyncIterator[Image]:
        for stream in sorted(self.partition.images):
            yield self.partition.images[stream]

    async def events(
        self, after: int, until: int | None = None
    ) -> AsyncIterator[Recorded]:
        for event in self.partition.events[after:until]:
            yield event

    async def stream(
        self, stream: str, after_version: int = 0
    ) -> AsyncIterator[Recorded]:
        for event in tuple(self.partition.streams.get(stream, ())):
            if event.version > after_version:
                yield event

    async def tick_blocks(
        self, venue_id: str, after_sequence: int = 0
    ) -> AsyncIterator[TickBlock]:
        is_reached = False
        for block in tuple(self.partition.tick_blocks.get(venue_id, ())):
            end = max(block.first_sequence, block.last_sequence)
            is_reached = is_reached or end > after_sequence
            if is_reached:
                yield block

    async def park(self, failure: Failure) -> None:
        kept = self.partition
        origin = (failure.kind, failure.origin)
        commands = [each for each in self._open() if each.kind is Kind.COMMAND]
        is_full = failure.kind is Kind.COMMAND and len(commands) >= MOST_PARKED
        if origin in kept.parked_origins or is_full:
            return
        kept.parked_origins.add(origin)
        parked_id = len(kept.parked) + 1
        kept.parked[parked_id] = Parked(
            id=parked_id,
            kind=failure.kind,
            subject=failure.subject,
            cause=failure.cause,
            body=failure.body,
            at=failure.at,
        )

    async def parked(
        self, after: int = 0, limit: int = MOST_IN_A_PAGE
    ) -> tuple[Parked, ...]:
        return tuple(each for each in self._open() if each.id > after)[:limit]

    async def parked_item(self, parked_id: int) -> Parked | None:
        return self.partition.parked.get(parked_id)

    async def settle_parked(self, parked_id: int, how: str) -> None:
        parked = self.partition.parked
        parked[parked_id] = replace(parked[parked_id], settled=how)

    def _open(self) -> list[Parked]:
        return [each for each in self.partition.parked.values() if each.settled is None]

    async def close(self) -> None:
        self._epoch = None


def _keys(batch: Batch) -> list[Key]:
    return [
        *((event.stream, event.version) for event in batch.events),
        *(receipt.command_id for receipt in batch.receipts),
        *((f"ticks of {block.venue_id}", block.number) for block in batch.tick_blocks),
    ]
