"""One sequence: what is due comes first, and no venue's time ever goes back."""

from datetime import timedelta

import msgspec
from msgspec.structs import replace

from application.engine.envelope import Envelope
from application.engine.journal import Recorded
from domain.rules.daily_loss import DayAnchor
from domain.venue.events import FeedGap
from tests.stories.engines import (
    Desk,
    advance,
    buy,
    desk,
    gold,
    open_account,
    open_live,
    open_venue,
    told,
)
from tests.stories.facts import DAILY_LOSS, DAILY_PAUSE, MAX_LOSS, MONDAY

MIDNIGHT = MONDAY.replace(hour=23)  # in Prague
BY_EQUITY = replace(DAILY_LOSS, measured_from=DayAnchor.EQUITY)
BEGINNING = (open_venue(), open_account("a", BY_EQUITY), gold("1999"), buy("a", "t1"))


def envelope(event: Recorded) -> Envelope:
    return msgspec.json.decode(event.envelope, type=Envelope)


def since(here: Desk, position: int) -> list[Recorded]:
    return here.partition.events[position:]


async def test_a_boundary_comes_before_the_quote_of_its_very_instant() -> None:
    """Equity of 103,000 anchors the new day; 97,999 is judged against it."""
    async with desk() as here:
        await here.ask(*BEGINNING, gold("2030"))
        seen = here.partition.head.position
        await here.ask(gold("1979.99", at=MIDNIGHT))
        day, breach, fill = since(here, seen)
        assert (day.name, breach.name, fill.name) == (
            "venue.day-boundary-passed/1",
            "account.rule-breached/1",
            "account.position-closed/1",
        )
        assert (envelope(day).as_of_tick, envelope(breach).as_of_tick) == (2, 3)
        assert envelope(day).causation == "boundary:2026-01-05T23:00Z"
        assert envelope(breach).causation == "tick:3"
        assert b'"98000.00"' in breach.payload


async def test_a_microsecond_earlier_belongs_to_the_old_day() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, gold("2030"))
        just = MIDNIGHT - timedelta(microseconds=1)
        await here.ask(gold("1979.99", at=just))
        assert here.names()[-1] != "account.position-closed/1"


async def test_advancing_the_clock_judges_every_boundary_on_the_way() -> None:
    async with desk() as here:
        answer = await here.ask(*BEGINNING, advance(MONDAY + timedelta(days=3)))
        assert told(answer)["boundaries"] == 3
        assert here.names("venue").count("venue.day-boundary-passed/1") == 3
        assert here.account("a").marks.day_equity.at == MIDNIGHT + timedelta(days=2)


async def test_accounts_of_one_trading_day_turn_together_once() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, open_account("b", DAILY_PAUSE), advance(MIDNIGHT))
        assert here.names("venue").count("venue.day-boundary-passed/1") == 1
        days = {here.account(each).marks.day_equity.at for each in "ab"}
        assert days == {MIDNIGHT}


async def test_a_clock_is_never_turned_back() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, advance(MIDNIGHT))
        refused = await here.ask(advance(MONDAY))
        assert told(refused)["code"] == "clock-backwards"
        late = await here.ask(gold("1990", at=MONDAY))
        assert told(late)["results"][0]["reason"] == "late"
        assert here.engine.venues["sb-1"].clock == MIDNIGHT


async def test_the_machines_clock_may_jump_back_the_venues_does_not() -> None:
    async with desk() as here:
        account = open_account("a", MAX_LOSS, venue_id="live")
        await here.ask(open_live(), account, gold("1999", venue_id="live"))
        here.clock.at = MONDAY + timedelta(seconds=5)
        await here.ask(buy("a", "t1"))
        here.clock.at = MONDAY + timedelta(seconds=1)
        await here.ask(buy("a", "t2"))
        times = [envelope(each).engine_time for each in here.partition.events]
        assert times == sorted(times)
        assert here.account("a").positions[-1].opened_at == MONDAY + timedelta(
            seconds=5
        )


async def test_a_live_boundary_is_passed_by_whatever_is_sequenced_next() -> None:
    async with desk() as here:
        account = open_account("a", BY_EQUITY, venue_id="live")
        await here.ask(open_live(), account, gold("1999", venue_id="live"))
        await here.ask(buy("a", "t1"))
        here.clock.at = MIDNIGHT
        await here.ask(buy("a", "t2"))
        assert here.names()[-2:] == [
            "venue.day-boundary-passed/1",
            "account.position-opened/1",
        ]
        here.clock.at = MIDNIGHT + timedelta(days=1)
        await here.ask(advance(MONDAY, venue_id="live"))
        assert here.names()[-1] == "venue.day-boundary-passed/1"


async def test_two_venues_of_one_partition_do_not_disturb_each_other() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        await here.ask(
            open_venue("sb-2"),
            open_account("z", BY_EQUITY, venue_id="sb-2"),
            gold("1000", venue_id="sb-2"),
            buy("z", "t2"),
            advance(MONDAY + timedelta(days=9), venue_id="sb-2"),
            gold("10", venue_id="sb-2"),
        )
        first, second = (here.engine.venues[each] for each in ("sb-1", "sb-2"))
        assert (first.clock, first.sequence) == (MONDAY, 1)
        assert second.sequence == 2
        assert not here.account("a").is_over
        assert here.account("z").is_over
        await here.ask(gold("2001"))
        assert first.sequence == 2
        blocks = here.partition.tick_blocks
        assert [each.number for each in blocks["sb-1"]] == [1, 2]
        assert [each.number for each in blocks["sb-2"]] == [1, 2]


async def test_a_venue_is_opened_once() -> None:
    async with desk() as here:
        refused = await here.ask(open_venue(), open_venue())
        assert told(refused)["code"] == "venue-known"


async def test_a_live_market_that_was_silent_leaves_a_gap_in_the_log() -> None:
    async with desk() as here:
        await here.ask(open_live(), gold("1999", venue_id="live"))
        here.clock.at = MONDAY + timedelta(seconds=2)
        await here.ask(gold("2000", venue_id="live"))
        assert "venue.feed-gap/1" not in here.names()
        here.clock.at = MONDAY + timedelta(seconds=32)
        await here.ask(gold("2001", venue_id="live"))
        gap = msgspec.json.decode(here.partition.events[-1].payload, type=FeedGap)
        assert (gap.since, gap.at) == (
            MONDAY + timedelta(seconds=2),
            MONDAY + timedelta(seconds=32),
        )
        assert gap.tick == here.engine.venues["live"].sequence - 1


async def test_a_sandbox_may_be_silent_for_as_long_as_its_owner_likes() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, advance(MONDAY + timedelta(hours=1)), gold("2000"))
        assert "venue.feed-gap/1" not in here.names()
