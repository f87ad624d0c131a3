"""What arrives during a commit makes up the next batch, stored whole or not at all."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from application.engine.asks import Answer, Ask, Poisoned
from application.engine.engine import Engine
from application.engine.journal import Batch, Fenced, NotStored, Rejected
from application.refusals import Busy, StoreUnavailable
from domain.account.state import Account, Status
from infrastructure.event_store.memory import MemoryJournal
from tests.stories.engines import (
    Desk,
    ManualClock,
    buy,
    desk,
    gold,
    open_account,
    open_venue,
    remembered,
    sell_out,
)
from tests.stories.facts import DAILY_PAUSE, MAX_LOSS, MONDAY

BEGINNING = (open_venue(), open_account("a", MAX_LOSS), gold("1999"))


class Gate:
    """Holds every commit until it is let through."""

    def __init__(self, here: Desk) -> None:
        self.batches: list[Batch] = []
        self.reached, self._go_on = asyncio.Event(), asyncio.Event()
        here.journal.before_commit = self._hold

    async def _hold(self, batch: Batch) -> None:
        self.batches.append(batch)
        self.reached.set()
        await self._go_on.wait()

    def open(self) -> None:
        self._go_on.set()


def poison(
    is_bad: Callable[[Batch], bool], error: type[Exception]
) -> Callable[[Batch], Awaitable[None]]:
    async def refuse(batch: Batch) -> None:
        if is_bad(batch):
            raise error

    return refuse


async def soon(*asks: Ask, to: Desk) -> list[asyncio.Task[Answer]]:
    """Ask all of them, and come back once they wait."""
    tasks = [asyncio.create_task(to.ask(each)) for each in asks]
    await asyncio.sleep(0)
    return tasks


async def test_what_arrives_during_a_commit_forms_the_next_batch() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        gate = Gate(here)
        first = await soon(buy("a", "t1"), to=here)
        await gate.reached.wait()
        others = await soon(buy("a", "t2"), gold("2000"), buy("a", "t3"), to=here)
        gate.open()
        await asyncio.gather(*first, *others)
        assert [len(each.events) for each in gate.batches] == [1, 2]
        numbers = [each.number for each in gate.batches]
        assert numbers == [numbers[0], numbers[0] + 1]
        saw = here.account("a").positions[-1]
        assert (saw.trade_id, saw.quote.sequence) == ("t3", 2)
        assert [each.last_sequence for each in gate.batches[1].tick_blocks] == [2]


async def test_nobody_is_told_before_it_is_on_disk() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        gate = Gate(here)
        (bought,) = await soon(buy("a", "t1"), to=here)
        await gate.reached.wait()
        assert not bought.done()
        assert here.account("a").positions == ()
        assert here.engine.venues["sb-1"].shown.sequence == 1
        gate.open()
        await bought
        assert len(here.account("a").positions) == 1


async def test_a_quote_is_not_shown_before_it_is_on_disk() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        venue, gate = here.engine.venues["sb-1"], Gate(here)
        (quoted,) = await soon(gold("2500"), to=here)
        await gate.reached.wait()
        shown = venue.shown_moment()
        assert (shown.tick, str(shown.market.quote("XAUUSD").bid)) == (1, "1999.00")
        gate.open()
        await quoted
        assert venue.shown_moment().tick == 2


async def test_a_batch_that_was_not_stored_never_happened() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, buy("a", "t1"))
        before = remembered(here.engine)
        here.journal.fails_next_with = NotStored()
        tasks = await soon(
            gold("1950"),
            buy("a", "t2"),
            open_account("b"),
            open_venue("sb-2"),
            sell_out("a", "t1"),
            to=here,
        )
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in answers] == [StoreUnavailable] * 5
        assert remembered(here.engine) == before
        await here.ask(gold("1960"))  # and life goes on
        assert here.engine.venues["sb-1"].sequence == 2
        await here.ask(buy("a", "t2"))
        assert [each.trade_id for each in here.account("a").positions] == ["t1", "t2"]


async def test_a_breach_that_was_not_stored_is_found_again() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, buy("a", "t1"))
        here.journal.fails_next_with = NotStored()
        with pytest.raises(StoreUnavailable):
            await here.ask(gold("1800"))
        await here.ask(gold("1899"))
        assert here.names("account-a")[-2:] == [
            "account.rule-breached/1",
            "account.position-closed/1",
        ]


async def test_a_boundary_that_was_not_stored_comes_again() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, buy("a", "t1"))
        noon = MONDAY.replace(hour=12)
        next_noon = noon.replace(day=6)
        here.journal.fails_next_with = NotStored()
        with pytest.raises(StoreUnavailable):
            await here.ask(gold("2000", at=next_noon))
        await here.ask(gold("2001", at=noon))
        assert "venue.day-boundary-passed/1" not in here.names()
        await here.ask(gold("2002", at=next_noon))
        assert here.names("venue-sb-1").count("venue.day-boundary-passed/1") == 1


@pytest.mark.parametrize("error", [Rejected, ValueError])
async def test_what_poisons_a_batch_is_found_and_the_others_go_on(
    error: type[Exception],
) -> None:
    def is_bad(batch: Batch) -> bool:
        return any(b'"t3"' in each.payload for each in batch.events)

    async with desk() as here:
        await here.ask(*BEGINNING)
        here.journal.before_commit = poison(is_bad, error)
        tasks = await soon(*(buy("a", f"t{n}") for n in range(1, 8)), to=here)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        failed = {
            n: type(each.__cause__)
            for n, each in enumerate(answers, 1)
            if isinstance(each, Poisoned)
        }
        assert failed == {3: error}
        held = [each.trade_id for each in here.account("a").positions]
        assert held == ["t1", "t2", "t4", "t5", "t6", "t7"]
        positions = [each.position for each in here.partition.events]
        assert positions == list(range(1, len(positions) + 1))


async def test_an_account_that_cannot_be_judged_is_frozen_and_others_go_on() -> None:
    """An amount of more than fifteen digits is a bug of whoever let it in."""
    async with desk() as here:
        huge = open_account("b", deposit="999999999999999.00")
        await here.ask(*BEGINNING, huge, buy("b", "t1", "100.00"))
        tasks = await soon(buy("a", "t2"), gold("8999999"), buy("a", "t3"), to=here)
        for task in tasks:
            assert not (await task).is_refused
        assert here.engine.venues["sb-1"].sequence == 2
        assert here.account("b").status is Status.FROZEN
        assert here.account("a").status is Status.ACTIVE
        refused = await here.ask(buy("b", "t4", "1.00"))
        assert b"account-frozen" in refused.body
        assert "account.quarantined/1" in [each.name for each in here.partition.events]


async def test_a_fenced_engine_answers_nobody_any_more() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        await MemoryJournal(here.partition).take()
        tasks = await soon(buy("a", "t1"), buy("a", "t2"), to=here)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in answers] == [StoreUnavailable] * 2
        assert isinstance(here.ended[0], Fenced)
        with pytest.raises(StoreUnavailable):
            await here.ask(gold("2000"))


async def test_a_full_queue_takes_no_more() -> None:
    engine = Engine("s1", MemoryJournal(), ManualClock(), most_waiting=2)
    waiting = [asyncio.create_task(engine.ask(gold(str(n)))) for n in (1, 2)]
    await asyncio.sleep(0)
    assert engine.queued == 2
    with pytest.raises(Busy):
        await engine.ask(gold("3"))
    for task in waiting:
        task.cancel()


async def test_who_has_stopped_waiting_gets_nothing_done_behind_their_back() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        gate = Gate(here)
        first = await soon(gold("2000"), to=here)
        await gate.reached.wait()
        gone, stays = await soon(buy("a", "t1"), buy("a", "t2"), to=here)
        gone.cancel()
        await asyncio.sleep(0)
        gate.open()
        await asyncio.gather(*first, stays)
        (held,) = here.account("a").positions
        assert held.trade_id == "t2"


async def test_a_stopping_engine_answers_what_waits_and_takes_no_more() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        gate = Gate(here)
        (bought,) = await soon(buy("a", "t1"), to=here)
        await gate.reached.wait()
        here.engine.stop()
        with pytest.raises(StoreUnavailable):
            await here.engine.ask(gold("2000"))
        gate.open()
        await bought


async def test_nothing_to_store_is_no_batch() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        number = here.partition.head.batch
        await here.ask(buy("a", "t1", "50.00"))  # refused, and nobody asked to keep it
        assert here.partition.head.batch == number


async def test_a_tick_that_changes_no_verdict_leaves_no_event() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, open_account("b", DAILY_PAUSE), buy("b", "t1"))
        events = len(here.partition.events)
        await here.ask(gold("2010", "2020", "2000"))
        assert len(here.partition.events) == events
        marks = here.account("b").marks
        assert isinstance(here.account("b"), Account)
        assert (str(marks.peak_equity.amount.amount), marks.peak_equity.tick) == (
            "102000.00",
            3,
        )
