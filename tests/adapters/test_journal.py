"""What every journal promises its engine, in memory and in PostgreSQL alike."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from application.engine.journal import (
    Checkpoint,
    Fenced,
    Image,
    Journal,
    Rejected,
)
from application.parked import Failure, Kind
from infrastructure.event_store import memory, shelf
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.event_store.memory import MemoryJournal, Partition
from tests.adapters.batches import (
    NOON,
    batch_after,
    batch_of,
    block,
    head_after,
    receipt,
    recorded,
)

Open = Callable[[], Journal]


@pytest.fixture(params=["memory", "postgres"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """Open another journal on the same partition, as another engine would."""
    opened: list[Journal] = []
    if request.param == "memory":
        partition = Partition()

        def another() -> Journal:
            opened.append(MemoryJournal(partition))
            return opened[-1]
    else:
        database = request.getfixturevalue("database")

        def another() -> Journal:
            opened.append(PostgresJournal(database.dsn(), "p1"))
            return opened[-1]

    yield another
    for journal in opened:
        await journal.close()


@pytest.fixture
def journal(engine: Open) -> Journal:
    return engine()


async def listed(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


async def test_what_was_committed_is_read_back_to_the_byte(journal: Journal) -> None:
    head = await journal.take()
    batch = batch_after(
        head, 3, receipts=(receipt("buy", 1),), tick_blocks=(block(1, 1, 4),)
    )

    await journal.commit(batch)

    assert await listed(journal.events(after=0)) == list(batch.events)
    assert await journal.receipts([batch.receipts[0].command_id]) == {
        batch.receipts[0].command_id: batch.receipts[0]
    }
    assert await listed(journal.tick_blocks("live")) == list(batch.tick_blocks)


async def test_positions_go_on_over_batches_and_engines(engine: Open) -> None:
    first = engine()
    head = await first.take()
    for size in (2, 0, 5):
        batch = batch_after(head, size)
        await first.commit(batch)
        head = head_after(head, batch)

    second = engine()
    taken = await second.take()
    await second.commit(batch_after(taken, 2))

    assert (taken.batch, taken.position) == (3, 7)
    positions = [event.position for event in await listed(second.events(after=0))]
    assert positions == list(range(1, 10))


async def test_a_batch_that_skips_a_position_is_a_bug(journal: Journal) -> None:
    head = await journal.take()
    skipping = batch_of(head, (recorded(2),))

    with pytest.raises(ValueError, match="position"):
        await journal.commit(skipping)


async def test_an_older_engine_is_fenced(engine: Open) -> None:
    older, newer = engine(), engine()
    head = await older.take()
    await older.commit(batch_after(head))
    taken = await newer.take()

    stale = batch_of(
        head_after(head, batch_after(head)), (recorded(2, "account-of-the-old"),)
    )
    for _ in range(2):
        with pytest.raises(Fenced):
            await older.commit(stale)
    await newer.commit(batch_of(taken, (recorded(2, "account-of-the-new"),)))

    streams = [event.stream for event in await listed(newer.events(after=1))]
    assert streams == ["account-of-the-new"]


async def test_a_version_that_is_there_already_is_refused_and_leaves_no_trace(
    journal: Journal,
) -> None:
    head = await journal.take()
    first = batch_of(head, (recorded(1, "account-a"),))
    await journal.commit(first)
    head = head_after(head, first)
    clashing = batch_of(
        head,
        (recorded(2, "account-b"), recorded(3, "account-a")),
        receipts=(receipt("lost", 3),),
        tick_blocks=(block(1, 1, 4),),
    )

    with pytest.raises(Rejected):
        await journal.commit(clashing)

    assert await listed(journal.events(after=1)) == []
    assert await journal.receipts([clashing.receipts[0].command_id]) == {}
    assert await listed(journal.tick_blocks("live")) == []
    await journal.commit(batch_of(head, (recorded(2, "account-b"),)))


async def test_a_command_is_answered_once(journal: Journal) -> None:
    head = await journal.take()
    first = batch_after(head, receipts=(receipt("buy", 1),))
    await journal.commit(first)

    with pytest.raises(Rejected):
        await journal.commit(
            batch_after(head_after(head, first), receipts=(receipt("buy", 2),))
        )


async def test_a_refused_command_leaves_a_receipt_and_no_event(
    journal: Journal,
) -> None:
    head = await journal.take()
    refused = receipt("sell what is not there", 0)

    await journal.commit(batch_after(head, 0, receipts=(refused,)))

    assert await journal.receipts([refused.command_id]) == {refused.command_id: refused}
    assert await listed(journal.events(after=0)) == []


async def test_events_are_read_between_two_positions(journal: Journal) -> None:
    await journal.commit(batch_after(await journal.take(), 9))

    between = await listed(journal.events(after=3, until=6))

    assert [event.position for event in between] == [4, 5, 6]


async def test_a_stream_is_read_after_a_version(journal: Journal) -> None:
    head = await journal.take()
    events = (
        recorded(1, "account-a", 1),
        recorded(2, "account-b", 1),
        recorded(3, "account-a", 2),
        recorded(4, "account-a", 3),
    )
    await journal.commit(batch_of(head, events))

    assert await listed(journal.stream("account-a")) == [events[0], *events[2:]]
    assert await listed(journal.stream("account-a", after_version=2)) == [events[3]]
    assert await listed(journal.stream("account-nobody")) == []


async def test_ticks_are_read_from_the_block_that_holds_the_next_one(
    journal: Journal,
) -> None:
    head = await journal.take()
    blocks = (
        block(1, 1, 10),
        block(2, 11, 10),  # refused quotes only
        block(3, 11, 20),
        block(1, 1, 99, venue="sb-1"),
    )
    await journal.commit(batch_after(head, 0, tick_blocks=blocks))

    assert await listed(journal.tick_blocks("live")) == list(blocks[:3])
    assert await listed(journal.tick_blocks("live", 9)) == list(blocks[:3])
    assert await listed(journal.tick_blocks("live", 10)) == list(blocks[1:3])
    assert await listed(journal.tick_blocks("live", 11)) == [blocks[2]]
    assert await listed(journal.tick_blocks("live", 20)) == []
    assert await listed(journal.tick_blocks("sb-1")) == [blocks[3]]


async def test_the_latest_checkpoint_and_its_images_are_found_again(
    engine: Open,
) -> None:
    journal = engine()
    assert await journal.latest_checkpoint() is None
    await journal.take()
    early = Checkpoint(position=1, taken_at=NOON, body=b"early")
    late = Checkpoint(position=5, taken_at=NOON, body=b"late")

    await journal.checkpoint(early, [_image("a", 1), _image("b", 1)])
    await journal.checkpoint(late, [_image("b", 2), _image("c", 1)])

    assert await journal.latest_checkpoint() == late
    images = await listed(journal.images())
    assert images == [_image("a", 1), _image("b", 2), _image("c", 1)]
    with pytest.raises(Fenced):
        await journal.checkpoint(early, [_image("b", 1)])
    await engine().take()
    with pytest.raises(Fenced):
        await journal.checkpoint(late, [_image("b", 1)])
    assert await listed(journal.images()) == images


def _image(stream: str, version: int) -> Image:
    return Image(stream=stream, version=version, body=b"%d" % version)


def _failure(origin: str, kind: Kind = Kind.COMMAND) -> Failure:
    return Failure(
        kind=kind,
        subject="account-a",
        origin=origin,
        cause="ValueError: too long",
        body=b"\x80",
        at=NOON,
    )


async def test_what_failed_is_parked_once_until_it_is_settled(journal: Journal) -> None:
    for origin in ("one", "two", "one"):
        await journal.park(_failure(origin))
    await journal.park(_failure("one", Kind.POLICY))

    first, second, third = await journal.parked()
    assert (first.kind, first.subject, first.cause, first.body, first.at) == (
        Kind.COMMAND,
        "account-a",
        "ValueError: too long",
        b"\x80",
        NOON,
    )
    assert third.kind is Kind.POLICY
    assert await journal.parked(after=first.id, limit=1) == (second,)

    await journal.settle_parked(first.id, "skipped")
    await journal.park(_failure("one"))

    assert await journal.parked() == (second, third)
    settled = await journal.parked_item(first.id)
    assert settled is not None
    assert settled.settled == "skipped"
    assert await journal.parked_item(9_999) is None


async def test_only_so_many_failed_commands_are_kept(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "MOST_PARKED", 2)
    monkeypatch.setattr(memory, "MOST_PARKED", 2)
    for origin in ("one", "two", "three"):
        await journal.park(_failure(origin))
    await journal.park(_failure("four", Kind.POLICY))

    kinds = [each.kind for each in await journal.parked()]
    assert kinds == [Kind.COMMAND, Kind.COMMAND, Kind.POLICY]
