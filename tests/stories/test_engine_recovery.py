"""An engine that starts again knows what it knew: from a checkpoint, and from zero."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from application.engine.asks import Ask
from domain.account.flow import FlowKind
from domain.rules.limit import Comparator
from domain.rules.max_loss import Follows
from domain.rules.phase import Rule
from domain.venue.gate import SANDBOX_FULL_GATE
from infrastructure.event_store.memory import Partition
from tests.stories.engines import (
    advance,
    buy,
    desk,
    gold,
    hold_payout,
    open_account,
    open_live,
    open_venue,
    pay_out,
    post_flow,
    quotes,
    remembered,
    scale,
    sell_out,
)
from tests.stories.facts import (
    DAILY_LOSS,
    DAILY_PAUSE,
    MAX_LOSS,
    MONDAY,
    TARGET,
    TRAILING,
)
from tests.stories.order_days import ORDER_DAYS

BALANCE_TRAIL = replace(TRAILING, id="balance", follows=Follows.BALANCE)
ALL_RULES: tuple[Rule, ...] = (MAX_LOSS, DAILY_LOSS, TRAILING, BALANCE_TRAIL)
BEGINNING = (open_venue(), open_account("a", *ALL_RULES), gold("1999"))
NIGHT = MONDAY.replace(hour=23)
TUESDAY = MONDAY + timedelta(days=1)

A_DAY = [
    *BEGINNING,
    open_account("b", DAILY_PAUSE, TARGET),
    buy("a", "t1", "0.50"),
    gold("2010", "2040", "2020"),
    buy("b", "t2"),
    sell_out("a", "t1", "0.20"),
    gold("2030", at=NIGHT),
    gold("2031", "2000"),
]
A_PAUSE = [*A_DAY, gold("1970"), gold("1980", at=NIGHT + timedelta(days=1))]
A_BREACH = [*A_DAY, buy("a", "t3", "2.00"), gold("1900"), gold("1901")]
A_PASS = [*A_DAY, gold("2150"), sell_out("b", "t2"), gold("2160")]
A_CLOCK = [*A_DAY, advance(TUESDAY), advance(TUESDAY + timedelta(days=3))]


A_FLOW = [
    *A_DAY,
    hold_payout("a", "300.00"),
    pay_out("a", "300.00"),
    post_flow("b", FlowKind.CORRECTION, "-250.00"),
    post_flow("b", FlowKind.CREDIT, "1000.00"),
    gold("2010"),
    scale("a", "150000.00"),
    gold("2030", "2020"),
    gold("2020.50", at=NIGHT + timedelta(days=1)),
    gold("1700"),
]


def one_block_over_a_boundary() -> list[Ask]:
    """The first of three quotes pauses at ten, the last comes after midnight."""
    asks = [*BEGINNING, open_account("c", DAILY_PAUSE), buy("c", "t2")]
    ten, noon, night = (MONDAY.replace(hour=hour) for hour in (10, 12, 23))
    command = gold("1945", "1946", "1947").command
    sent = command.quotes  # type: ignore[union-attr]
    timed = tuple(
        replace(each, at=at) for each, at in zip(sent, (ten, noon, night), strict=True)
    )
    return [*asks, replace(gold("1"), command=replace(command, quotes=timed))]


STORIES = {
    "a day": A_DAY,
    "a pause": A_PAUSE,
    "a breach": A_BREACH,
    "a pass": A_PASS,
    "a clock": A_CLOCK,
    "flows": A_FLOW,
    "one block over a boundary": one_block_over_a_boundary(),
    "refused quotes only": [*A_DAY, gold("2000"), gold("2000"), gold("-1")],
    "two symbols": [*A_DAY, quotes(("EURUSD", "1.10000"), ("XAUUSD", "2001"))],
    **ORDER_DAYS,
}


async def live_and_again(
    asks: Sequence[Ask], checkpoint_after: int | None
) -> tuple[object, object]:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        for number, each in enumerate(asks):
            await here.ask(each)
            if number == checkpoint_after:
                await here.host.checkpoint()
        live = remembered(here.engine)
    async with desk(partition, ends_well=False) as again:
        return live, remembered(again.engine)


@pytest.mark.parametrize("story", STORIES)
async def test_from_zero(story: str) -> None:
    live, again = await live_and_again(STORIES[story], None)
    assert again == live


@pytest.mark.parametrize("story", STORIES)
async def test_from_a_checkpoint_taken_anywhere(story: str) -> None:
    for number in range(len(STORIES[story])):
        live, again = await live_and_again(STORIES[story], number)
        assert again == live, number


async def test_a_well_ended_engine_reads_nothing_but_its_checkpoint() -> None:
    partition = Partition()
    async with desk(partition) as here:
        await here.ask(*A_PAUSE)
        live = remembered(here.engine)
    assert partition.checkpoint is not None
    assert partition.checkpoint.position == partition.head.position
    async with desk(partition) as again:
        assert remembered(again.engine) == live


async def test_marks_are_of_the_very_instant_inside_a_block() -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*one_block_over_a_boundary())
    async with desk(partition, ends_well=False) as again:
        account = again.account("c")
        assert account.marks.day_equity.at == NIGHT
        assert again.engine.venues["sb-1"].clock == NIGHT


async def test_a_sandboxs_clock_is_remembered() -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*BEGINNING, advance(TUESDAY))
    async with desk(partition, ends_well=False) as again:
        assert again.engine.venues["sb-1"].clock == TUESDAY
        refused = await again.ask(advance(MONDAY))
        assert refused.is_refused


@pytest.mark.parametrize("checkpoint_after", [None, 0, 1, 2, 3])
async def test_an_unconfirmed_jump_still_waits_to_be_confirmed(
    checkpoint_after: int | None,
) -> None:
    jump = gold("3000")  # half as much again: a spike, until another says so too
    asks = [open_venue(gate=SANDBOX_FULL_GATE), gold("1999"), jump, gold("-1")]
    live, again = await live_and_again(asks, checkpoint_after)
    assert again == live
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*asks)
    async with desk(partition, ends_well=False) as here:
        await here.ask(gold("3001", at=MONDAY + timedelta(seconds=1)))
        assert here.engine.venues["sb-1"].sequence == 2


FAULT = [
    *BEGINNING,
    open_account("b", deposit="999999999999999.00"),
    buy("b", "t1", "100.00"),
    gold("8999999"),  # more than fifteen digits of money: judging "b" raises
    gold("9000000", at=NIGHT),
]


@pytest.mark.parametrize("checkpoint_after", [None, *range(len(FAULT))])
async def test_an_account_that_cannot_be_judged_does_not_stop_a_restart(
    checkpoint_after: int | None,
) -> None:
    with capture_logs() as logs:  # a traceback told in colour takes a second
        live, again = await live_and_again(FAULT, checkpoint_after)
    assert again == live
    assert [each["event"] for each in logs].count("judging-failed") == 1


async def test_the_chain_of_blocks_goes_on_where_it_ended() -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*BEGINNING, gold("0"), gold("2000"))
    async with desk(partition, ends_well=False) as again:
        await again.ask(gold("2001"))
    blocks = partition.tick_blocks["sb-1"]
    assert [each.number for each in blocks] == [1, 2, 3, 4]
    for earlier, later in pairwise(blocks):
        assert later.previous_sha256 == earlier.sha256


async def test_a_live_venue_is_recovered_with_its_accounts() -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        strict = replace(MAX_LOSS, comparator=Comparator.AT_OR_BELOW)
        account = open_account("a", strict, venue_id="live")
        here.clock.at = MONDAY
        await here.ask(open_live(), account, gold("1999", venue_id="live"))
        await here.ask(buy("a", "t1"))
        here.clock.at = MONDAY + timedelta(seconds=2)
        await here.ask(gold("1998", venue_id="live"))
        live = remembered(here.engine)
    async with desk(partition, here.clock, ends_well=False) as again:
        assert remembered(again.engine) == live


async def test_trading_goes_on_after_a_restart_as_it_would_have_without() -> None:
    rest = [gold("2100"), buy("a", "t9", "0.10"), gold("1800"), gold("2000")]
    whole, cut = Partition(), Partition()
    async with desk(whole, ends_well=False) as here:
        await here.ask(*A_DAY, *rest)
    async with desk(cut, ends_well=False) as here:
        await here.ask(*A_DAY)
    async with desk(cut, ends_well=False) as here:
        await here.ask(*rest)
    assert [(e.name, e.payload) for e in cut.events] == [
        (e.name, e.payload) for e in whole.events
    ]


async def test_images_of_another_shape_are_told_anew_by_the_log() -> None:
    """As after a release that remembers more of an account than the one before."""
    partition = Partition()
    async with desk(partition) as here:
        await here.ask(open_venue(), open_account("a", MAX_LOSS), gold("1999"))
        live = remembered(here.engine)
    assert partition.checkpoint is not None
    body = msgspec.msgpack.decode(partition.checkpoint.body)
    body["shape"] = "another"
    partition.checkpoint = replace(
        partition.checkpoint, body=msgspec.msgpack.encode(body)
    )
    partition.images = {
        stream: replace(image, body=b"\xc0")
        for stream, image in partition.images.items()
    }
    async with desk(partition) as again:
        assert remembered(again.engine) == live
