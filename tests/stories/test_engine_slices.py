"""A quote that touches very many accounts is judged a slice at a time; others go on."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

import pytest
from msgspec import json

from application.engine import backlog, deciding, engine
from application.engine.asks import Ask
from application.engine.envelope import Envelope
from application.engine.journal import Batch, NotStored, Rejected
from application.replay import replay
from domain.account.events import RuleBreached
from domain.account.state import Status
from domain.rules.inactivity import Activity, Inactivity, Since
from domain.rules.span import Span, Unit
from infrastructure.event_store.memory import Partition
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
    told,
)
from tests.stories.facts import MAX_LOSS, MONDAY, TRAILING

MANY = tuple(f"many-{number}" for number in range(6))
BEGINNING = (
    open_venue(),
    gold("1999"),
    quotes(("EURUSD", "1.10000")),
    open_account("other", MAX_LOSS),
    *(open_account(each, MAX_LOSS, TRAILING) for each in MANY),
    *(buy(each, f"of-{each}") for each in MANY),
)
BELOW_THE_FLOOR = "1898"
BREACHED = "account.rule-breached/1"


@pytest.fixture(autouse=True)
def _one_verdict_a_slice() -> Iterator[None]:
    with (
        patch.object(deciding, "SLICE", 1),
        patch.object(engine, "MOST_JUDGED", 1),
        patch.object(engine, "REST_SECONDS", 0.0),
    ):
        yield


class Commits:
    """Lets batches pass one at a time, and notes what was in them."""

    def __init__(self, here: Desk) -> None:
        self.passed: list[Batch] = []
        self._may_pass = asyncio.Semaphore(0)
        self._came = asyncio.Semaphore(0)
        here.journal.before_commit = self._hold

    async def _hold(self, batch: Batch) -> None:
        self._came.release()
        await self._may_pass.acquire()
        self.passed.append(batch)

    async def let(self, many: int) -> None:
        for _ in range(many):
            await self._came.acquire()
            self._may_pass.release()
        await settled()

    def let_all(self) -> None:
        for _ in range(1_000):
            self._may_pass.release()


async def settled() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


def verdicts(here: Desk) -> list[str]:
    return [each.stream for each in here.partition.events if each.name == BREACHED]


async def asked(here: Desk, *asks: Ask) -> "asyncio.Task[object]":
    task = asyncio.create_task(here.ask(*asks))
    await settled()
    return task


async def test_its_verdicts_are_spread_over_batches_and_its_answer_waits_for_all() -> (
    None
):
    async with desk() as here:
        await here.ask(*BEGINNING)
        commits = Commits(here)
        crash = await asked(here, gold(BELOW_THE_FLOOR))
        await commits.let(3)
        assert 0 < len(verdicts(here)) < len(MANY)
        assert not crash.done()
        commits.let_all()
        answer = await here.ask(advance(MONDAY))  # what waits before it is done too
        await crash
        assert sorted(verdicts(here)) == sorted(f"account-{each}" for each in MANY)
        assert all(len(each.events) <= 4 for each in commits.passed)
        assert told(answer)["now"] == "2026-01-05T09:00:00Z"
        assert [each for each in here.names("venue") if "judging" in each] == [
            "venue.judging-deferred/1",
            "venue.judging-caught-up/1",
        ]


async def test_its_answer_tells_the_position_at_which_all_is_decided() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        answer = await here.ask(gold(BELOW_THE_FLOOR))
        assert answer.position == here.engine.head.position
        assert len(verdicts(here)) == len(MANY)


async def test_others_trade_meanwhile_and_who_is_behind_is_judged_before() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        commits = Commits(here)
        crash = await asked(here, gold(BELOW_THE_FLOOR))
        last, other = MANY[-1], "other"
        trades = [
            await asked(here, buy(other, "t1", symbol="EURUSD")),
            await asked(here, buy(last, "t2", symbol="EURUSD")),
        ]
        await commits.let(2)
        one, two = await asyncio.gather(*trades)
        assert len(verdicts(here)) < len(MANY)
        assert (one.status, two.status) == (201, 409)  # type: ignore[attr-defined]  # answers
        assert told(two)["code"] == "account-breached"  # type: ignore[arg-type]  # likewise
        commits.let_all()
        await crash


async def test_each_is_judged_by_the_prices_of_then_and_by_later_ones_in_order() -> (
    None
):
    async with desk() as here:
        await here.ask(*BEGINNING)
        await here.ask(gold(BELOW_THE_FLOOR, "2500"))
        for each in MANY:
            account = here.account(each)
            assert account.status is Status.BREACHED
            assert account.marks.peak_equity.amount.amount == Decimal("100000.00")
        facts = [each for each in here.partition.events if each.name == BREACHED]
        prices = [json.decode(e.payload, type=RuleBreached).positions for e in facts]
        assert {held.price for (held,) in prices} == {Decimal(BELOW_THE_FLOOR)}
        envelopes = [json.decode(each.envelope, type=Envelope) for each in facts]
        assert {each.as_of_tick for each in envelopes} == {3}
        assert {each.causation for each in envelopes} == {"tick:3"}
        await a_replay_agrees(here)


async def test_a_peak_between_two_slices_counts_for_everybody() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        await here.ask(gold("2100", "2050", "2000"))
        peaks = {here.account(each).marks.peak_equity for each in MANY}
        assert {(peak.tick, str(peak.amount.amount)) for peak in peaks} == {
            (3, "110000.00")
        }
        assert {here.account(each).status for each in MANY} == {Status.ACTIVE}
        await a_replay_agrees(here)


async def test_a_day_turns_for_many_a_slice_at_a_time() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, gold("2010"))
        night = MONDAY.replace(hour=23, minute=30)
        await here.ask(gold("2020", at=night))
        days = {here.account(each).marks.day_equity for each in MANY}
        assert {str(mark.amount.amount) for mark in days} == {"101000.00"}
        assert "venue.judging-deferred/1" in here.names("venue")
        await a_replay_agrees(here)


@pytest.mark.parametrize("batches", range(1, 7))
async def test_after_a_crash_the_rest_is_judged_as_if_nothing_had_been(
    batches: int,
) -> None:
    partition = Partition()
    crash = (gold("2100"), gold(BELOW_THE_FLOOR, "2500", "1500"))
    async with desk() as here:
        await here.ask(*BEGINNING, *crash)
        whole = {each: here.account(each) for each in MANY}
    async with desk(partition, ends_well=False) as here:
        await here.ask(*BEGINNING, crash[0])
        await here.host.checkpoint()
        commits = Commits(here)
        await asked(here, crash[1])
        await commits.let(batches)
        stored = len(verdicts(here))
    async with desk(partition) as again:
        assert len(verdicts(again)) == stored
        await again.engine.judged()
        assert len(verdicts(again)) == len(MANY)
        assert {each: again.account(each) for each in MANY} == whole
        await a_replay_agrees(again)
        before = remembered(again.engine)
    async with desk(partition) as once_more:
        assert remembered(once_more.engine) == before


async def test_nothing_is_saved_while_somebody_is_behind() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        await here.host.checkpoint()
        saved = here.partition.checkpoint
        commits = Commits(here)
        crash = await asked(here, gold(BELOW_THE_FLOOR))
        await commits.let(2)
        await here.host.checkpoint()
        assert here.partition.checkpoint == saved
        commits.let_all()
        await crash
        await here.host.checkpoint()
        assert here.partition.checkpoint != saved


async def test_a_batch_that_is_lost_is_judged_again() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        commits = Commits(here)
        crash = await asked(here, gold(BELOW_THE_FLOOR))
        await commits.let(2)
        here.journal.fails_next_with = NotStored()
        commits.let_all()
        await crash
        assert len(verdicts(here)) == len(MANY)
        await a_replay_agrees(here)


async def test_whose_verdict_no_log_takes_is_frozen_and_others_go_on() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        poison = f"account-{MANY[3]}"

        async def refuse(batch: Batch) -> None:
            if any((e.stream, e.name) == (poison, BREACHED) for e in batch.events):
                raise Rejected

        here.journal.before_commit = refuse
        await here.ask(gold(BELOW_THE_FLOOR))
        statuses = {each: here.account(each).status for each in MANY}
        assert statuses.pop(MANY[3]) is Status.FROZEN
        assert set(statuses.values()) == {Status.BREACHED}
        assert here.names(poison)[-1] == "account.quarantined/1"


async def test_no_more_quotes_are_taken_when_too_much_has_happened_meanwhile() -> None:
    with patch.object(backlog, "MOST_KEPT", 2):
        async with desk() as here:
            await here.ask(*BEGINNING)
            commits = Commits(here)
            quoted = [await asked(here, gold(bid)) for bid in ("2001", "2002", "2003")]
            await commits.let(1)
            assert here.engine.venues["sb-1"].sequence == 4
            assert here.engine.queued == 1
            commits.let_all()
            await asyncio.gather(*quoted)
            assert here.engine.venues["sb-1"].sequence == 5
            await a_replay_agrees(here)


IDLE = Inactivity(
    id="idle",
    activity=Activity.FILLED,
    warn=None,
    after=Span(Unit.ELAPSED, 1),
    since=Since.ACTIVITY,
)
IDLERS = (
    open_venue(),
    gold("1999"),
    *(open_account(each, MAX_LOSS, IDLE) for each in MANY),
    *(buy(each, f"of-{each}") for each in MANY),
)
A_DAY_LATER = MONDAY + timedelta(days=1)


@pytest.mark.parametrize("batches", range(1, 7))
async def test_a_deadline_of_many_is_struck_a_slice_at_a_time_and_over_a_crash(
    batches: int,
) -> None:
    later = A_DAY_LATER + timedelta(minutes=1)
    partition = Partition()
    async with desk() as here:
        await here.ask(*IDLERS, gold("2010", at=later))
        whole = {each: here.account(each) for each in MANY}
        assert {each.status for each in whole.values()} == {Status.EXPIRED}
        ends = [each for each in here.partition.events if "expired" in each.name]
        times = {json.decode(each.envelope, type=Envelope).engine_time for each in ends}
        assert times == {A_DAY_LATER + timedelta(microseconds=1)}
        await a_replay_agrees(here)
    async with desk(partition, ends_well=False) as here:
        await here.ask(*IDLERS)
        await here.host.checkpoint()
        commits = Commits(here)
        await asked(here, gold("2010", at=later))
        await commits.let(batches)
    async with desk(partition) as again:
        await again.engine.judged()
        assert {each: again.account(each) for each in MANY} == whole
        await a_replay_agrees(again)


async def test_a_deadline_that_a_lost_batch_had_struck_is_struck_again() -> None:
    async with desk() as here:
        await here.ask(*IDLERS)
        commits = Commits(here)
        quoted = await asked(here, gold("2010", at=A_DAY_LATER + timedelta(minutes=1)))
        await commits.let(2)
        here.journal.fails_next_with = NotStored()
        commits.let_all()
        await quoted
        assert {here.account(each).status for each in MANY} == {Status.EXPIRED}
        await a_replay_agrees(here)


async def a_replay_agrees(here: Desk) -> None:
    await here.host.checkpoint()
    kept = here.partition
    images = tuple(kept.images.values())
    report = await replay(here.journal, kept.checkpoint, images, None, lambda _: None)
    assert report.equal, report.differences
    assert report.events == len(kept.events)
