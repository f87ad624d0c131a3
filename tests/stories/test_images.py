"""What is saved of the states is small, shared, and no more than a short cut."""

from collections.abc import Sequence

import pytest
from msgspec import msgpack
from msgspec.structs import replace

from application.engine import start
from application.engine.asks import Ask
from application.engine.images import Images
from application.engine.saving import CheckpointBody
from application.replay import hash_of
from infrastructure.event_store.memory import Partition
from tests.stories.challenges import EVALUATION, FUNDED
from tests.stories.engines import (
    Desk,
    advance,
    buy,
    desk,
    gold,
    open_account,
    open_venue,
    quotes,
    remembered,
    sell_out,
)
from tests.stories.facts import DAILY_LOSS, MAX_LOSS, MONDAY, TRAILING
from tests.stories.test_engine_policies import FIRST, bought
from tests.stories.test_engine_recovery import STORIES

RULES = (MAX_LOSS, DAILY_LOSS, TRAILING)
A_DAY = (
    open_venue(),
    *(open_account(each, *RULES) for each in ("a", "b", "c")),
    bought(EVALUATION, FUNDED),
    gold("1999"),
    buy("a", "t1"),
    buy(FIRST, "t2"),
    gold("2010", "2005"),
)


async def saved(*asks: Ask) -> Partition:
    partition = Partition()
    async with desk(partition) as here:
        await here.ask(*asks)
    return partition


def of_kind(partition: Partition, kind: str) -> list[str]:
    return [each for each in partition.images if each.startswith(f"{kind}-")]


async def test_terms_are_saved_once_and_held_once_by_all_who_have_them() -> None:
    partition = await saved(*A_DAY)
    assert len(of_kind(partition, "account")) == 4
    assert len(of_kind(partition, "phase")) == 2
    assert len(of_kind(partition, "terms")) == 1
    async with desk(partition, ends_well=False) as again:
        assert again.account("a").phase is again.account("b").phase
        assert again.account(FIRST).phase is not again.account("a").phase


async def test_terms_are_not_saved_again() -> None:
    partition = await saved(*A_DAY)
    before = of_kind(partition, "phase")
    async with desk(partition) as again:
        await again.ask(open_account("d", *RULES), buy("d", "t3"))
    assert of_kind(partition, "phase") == before


async def test_what_is_read_again_is_the_same_to_the_byte() -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*A_DAY, sell_out("a", "t1", "0.30"), advance(MONDAY))
        images = Images()
        for stream, entry in here.engine.memory.all_shown():
            kind = stream.partition("-")[0]
            read = images.state(kind, images.body(entry.state))
            assert read == entry.state
            assert hash_of({stream: read}) == hash_of({stream: entry.state})


async def test_images_of_another_shape_are_left_aside_and_replaced() -> None:
    partition = await saved(*A_DAY)
    assert partition.checkpoint is not None
    body = msgpack.decode(partition.checkpoint.body, type=CheckpointBody)
    older = msgpack.encode(replace(body, shape="older"))
    was, partition.checkpoint = partition.checkpoint, None
    partition.images = {
        stream: replace(image, body=b"?") for stream, image in partition.images.items()
    }
    partition.checkpoint = replace(was, body=older)
    async with desk(partition) as here:
        live = remembered(here.engine)
    assert all(image.body != b"?" for image in partition.images.values())
    async with desk(partition, ends_well=False) as again:
        assert remembered(again.engine) == live


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("story", ["a day", "a clock", "a pause", "two symbols"])
async def test_a_long_tail_is_taken_in_piece_by_piece(
    story: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "MOST_KEPT", most)
    asks = [*STORIES[story], *A_TAIL]
    for checkpoint_after in (None, *range(0, len(asks), 3)):
        partition = Partition()
        async with desk(partition, ends_well=False) as here:
            live = await asked(here, asks, checkpoint_after)
        async with desk(partition, ends_well=False) as again:
            assert remembered(again.engine) == live


async def test_what_is_taken_in_on_one_venue_is_not_taken_in_twice_on_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A boundary would make of the new day's anchor another one, if it came again."""
    monkeypatch.setattr(start, "MOST_KEPT", 3)
    there, next_day = "sb-2", MONDAY.replace(day=MONDAY.day + 1)
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(open_venue(), open_account("a", *RULES), gold("1999"))
        await here.ask(open_venue(there), open_account("b", *RULES, venue_id=there))
        await here.host.checkpoint()
        await here.ask(buy("a", "t1"), advance(next_day), buy("a", "t2"))
        await here.ask(gold("2000", "2001", "2002", venue_id=there))
        await here.ask(gold("2003"))
        live = remembered(here.engine)
    async with desk(partition, ends_well=False) as again:
        assert remembered(again.engine) == live


A_TAIL = (
    quotes(("EURUSD", "1.10000"), ("XAUUSD", "2001")),
    gold("2003", "2002", "2009", "2004"),
    advance(MONDAY.replace(day=MONDAY.day + 6)),
    gold("2011", "2007", "2012"),
)


async def asked(
    here: Desk, asks: Sequence[Ask], checkpoint_after: int | None
) -> dict[str, object]:
    for number, each in enumerate(asks):
        await here.ask(each)
        if number == checkpoint_after:
            await here.host.checkpoint()
    return remembered(here.engine)
