"""Orders outlive the engine: a start knows them, a replay fills them again, alike."""

from decimal import Decimal

import pytest

from application.engine import start
from application.replay import replay
from infrastructure.event_store.memory import MemoryJournal, Partition
from tests.stories.engines import desk, gold, remembered, told
from tests.stories.order_days import BEGINNING, ENTRIES, ORDER_DAYS, TRAILS, of
from tests.stories.orders import buy_limit, cancel


@pytest.mark.parametrize("day", ORDER_DAYS)
async def test_whatever_is_asked_on_these_days_is_decided(day: str) -> None:
    async with desk() as here:
        for ask in ORDER_DAYS[day]:
            answer = await here.ask(ask)
            assert not answer.is_refused, (ask.command, told(answer))


@pytest.mark.parametrize("day", ORDER_DAYS)
async def test_a_replay_fills_the_same_orders_at_the_same_prices(day: str) -> None:
    partition = Partition()
    async with desk(partition) as here:
        await here.ask(*ORDER_DAYS[day])
    journal = MemoryJournal(partition)
    checkpoint = await journal.latest_checkpoint()
    images = [each async for each in journal.images()]
    report = await replay(journal, checkpoint, images, None, lambda _: None)
    assert report.equal, report.differences


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("day", ORDER_DAYS)
async def test_marks_rise_after_the_fills_of_a_tick_in_a_start_too(
    day: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "MOST_KEPT", most)
    for checkpoint_after in range(-1, len(ORDER_DAYS[day])):
        partition = Partition()
        async with desk(partition, ends_well=False) as here:
            for number, ask in enumerate(ORDER_DAYS[day]):
                await here.ask(ask)
                if number == checkpoint_after:
                    await here.host.checkpoint()
            live = remembered(here.engine)
        async with desk(partition, ends_well=False) as again:
            assert remembered(again.engine) == live, checkpoint_after


async def test_an_entry_raises_no_mark_by_what_its_spread_has_taken_away() -> None:
    """Equity would have stood at 101,215 if nothing had filled at its best quote."""
    async with desk() as here:
        await here.ask(*ENTRIES[:8])
        peak = here.account("a").marks.peak_equity
        assert (str(peak.amount.amount), peak.tick) == ("101095.00", 4)


async def test_who_only_waits_is_touched_by_quotes_and_asked_for_by_its_order() -> None:
    partition = Partition()
    async with desk(partition) as here:
        await here.ask(*BEGINNING, of("a", buy_limit("1990.00", name="o1")))
        assert here.engine.venues["sb-1"].screen.exposed == 1
        assert here.engine.deciding.trades == {"o1": "a"}
    async with desk(partition) as again:
        assert again.engine.memory.is_shelved("account-a")
        assert again.engine.deciding.trades == {"o1": "a"}
        await again.ask(gold("1989"))
        assert [each.order_id for each in again.account("a").positions] == ["o1"]
        assert again.engine.deciding.trades == {"trade-of-o1": "a"}


async def test_a_cancelled_order_is_asked_for_no_more() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, of("a", buy_limit("1990.00", name="o1")))
        await here.ask(of("a", cancel("o1")))
        assert here.engine.deciding.trades == {}
        assert here.engine.venues["sb-1"].screen.exposed == 0


async def test_a_trailing_stop_follows_every_tick_and_is_told_of_by_none() -> None:
    async with desk() as here:
        await here.ask(*TRAILS[:5])
        before = here.names("account-a")
        await here.ask(gold("2010", "2009"))
        (held,) = here.account("a").positions
        assert held.stop_loss == Decimal(2005)
        assert here.names("account-a") == before
