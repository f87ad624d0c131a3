"""A batch is decided on the one before it, which may yet come to nothing."""

import asyncio
from collections.abc import Callable, Sequence
from unittest.mock import patch
from uuid import UUID

import pytest
from msgspec import json
from msgspec.structs import replace

from application.engine import kept
from application.engine.asks import Answer, Ask, Poisoned, Refusal
from application.engine.draft import Draft
from application.engine.journal import Batch, NotStored, Receipt, Rejected
from application.refusals import StoreUnavailable
from tests.stories.engines import (
    Desk,
    buy,
    desk,
    gold,
    name,
    open_account,
    open_venue,
    remembered,
    sell_out,
)
from tests.stories.facts import MAX_LOSS

BEGINNING = (open_venue(), open_account("a", MAX_LOSS), gold("1999"))


class Disk:
    """Takes its time over one batch, and may then refuse it."""

    def __init__(self, here: Desk) -> None:
        self.here = here
        self._reached, self._go_on = asyncio.Event(), asyncio.Event()
        self.fault: Exception | None = None
        here.journal.before_commit = self._hold

    async def _hold(self, batch: Batch) -> None:
        self.here.journal.before_commit = None
        self._reached.set()
        await self._go_on.wait()
        if self.fault is not None:
            raise self.fault

    async def is_writing(self) -> None:
        await self._reached.wait()

    def go_on(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self._go_on.set()


async def sent(here: Desk, *asks: Ask) -> list[asyncio.Task[Answer]]:
    """Ask, and let the engine decide as far as it can before the disk answers."""
    tasks = [asyncio.create_task(here.ask(each)) for each in asks]
    for _ in range(20):
        await asyncio.sleep(0)
    return tasks


async def test_what_is_on_its_way_to_the_disk_can_be_built_upon() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        disk = Disk(here)
        first = await sent(here, buy("a", "t1"))
        await disk.is_writing()
        then = await sent(here, sell_out("a", "t1"), sell_out("a", "t1"))
        assert here.account("a").positions == ()  # nothing is shown yet
        assert not any(each.done() for each in (*first, *then))
        disk.go_on()
        answers = await asyncio.gather(*first, *then)
        assert [each.status for each in answers] == [201, 200, 409]
        assert here.account("a").positions == ()


async def test_what_was_built_upon_nothing_is_decided_again() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        before = remembered(here.engine)
        disk = Disk(here)
        first = await sent(here, buy("a", "t1"))
        await disk.is_writing()
        then = await sent(here, sell_out("a", "t1"))
        disk.go_on(NotStored())
        with pytest.raises(StoreUnavailable):
            await first[0]
        refused = await then[0]
        assert json.decode(refused.body, type=Refusal).code == "trade-not-open"
        assert remembered(here.engine) == before


async def test_a_quote_on_its_way_counts_and_one_that_is_lost_does_not() -> None:
    for fault, price in ((None, "2501.00"), (NotStored(), "2000.00")):
        async with desk() as here:
            await here.ask(*BEGINNING)
            disk = Disk(here)
            quoted = await sent(here, gold("2500"))
            await disk.is_writing()
            bought = await sent(here, buy("a", "t1"))
            disk.go_on(fault)
            await asyncio.gather(*quoted, *bought, return_exceptions=True)
            (held,) = here.account("a").positions
            assert str(held.open_price) == price
            assert here.engine.venues["sb-1"].shown.sequence == held.quote.sequence


async def test_a_repeat_of_what_is_on_its_way_waits_and_is_answered_alike() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        disk = Disk(here)
        first = await sent(here, keyed("k", "t1"))
        await disk.is_writing()
        again = await sent(here, keyed("k", "t2"))
        disk.go_on()
        one, two = await asyncio.gather(*first, *again)
        assert (two.body, two.is_replayed) == (one.body, True)
        assert len(here.account("a").positions) == 1


@pytest.mark.parametrize("fault", [Rejected, RuntimeError])
async def test_a_batch_that_is_refused_is_redone_before_the_one_built_upon_it(
    fault: type[Exception],
) -> None:
    """The disk refuses it once; by itself each command of it is taken."""
    async with desk() as here:
        await here.ask(*BEGINNING)
        disk = Disk(here)
        first = await sent(here, buy("a", "t1"), buy("a", "t2"))
        await disk.is_writing()
        then = await sent(here, sell_out("a", "t1"))
        disk.go_on(fault())
        answers = await asyncio.gather(*first, *then)
        assert [each.status for each in answers] == [201, 201, 200]
        assert [each.trade_id for each in here.account("a").positions] == ["t2"]


async def test_a_poison_behind_a_batch_on_its_way_is_found_and_that_one_stands() -> (
    None
):
    async with desk() as here:
        await here.ask(*BEGINNING)
        disk = Disk(here)
        first = await sent(here, buy("a", "t1"))
        await disk.is_writing()
        with patch.object(here.engine.deciding, "decide", raising_at("t3", here)):
            asks = (buy("a", "t2"), buy("a", "t3"), buy("a", "t4"))
            then = await sent(here, *asks)
            disk.go_on()
            await asyncio.gather(*first, *then, return_exceptions=True)
        assert (await first[0]).status == 201
        outcomes = [each.exception() and type(each.exception()) for each in then]
        assert outcomes == [None, Poisoned, None]
        held = [each.trade_id for each in here.account("a").positions]
        assert held == ["t1", "t2", "t4"]


def keyed(key: str, trade_id: str) -> Ask:
    """Two of one key have the same body, so the same hash."""
    return replace(buy("a", trade_id), command_id=name(key))


def raising_at(trade_id: str, here: Desk) -> Callable[..., Answer]:
    decide = here.engine.deciding.decide

    def raises(ask: Ask, draft: Draft) -> Answer:
        if getattr(ask.command, "trade_id", None) == trade_id:
            raise ZeroDivisionError
        return decide(ask, draft)

    return raises


async def test_a_repeat_that_nobody_remembers_is_refused_by_the_log_and_found() -> None:
    """Without asking the log first: its refusal says that there is an answer."""
    with patch.object(kept, "AT_HAND", 1), patch.object(kept, "WARY_BATCHES", 0):
        async with desk() as here:
            await here.ask(*BEGINNING)
            first = await here.ask(keyed("k", "t1"))
            await here.ask(keyed("l", "t2"), keyed("m", "t3"))
            read = reading(here)
            again = await asyncio.gather(
                here.ask(keyed("k", "t4")), here.ask(keyed("n", "t5"))
            )
            assert read  # only now
            assert (again[0].body, again[0].is_replayed) == (first.body, True)
            held = [each.trade_id for each in here.account("a").positions]
            assert held == ["t1", "t2", "t3", "t5"]


def reading(here: Desk) -> list[object]:
    """Note what is looked up from here on."""
    looked_up: list[object] = []
    receipts = here.journal.receipts

    async def noted(command_ids: Sequence[UUID]) -> dict[UUID, Receipt]:
        looked_up.append(command_ids)
        return await receipts(command_ids)

    here.journal.receipts = noted  # type: ignore[method-assign]  # a spy
    return looked_up
