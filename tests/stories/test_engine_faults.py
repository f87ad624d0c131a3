"""What a fault in an unlucky moment must not do."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.engine import deciding
from application.engine.asks import KeyReused
from application.engine.journal import NotStored, Recorded
from application.refusals import StoreUnavailable
from domain.account import decider
from domain.account.state import Status
from infrastructure.event_store.memory import Partition
from tests.stories.challenges import EVALUATION, FUNDED
from tests.stories.engines import (
    advance,
    asking,
    buy,
    desk,
    gold,
    name,
    open_account,
    open_venue,
    remembered,
)
from tests.stories.facts import MONDAY, TRAILING
from tests.stories.test_engine_policies import FIRST, bought

BEGINNING = (open_venue(), open_account("a", TRAILING), gold("1999"), buy("a", "t1"))


async def test_ticks_that_moved_no_clock_survive_a_restart_and_a_lost_batch() -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*BEGINNING)
        await here.host.checkpoint()
        await here.ask(gold("2000"))
    async with desk(partition, ends_well=False) as again:
        assert again.engine.venues["sb-1"].shown.sequence == 2
        before = remembered(again.engine)
        again.journal.fails_next_with = NotStored()
        with pytest.raises(StoreUnavailable):
            await again.ask(gold("1998"))
        assert remembered(again.engine) == before
        await again.ask(gold("2001"))
        assert again.engine.venues["sb-1"].sequence == 3


async def test_a_peak_survives_two_restarts_with_a_checkpoint_between() -> None:
    """Nobody asked for the account in the life between, so it was never decoded."""
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*BEGINNING)
        await here.host.checkpoint()
        await here.ask(gold("2050", "2000"))
    async with desk(partition, ends_well=False) as between:
        await between.host.checkpoint()
    async with desk(partition, ends_well=False) as again:
        peak = again.account("a").marks.peak_equity
        assert (str(peak.amount.amount), peak.tick) == ("105000.00", 2)


async def test_a_policy_that_cannot_read_the_log_reads_on_when_it_can() -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*BEGINNING[:3])
        here.engine.on_commit.clear()
        await here.engine.ask(bought(EVALUATION, FUNDED))
    async with desk(partition, ends_well=False) as again:
        reads = again.journal.events

        async def lost(after: int, until: int | None = None) -> AsyncIterator[Recorded]:
            again.journal.events = reads  # type: ignore[method-assign]
            async for each in reads(after, after + 1):
                yield each
            raise ConnectionError

        again.journal.events = lost  # type: ignore[method-assign]
        await again.host.policy.settled(again.engine.head.position)
        assert again.state(f"account-{FIRST}") is not None


async def test_a_key_that_a_client_order_id_answered_is_used_up() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING[:3])
        first = buy("a", "t1")
        order = asking(first.stream, first.command, key="one", natural="order")
        await here.ask(order)
        second = replace(order, command_id=name("two"), request_hash=b"two")
        told = await here.ask(second)
        assert told.is_replayed
        again = await here.ask(second)
        assert again.body == told.body
        with pytest.raises(KeyReused):
            await here.ask(replace(second, natural_id=None, request_hash=b"other"))


async def test_a_day_that_turned_in_the_tail_is_turned_once() -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*BEGINNING, advance(MONDAY + timedelta(days=1)))
        live = remembered(here.engine)
    for _ in range(2):
        async with desk(partition, ends_well=False) as again:
            assert remembered(again.engine) == live
            await again.host.checkpoint()


async def test_an_account_freezes_with_the_marks_that_a_start_gives_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Judging raises at a new peak, then where a day of another account turns."""

    def puzzled(*_: object) -> None:
        raise ZeroDivisionError

    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*BEGINNING, open_account("b", TRAILING))
        with monkeypatch.context() as fault:
            fault.setattr(decider, "judged", puzzled)
            fault.setattr(deciding, "turn_day", puzzled)
            await here.ask(gold("2050"), advance(MONDAY + timedelta(days=1)))
        before = remembered(here.engine)
        statuses = [here.account(each).status for each in "ab"]
        assert statuses == [Status.FROZEN, Status.FROZEN]
    async with desk(partition) as again:
        assert remembered(again.engine) == before
    assert again.account("a").marks.peak_equity.tick == 2
