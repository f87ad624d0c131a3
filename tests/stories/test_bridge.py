"""What is observed of an account counts by its sequence, late or not, and is kept."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from application.engine.asks import Ask
from application.replay import Report, replay
from domain.account.bridge import MOST_KEPT, Bridging
from domain.account.commands import ObserveAccount
from domain.rules.course import Observation
from domain.rules.phase import Rule
from infrastructure.event_store.memory import MemoryJournal, Partition
from tests.stories.engines import (
    Desk,
    advance,
    asking,
    desk,
    open_account,
    open_venue,
    remembered,
    told,
)
from tests.stories.facts import DAILY_LOSS, DAILY_PAUSE, MAX_LOSS, MONDAY, TARGET

MIDNIGHT = MONDAY.replace(hour=23)  # in Prague
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def open_bridge(*rules: Rule, watermark: int = 0, account_id: str = "a") -> Ask:
    ask = open_account(account_id, *rules)
    bridge = Bridging(starts_at=MONDAY, watermark_seconds=watermark)
    return replace(ask, command=replace(ask.command, bridge=bridge))


def seen(sequence: int, at: datetime, equity: int, **other: Any) -> Observation:
    balance = other.pop("balance", equity)
    return Observation(
        sequence=sequence,
        at=at,
        balance=Decimal(balance),
        equity=Decimal(equity),
        **other,
    )


def observe(*observations: Observation) -> Ask:
    return asking("account-a", ObserveAccount(observations=observations))


async def judged(here: Desk, *observations: Observation) -> list[tuple[str, str]]:
    answer = await here.ask(observe(*observations))
    assert not answer.is_refused, answer.body
    return [(row[0], row[1]) for row in told(answer)["verdicts"]]


async def replayed(partition: Partition) -> Report:
    journal = MemoryJournal(partition)
    checkpoint = await journal.latest_checkpoint()
    images = [each async for each in journal.images()]
    return await replay(journal, checkpoint, images, None, lambda _: None)


async def test_what_is_late_goes_to_its_place_and_all_is_judged_again() -> None:
    async with desk() as here:
        await here.ask(open_venue(), open_bridge(DAILY_PAUSE))
        assert await judged(here, seen(1, MONDAY, 100_000)) == []
        assert await judged(here, seen(3, MONDAY + 2 * HOUR, 96_000)) == []
        late = seen(2, MONDAY + HOUR, 94_000)
        assert await judged(here, late) == [("e2", "pause")]
        assert here.account("a").paused == {"pause"}
        assert here.account("a").balance.amount == 96_000


async def test_in_one_request_the_sequence_decides_too() -> None:
    async with desk() as here:
        await here.ask(open_venue(), open_bridge(MAX_LOSS))
        late = seen(2, MONDAY + HOUR, 89_999)
        verdicts = await judged(
            here, seen(3, MONDAY, 88_000), seen(1, MONDAY, 90_000), late
        )
        assert verdicts == [("e2", "max")]


async def test_before_a_closed_boundary_what_is_late_is_kept_and_moves_nothing() -> (
    None
):
    async with desk() as here:
        await here.ask(open_venue(), open_bridge(DAILY_LOSS))
        await judged(here, seen(1, MONDAY, 100_000), seen(3, MIDNIGHT, 100_000))
        before = here.account("a")
        assert await judged(here, seen(2, MONDAY + HOUR, 94_000)) == []
        after = here.account("a")
        assert (after.status, after.marks) == (before.status, before.marks)
        assert here.names("account-a").count("account.observed/1") == 2


async def test_a_boundary_waits_for_what_is_late_until_its_watermark() -> None:
    late = seen(2, MONDAY + HOUR, 94_000)
    for minutes, verdicts in ((59, [("e2", "daily")]), (60, [])):
        async with desk() as here:
            await here.ask(open_venue(), open_bridge(DAILY_LOSS, watermark=3_600))
            now = MIDNIGHT + timedelta(minutes=minutes)
            await judged(here, seen(1, MONDAY, 100_000), seen(3, MIDNIGHT, 100_000))
            await judged(here, seen(4, now, 100_000))
            assert await judged(here, late) == verdicts, minutes


async def test_what_is_late_moves_the_anchor_of_a_boundary_that_waits() -> None:
    async with desk() as here:
        await here.ask(open_venue(), open_bridge(DAILY_LOSS, watermark=3_600))
        await judged(here, seen(1, MONDAY, 100_000), seen(3, MIDNIGHT, 99_001))
        assert here.account("a").marks.day_balance.amount.amount == 100_000
        await judged(here, seen(2, MONDAY + HOUR, 104_001))
        assert here.account("a").marks.day_balance.amount.amount == 104_001
        assert await judged(here, seen(4, MIDNIGHT, 99_001)) == []
        assert await judged(here, seen(5, MIDNIGHT, 99_000)) == [("e5", "daily")]


async def test_nothing_that_is_late_brings_an_account_back() -> None:
    async with desk() as here:
        await here.ask(open_venue(), open_bridge(DAILY_LOSS, watermark=86_400))
        await judged(here, seen(1, MONDAY, 104_000))
        verdicts = await judged(here, seen(3, MIDNIGHT + HOUR, 98_000))
        assert verdicts == [("e3", "daily")]
        assert await judged(here, seen(2, MONDAY + HOUR, 100_000)) == []
        assert here.account("a").status == "breached"
        assert await judged(here, seen(4, MIDNIGHT + DAY, 120_000)) == []
        assert here.account("a").status == "breached"
        assert here.account("a").balance.amount == 120_000


async def test_a_verdict_is_told_once() -> None:
    async with desk() as here:
        await here.ask(open_venue(), open_bridge(DAILY_PAUSE))
        pausing = seen(3, MONDAY + HOUR, 94_000)
        assert await judged(here, pausing) == [("e3", "pause")]
        assert await judged(here, pausing) == []
        assert await judged(here, seen(2, MONDAY, 99_000)) == []


async def test_its_venues_clock_turns_no_day_of_it() -> None:
    async with desk() as here:
        await here.ask(open_venue(), open_bridge(DAILY_PAUSE))
        await judged(here, seen(1, MONDAY, 94_000))
        await here.ask(advance(MONDAY + 3 * DAY))
        assert here.account("a").paused == {"pause"}
        assert await judged(here, seen(2, MIDNIGHT, 94_000)) == []
        assert here.account("a").paused == frozenset()


async def test_a_thousand_are_known_again_and_what_is_older_is_refused() -> None:
    async with desk() as here:
        await here.ask(open_venue(), open_bridge(MAX_LOSS))
        many = [seen(n, MONDAY, 100_000) for n in range(2, MOST_KEPT + 3)]
        await judged(here, *many)
        version = told(await here.ask(observe(many[-1])))["version"]
        assert await judged(here, *many[1:]) == []
        assert told(await here.ask(observe(many[-1])))["version"] == version
        refused = await here.ask(observe(many[0]))
        assert told(refused)["code"] == "observation-refused"


@pytest.mark.parametrize("seed", range(8))
async def test_in_whatever_order_it_ends_the_same_and_a_start_and_a_replay_agree(
    seed: int,
) -> None:
    """All within one day: nothing is closed before the last has come."""
    chance = Random(seed)  # noqa: S311 - made-up numbers, no secrets
    equity, story = 100_000, list[Observation]()
    for number in range(1, 31):
        equity += chance.randint(-900, 900)
        at = MONDAY + timedelta(minutes=number)
        story.append(seen(number, at, equity, balance=equity + 50, opened=number < 3))
    rules = (MAX_LOSS, DAILY_PAUSE, TARGET)
    async with desk() as here:
        await here.ask(open_venue(), open_bridge(*rules), observe(*story))
        in_order = here.account("a")
    chance.shuffle(story)
    partition = Partition()
    async with desk(partition) as here:
        await here.ask(open_venue(), open_bridge(*rules))
        while story:
            some, story = story[:4], story[4:]
            await here.ask(observe(*some))
        live = remembered(here.engine)
        shuffled = here.account("a")
    assert shuffled.marks == in_order.marks
    assert shuffled.paused == in_order.paused
    assert shuffled.observed == in_order.observed
    async with desk(partition, ends_well=False) as again:
        assert remembered(again.engine) == live
    report = await replayed(partition)
    assert report.equal, report.differences


@pytest.mark.parametrize("seed", range(8))
async def test_days_ends_and_pauses_are_recovered_and_replayed(seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - made-up numbers, no secrets
    partition = Partition()
    equity, at, number = 100_000, MONDAY, 0
    async with desk(partition, ends_well=False) as here:
        rules = (MAX_LOSS, DAILY_PAUSE, TARGET)
        await here.ask(open_venue(), open_bridge(*rules, watermark=3_600))
        for _ in range(12):
            some = []
            for _ in range(chance.randint(1, 5)):
                number += chance.choice((1, 1, 1, 2))
                at += timedelta(hours=chance.randint(0, 9))
                equity += chance.randint(-2_500, 2_400)
                some.append(seen(number, at, equity))
            if number > 5 and chance.random() < 0.5:
                some.append(seen(number - chance.randint(1, 4), at, equity))
            await here.ask(observe(*chance.sample(some, len(some))))
            if chance.random() < 0.2:
                await here.host.checkpoint()
        live = remembered(here.engine)
        await here.host.checkpoint()
    async with desk(partition, ends_well=False) as again:
        assert remembered(again.engine) == live
    report = await replayed(partition)
    assert report.equal, report.differences
