"""A source that goes on failing is believed no more: nobody is judged by its price."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.engine.asks import Answer, Ask
from application.replay import replay
from domain.account.state import Status
from domain.rules.limit import Evaluated
from domain.venue.commands import ReleaseSymbol
from domain.venue.gate import PERSISTENT, SANDBOX_FULL_GATE
from tests.stories.engines import (
    SANDBOX,
    Desk,
    advance,
    asking,
    buy,
    desk,
    gold,
    open_account,
    open_venue,
    quotes,
    remembered,
    sell_out,
    told,
)
from tests.stories.facts import DAILY_LOSS, MAX_LOSS, MONDAY

SECOND = timedelta(seconds=1)
QUARANTINED = "venue.symbol-quarantined/1"


def venue() -> Ask:
    return open_venue(gate=SANDBOX_FULL_GATE)


def faults(many: int) -> Ask:
    """Zeroes instead of a price."""
    return gold(*["0"] * many)


def release(reason: str = "the feed is right") -> Ask:
    command = ReleaseSymbol(venue_id=SANDBOX, symbol="XAUUSD", reason=reason)
    return asking(f"venue-{SANDBOX}", command)


async def broken(here: Desk) -> Answer:
    """Gold at 1999, one lot bought at 2000, and then no price any more."""
    await here.ask(
        venue(),
        gold("1999"),
        quotes(("EURUSD", "1.1")),
        open_account("a", MAX_LOSS, DAILY_LOSS),
        buy("a", "gold"),
    )
    return await here.ask(faults(PERSISTENT))


async def test_so_many_faults_in_a_row_are_a_quarantine_with_an_event() -> None:
    async with desk() as here:
        await here.ask(venue(), gold("1999"), faults(PERSISTENT - 1))
        assert QUARANTINED not in here.names()
        await here.ask(faults(1), faults(5))
        assert here.names().count(QUARANTINED) == 1


async def test_one_good_quote_between_them_and_there_is_none() -> None:
    async with desk() as here:
        await here.ask(venue(), gold("1999"), faults(PERSISTENT - 1))
        await here.ask(gold("1998"), faults(PERSISTENT - 1))
        assert QUARANTINED not in here.names()


async def test_what_is_said_twice_or_out_of_hours_is_no_fault() -> None:
    async with desk() as here:
        await here.ask(venue(), gold("1999"), gold(*["1999"] * PERSISTENT * 2))
        assert QUARANTINED not in here.names()


async def test_a_verdict_waits_for_the_next_quote_that_is_believed() -> None:
    """The floor is lost while the price is in doubt, by another symbol's tick."""
    async with desk() as here:
        await here.ask(
            venue(),
            gold("1999", at=MONDAY),
            quotes(("EURUSD", "1.1"), at=MONDAY),
            open_account("a", MAX_LOSS),
            buy("a", "gold", "2.00"),
            buy("a", "euro", "2.00", symbol="EURUSD"),
        )
        await here.ask(faults(PERSISTENT))
        late = MONDAY + timedelta(hours=2)
        await here.ask(quotes(("EURUSD", "1.04"), at=late))  # 12,000 of loss
        assert here.account("a").status is Status.ACTIVE
        await here.ask(gold("1999", at=late + SECOND))
        assert here.account("a").status is Status.BREACHED


async def test_no_trade_is_opened_or_closed_at_a_price_in_doubt() -> None:
    async with desk() as here:
        await broken(here)
        for ask in (buy("a", "more"), sell_out("a", "gold")):
            answer = await here.ask(ask)
            assert answer.is_refused
            assert told(answer)["code"] == "quote-stale"
        await here.ask(gold("1998"))
        assert not (await here.ask(sell_out("a", "gold"))).is_refused


async def test_a_day_turns_and_its_verdict_waits() -> None:
    """The closing equity was below the floor; the price that says so is in doubt."""
    at_close = replace(MAX_LOSS, evaluated=Evaluated.END_OF_DAY)
    async with desk() as here:
        await here.ask(
            venue(),
            gold("1999", at=MONDAY),
            open_account("a", at_close),
            buy("a", "gold", "2.00"),
            gold("1940", at=MONDAY + timedelta(minutes=30)),
        )
        await here.ask(faults(PERSISTENT), advance(MONDAY + timedelta(days=1)))
        assert here.account("a").status is Status.ACTIVE
        assert here.account("a").marks.day_equity.at > MONDAY


async def test_the_next_accepted_quote_ends_it() -> None:
    async with desk() as here:
        await broken(here)
        engine_venue = here.engine.venues[SANDBOX]
        assert engine_venue.suspended == {"XAUUSD"}
        await here.ask(gold("1998"))
        assert engine_venue.suspended == frozenset()


async def test_an_operator_has_the_next_quote_believed_and_says_why() -> None:
    """The market has really gone, in steps that the gate took for spikes."""
    async with desk() as here:
        await broken(here)
        (far,) = told(await here.ask(gold("1500")))["results"]
        assert far["reason"] == "spike"
        answer = told(await here.ask(release("confirmed by two other sources")))
        assert answer["reason"] == "confirmed by two other sources"
        (far,) = told(await here.ask(gold("1500")))["results"]
        assert far["accepted"]
        assert here.engine.venues[SANDBOX].suspended == frozenset()
        assert here.account("a").status is Status.BREACHED
        assert "venue.symbol-released/1" in here.names()


async def test_what_is_believed_cannot_be_released() -> None:
    async with desk() as here:
        await here.ask(venue(), gold("1999"))
        answer = await here.ask(release())
        assert told(answer)["code"] == "symbol-not-quarantined"


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("more", [0, 3])
async def test_a_restart_and_a_replay_know_it_again(
    released: bool,  # noqa: FBT001 - a parameter of the test
    more: int,
) -> None:
    async with desk() as here:
        await broken(here)
        if released:
            await here.ask(release())
        if more:
            await here.ask(advance(MONDAY + SECOND), faults(more))
        before = remembered(here.engine)
    for ends_well in (True, False):
        async with desk(here.partition, ends_well=ends_well) as again:
            assert again.engine.venues[SANDBOX].suspended == {"XAUUSD"}
            assert remembered(again.engine)["venues"] == before["venues"]
            await again.host.checkpoint()
            images = list(again.partition.images.values())
            report = await replay(
                again.journal, again.partition.checkpoint, images, None, lambda _: None
            )
            assert report.differences == ()


async def test_a_restart_from_the_log_alone_counts_the_same_faults() -> None:
    async with desk() as here:
        await here.ask(venue(), gold("1999"), faults(PERSISTENT - 1))
    here.partition.checkpoint = None
    here.partition.images.clear()
    async with desk(here.partition) as again:
        await again.ask(faults(1))
        assert again.names().count(QUARANTINED) == 1
