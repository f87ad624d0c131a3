"""What an explanation claims is true, and it says what became of whom and why."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from application.as_of import as_of
from application.engine.asks import Ask
from application.explanation import Explanation, NotValued, explained
from domain.account.state import Status
from tests.stories.engines import (
    Desk,
    advance,
    buy,
    desk,
    gold,
    open_account,
    open_venue,
    quotes,
    sell_out,
)
from tests.stories.facts import DAILY_PAUSE, FREE_MARKETS, GOLD, MAX_LOSS, MONDAY
from tests.stories.facts import TARGET as EIGHT_PERCENT
from tests.stories.test_engine_recovery import FAULT, STORIES
from tests.stories.test_engine_timers import FIFTH_DAY, IDLE
from tests.stories.test_evidence import is_true

SECOND = timedelta(seconds=1)
BEGINNING = (open_venue(), gold("1999"))


async def explain(
    here: Desk, account_id: str, at: datetime | None = None
) -> Explanation:
    stood = await as_of(here.journal, account_id, at, lambda _: None)
    return explained(stood, "s1")


def equations(it: Explanation) -> Iterator[str]:
    if it.booked:
        yield it.balance
    yield from (held.arithmetic for held in it.positions)
    yield from it.equity
    for limit in it.limits:
        yield from limit.arithmetic


@pytest.mark.parametrize("asks", STORIES.values(), ids=STORIES)
async def test_every_line_is_true_at_every_instant(asks: list[Ask]) -> None:
    async with desk() as here:
        for ask in asks:
            await here.ask(ask)
            for venue in tuple(here.engine.venues.values()):
                for account_id in {e.stream for e in here.partition.events}:
                    if account_id.startswith("account-"):
                        name = account_id.removeprefix("account-")
                        it = await explain(here, name, venue.clock)
                        for line in equations(it):
                            assert is_true(line), line
                        assert it.balance.endswith(str(it.account.balance))


async def test_a_conversion_is_told_with_its_quote() -> None:
    async with desk() as here:
        await here.ask(
            open_venue(instruments=(GOLD, *FREE_MARKETS)),
            quotes(("USDJPY", "150.000"), ("EURJPY", "160.000")),
            open_account("a", MAX_LOSS),
            buy("a", "t1", "0.10", "EURJPY"),
            quotes(("EURJPY", "161.000")),
        )
        (held,) = (await explain(here, "a")).positions
        (leg,) = held.conversion
        assert (leg.quote.symbol, leg.divides) == ("USDJPY", True)
        assert is_true(held.arithmetic)
        assert " / 150.00" in held.arithmetic


async def test_a_pause_is_told_until_the_day_turns() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, open_account("a", DAILY_PAUSE), buy("a", "t1"))
        await here.ask(gold("1940"))
        it = await explain(here, "a")
        assert [(v.outcome, v.rules) for v in it.verdicts] == [("paused", ("pause",))]
        assert it.because[0] == "pause: was crossed, and is silent until the day turns"
        await here.ask(advance(MONDAY + timedelta(days=1)))
        assert "away" in (await explain(here, "a")).because[0]


async def test_a_pass_is_told_by_what_reached_it() -> None:
    async with desk() as here:
        account = open_account("a", MAX_LOSS, EIGHT_PERCENT)
        await here.ask(*BEGINNING, account, buy("a", "t1"), gold("2080"))
        open_still = await explain(here, "a")
        assert "target: counts once no position is open" in open_still.because
        await here.ask(sell_out("a", "t1"))
        (verdict,) = (await explain(here, "a")).verdicts
        assert (verdict.outcome, verdict.rules) == ("passed", ("target",))
        assert verdict.arithmetic == ("108000.00 >= 108000.00",)


async def test_timers_are_told_before_and_after_they_run_out() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, open_account("a", IDLE, MAX_LOSS))
        (timer,) = (await explain(here, "a")).timers
        assert (timer.kind, timer.next.strike) == ("inactivity", "warn")
        assert timer.next.at == MONDAY + timedelta(days=2, microseconds=1)
        await here.ask(advance(FIFTH_DAY + SECOND))
        found = (await explain(here, "a")).verdicts
        assert [each.outcome for each in found] == ["warned", "expired"]


async def test_what_cannot_be_valued_is_not_explained_but_others_are() -> None:
    async with desk() as here:
        with capture_logs():  # a traceback told in colour takes a second
            await here.ask(*FAULT)
        assert here.account("b").status is Status.FROZEN
        with pytest.raises(NotValued):
            await explain(here, "b", MONDAY)
        assert (await explain(here, "a", MONDAY)).account.status == "active"
