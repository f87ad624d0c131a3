"""Batches as an engine would make them: the next positions, the next versions."""

from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID, uuid5

from application.engine.journal import Batch, Head, Receipt, Recorded, TickBlock

ROOT = UUID("00000000-0000-5000-8000-000000000001")
NOON = datetime(2026, 1, 5, 12, 0, 0, 123_456, tzinfo=UTC)
NO_HASH = bytes(32)


def recorded(position: int, stream: str | None = None, version: int = 1) -> Recorded:
    return Recorded(
        position=position,
        stream=stream or f"account-{uuid5(ROOT, str(position))}",
        version=version,
        name="account.position-opened/1",
        payload=b'{"type":"account.position-opened/1","price":"1900.00"}',
        envelope=b'{"venue":"live","as_of_tick":%d}' % position,
    )


def receipt(name: str, position: int) -> Receipt:
    return Receipt(
        command_id=uuid5(ROOT, f"command {name}"),
        request_hash=sha256(name.encode()).digest(),
        status=201,
        body=b'{"position":"p1-%d"}' % position,
        position=position,
    )


def block(
    number: int, first: int, last: int, venue: str = "live", previous: bytes = NO_HASH
) -> TickBlock:
    body = b"%d..%d" % (first, last)
    return TickBlock(
        venue_id=venue,
        number=number,
        first_sequence=first,
        last_sequence=last,
        engine_from=NOON,
        engine_to=NOON,
        body=body,
        sha256=sha256(previous + body).digest(),
        previous_sha256=previous,
    )


def batch_after(
    head: Head,
    events: int = 1,
    *,
    receipts: tuple[Receipt, ...] = (),
    tick_blocks: tuple[TickBlock, ...] = (),
) -> Batch:
    first = head.position + 1
    return batch_of(
        head,
        tuple(recorded(at) for at in range(first, first + events)),
        receipts=receipts,
        tick_blocks=tick_blocks,
    )


def batch_of(
    head: Head,
    events: tuple[Recorded, ...],
    *,
    receipts: tuple[Receipt, ...] = (),
    tick_blocks: tuple[TickBlock, ...] = (),
) -> Batch:
    return Batch(
        number=head.batch + 1,
        position=head.position + len(events),
        events=events,
        receipts=receipts,
        tick_blocks=tick_blocks,
    )


def head_after(head: Head, batch: Batch) -> Head:
    return Head(epoch=head.epoch, batch=batch.number, position=batch.position)
