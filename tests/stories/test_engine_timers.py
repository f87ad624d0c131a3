"""Timers run out at their own instant, each before anything that comes later."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from application.engine.journal import NotStored
from application.refusals import StoreUnavailable
from application.replay import Report, replay
from domain.account.state import Status
from domain.challenge.decider import account_of
from domain.challenge.state import Status as ChallengeStatus
from domain.rules.inactivity import Activity, Inactivity, Since
from domain.rules.span import Span, Unit
from infrastructure.event_store.memory import MemoryJournal, Partition
from tests.stories.challenges import CHALLENGE, EVALUATION, FUNDED, draft, purchase
from tests.stories.engines import (
    advance,
    asking,
    buy,
    desk,
    gold,
    open_account,
    open_venue,
    remembered,
    sell_out,
    told,
)
from tests.stories.facts import MAX_LOSS, MONDAY, usd
from tests.stories.test_engine_time import envelope, since

IDLE = Inactivity(
    id="idle",
    activity=Activity.OPENED,
    warn=Span(Unit.ELAPSED, 2),
    after=Span(Unit.ELAPSED, 5),
    since=Since.ACTIVITY,
)
FIFTH_DAY = MONDAY + timedelta(days=5)
BEGINNING = (open_venue(), open_account("a", IDLE, MAX_LOSS), gold("1999"))


async def judged_again(partition: Partition) -> Report:
    journal = MemoryJournal(partition)
    checkpoint = await journal.latest_checkpoint()
    images = [each async for each in journal.images()]
    return await replay(journal, checkpoint, images, None, lambda _: None)


async def test_an_idle_account_is_warned_and_expires_without_a_quote() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        seen = here.partition.head.position
        answer = await here.ask(advance(FIFTH_DAY))
        assert told(answer)["boundaries"] == 5  # what runs out is no boundary
        assert here.account("a").status is Status.ACTIVE
        await here.ask(advance(FIFTH_DAY + timedelta(seconds=1)))
        assert here.account("a").status is Status.EXPIRED
        of_account = [e for e in since(here, seen) if e.stream == "account-a"]
        assert [each.name for each in of_account] == [
            "account.warned/1",
            "account.expired/1",
        ]
        warned, expired = map(envelope, of_account)
        assert warned.causation == "timer:2026-01-07T09:00:00.000001Z"
        assert expired.engine_time == FIFTH_DAY + timedelta(microseconds=1)


async def test_what_is_open_is_closed_at_the_quotes_of_that_moment() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, buy("a", "t1"), gold("2010"))
        late = MONDAY + timedelta(days=6)
        await here.ask(gold("1000", at=late))  # it would have been a breach
        assert here.account("a").balance == usd("101000.00")
        assert here.names("account-a")[-2:] == [
            "account.expired/1",
            "account.position-closed/1",
        ]


async def test_a_trade_starts_the_clock_again() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, advance(MONDAY + timedelta(days=3)))
        await here.ask(buy("a", "t1"), sell_out("a", "t1"), advance(FIFTH_DAY))
        await here.ask(advance(MONDAY + timedelta(days=8)))
        assert here.account("a").status is Status.ACTIVE
        assert here.names("account-a").count("account.warned/1") == 2


async def test_a_restart_knows_what_will_run_out_with_a_checkpoint_or_without() -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*BEGINNING, open_account("b", IDLE), buy("b", "t1"))
        await here.ask(advance(MONDAY + timedelta(days=1)))
        await here.host.checkpoint()
        await here.ask(advance(MONDAY + timedelta(days=3)))
        live = remembered(here.engine)
    async with desk(partition, ends_well=False) as again:
        assert remembered(again.engine) == live
        await again.ask(advance(FIFTH_DAY + timedelta(days=1)))
        assert again.account("a").status is again.account("b").status is Status.EXPIRED


async def test_a_batch_that_is_lost_leaves_its_timers_running() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        before, late = remembered(here.engine), advance(FIFTH_DAY + timedelta(days=1))
        here.journal.fails_next_with = NotStored()
        with pytest.raises(StoreUnavailable):
            await here.engine.ask(late)
        assert remembered(here.engine) == before
        await here.ask(late)
        assert here.account("a").status is Status.EXPIRED
        assert here.names("account-a").count("account.expired/1") == 1


async def test_judged_again_the_log_says_the_same() -> None:
    partition = Partition()
    async with desk(partition) as here:
        await here.ask(*BEGINNING, open_account("b", IDLE), buy("a", "t1"))
        for day in range(1, 9):
            at = MONDAY + timedelta(days=day)
            await here.ask(gold(str(2000 + day), at=at), advance(at))
            if day == 4:
                await here.ask(sell_out("a", "t1"), buy("b", "t2"))
    report = await judged_again(partition)
    assert report.equal, report.differences
    expired = next(e for e in partition.events if e.name == "account.expired/1")
    partition.events[expired.position - 1] = replace(
        expired, payload=expired.payload.replace(b'"tick":', b'"tick":1')
    )
    changed = await judged_again(partition)
    assert [each.recorded for each in changed.differences] == ["account.expired/1"]


async def test_a_challenge_expires_with_the_account_of_its_phase() -> None:
    phase = replace(EVALUATION, rules=(*EVALUATION.rules, IDLE))
    bought = replace(purchase(draft(phase, FUNDED)), venue_id="sb-1")
    async with desk() as here:
        await here.ask(open_venue(), asking(f"challenge-{CHALLENGE}", bought))
        await here.ask(advance(FIFTH_DAY + timedelta(hours=1)))
        challenge = here.challenge(CHALLENGE)
        assert challenge.status is ChallengeStatus.EXPIRED
        assert challenge.current.status == "expired"
        assert here.names("challenge")[-1] == "challenge.expired/1"
        account = here.account(account_of(CHALLENGE, "evaluation"))
        assert account.status is Status.EXPIRED


async def test_of_one_instant_a_boundary_comes_first() -> None:
    """Both at midnight in Prague: the day that ends may still be one that passes."""
    calendar = replace(IDLE, warn=None, after=Span(Unit.CALENDAR, 1))
    async with desk() as here:
        await here.ask(open_venue(), open_account("a", calendar))
        midnight = datetime(2026, 1, 6, 23, tzinfo=UTC)
        await here.ask(advance(midnight))
        assert here.names()[-4:] == [
            "venue.day-boundary-passed/1",
            "venue.day-boundary-passed/1",
            "account.expired/1",
            "venue.clock-advanced/1",
        ]
