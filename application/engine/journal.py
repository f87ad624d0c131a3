"""What the engine asks of the log: one batch, one transaction, one answer.

A batch is everything that was decided while the one before it was being written.
It is stored whole or not at all; only then is anybody answered.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from application.parked import Failure, Parked


class Recorded(Struct, frozen=True, kw_only=True):
    """An event in the form in which it is kept: readable JSON under a stable name."""

    position: int  # contiguous within the partition, from 1
    stream: str  # "account-<uuid>"
    version: int  # contiguous within the stream, from 1
    name: str  # "account.position-opened/1"
    payload: bytes  # JSON
    envelope: bytes  # JSON, see `application.engine.envelope`
    fault: str | None = None  # why an old shape could not be told in the new words


class Receipt(Struct, frozen=True, kw_only=True):
    """The decided answer to one command, kept so that a repeat gets the same bytes."""

    command_id: UUID
    request_hash: bytes
    status: int
    body: bytes
    position: int


class TickBlock(Struct, frozen=True, kw_only=True):
    """Consecutive quotes of one venue, accepted and refused, packed and chained."""

    venue_id: str
    number: int  # contiguous within the venue, from 1
    first_sequence: int  # of the accepted quotes; last < first when none was accepted
    last_sequence: int
    engine_from: datetime
    engine_to: datetime
    body: bytes
    sha256: bytes  # over previous_sha256 + body
    previous_sha256: bytes


class Batch(Struct, frozen=True, kw_only=True):
    number: int  # the head's batch plus one
    position: int  # the head's position once this is stored
    events: tuple[Recorded, ...]
    receipts: tuple[Receipt, ...]
    tick_blocks: tuple[TickBlock, ...]


MOST_PARKED = 10_000  # commands, until somebody decides about some
MOST_IN_A_PAGE = 200
LEASE_SECONDS = 1.0  # how long an owner may answer from memory after it was confirmed


class Head(Struct, frozen=True, kw_only=True):
    """The one row that fences the partition and says which batch came last."""

    epoch: int
    batch: int
    position: int


class Image(Struct, frozen=True, kw_only=True):
    """The state of one stream at one version, so that recovery need not fold it all."""

    stream: str
    version: int
    body: bytes
    index: bytes = b""  # what a start must know of an account before it is decoded


class Checkpoint(Struct, frozen=True, kw_only=True):
    """Images are as of `position` and of the ticks that `body` names per venue."""

    position: int
    taken_at: datetime
    body: bytes


class NotStored(Exception):
    """The batch is certainly not in the log; deciding it again is safe."""


class Rejected(NotStored):
    """The database refused the content itself (not the connection): a poison item."""


class Fenced(Exception):
    """Another engine owns the partition; this one must stop and answer nothing."""


class Journal(Protocol):
    """One partition's log, opened by its one writer.

    `commit` returns once the batch is on disk. When the connection is lost around
    COMMIT it ends the old backend, reads the head and either returns (it was stored)
    or submits the same bytes again; it never leaves the outcome open.
    """

    async def take(self) -> Head:
        """Become the writer: raise the epoch, so that any older writer is fenced."""
        ...

    @property
    def rival_seconds(self) -> float:
        """How long after `take` an older owner may still have answered from memory."""
        ...

    @property
    def trouble_seconds(self) -> float:
        """How long the log has not been answering; 0 when it does."""
        ...

    async def renew(self) -> None:
        """Confirm the ownership, as each commit does too. Raises `Fenced`."""
        ...

    async def release(self) -> None:
        """Let the next owner begin at once; a failure costs it only a wait."""
        ...

    async def commit(self, batch: Batch) -> None: ...

    async def receipts(self, command_ids: Sequence[UUID]) -> dict[UUID, Receipt]: ...

    async def checkpoint(self, checkpoint: Checkpoint, images: Sequence[Image]) -> None:
        """Store images off the write path; a failure here costs only a longer start."""
        ...

    async def latest_checkpoint(self) -> Checkpoint | None: ...

    def images(self) -> AsyncIterator[Image]: ...

    def events(
        self, after: int, until: int | None = None
    ) -> AsyncIterator[Recorded]: ...

    def stream(
        self, stream: str, after_version: int = 0
    ) -> AsyncIterator[Recorded]: ...

    def tick_blocks(
        self, venue_id: str, after_sequence: int = 0
    ) -> AsyncIterator[TickBlock]: ...

    async def park(self, failure: Failure) -> None:
        """Set aside what failed, in a transaction of its own; twice told, once kept.

        Of commands a bounded number is kept: beyond it only the alarm tells.
        """
        ...

    async def parked(
        self, after: int = 0, limit: int = MOST_IN_A_PAGE
    ) -> tuple[Parked, ...]:
        """Whatever nobody has decided about, the oldest first."""
        ...

    async def parked_item(self, parked_id: int) -> Parked | None: ...

    async def settle_parked(self, parked_id: int, how: str) -> None:
        """Take it off the list, once the decision is in the log."""
        ...

    async def close(self) -> None: ...
