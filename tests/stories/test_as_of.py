"""What an account was at an instant can be told later, and is told alike for ever."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from application import as_of as folding
from application.as_of import (
    NotHappenedYet,
    NotOpenedYet,
    Stood,
    UnknownAccount,
    as_of,
)
from application.engine.asks import Ask
from application.views.account import account_view
from domain.account.commands import OpenAccount
from domain.account.state import Account
from domain.values.trading_day import TradingDay
from tests.stories.engines import (
    SANDBOX,
    Desk,
    advance,
    buy,
    desk,
    gold,
    open_account,
    open_venue,
    quotes,
)
from tests.stories.facts import FREE_MARKETS, GOLD, MAX_LOSS, MONDAY
from tests.stories.test_engine_recovery import STORIES

SECOND = timedelta(seconds=1)


async def told(here: Desk, account_id: str, at: datetime | None) -> Stood:
    return await as_of(here.journal, account_id, at, lambda _: None)


@pytest.mark.parametrize("asks", STORIES.values(), ids=STORIES)
async def test_every_instant_is_told_as_it_was(asks: list[Ask]) -> None:
    """Each ask at an instant of its own, and what it left remembered."""
    seen: dict[datetime, dict[str, Account]] = {}
    async with desk() as here:
        await here.ask(asks[0])
        venue = here.engine.venues[SANDBOX]
        for ask in asks[1:]:
            await here.ask(advance(venue.clock + SECOND), ask)
            streams = dict(here.engine.memory.all_shown())
            accounts = (entry.state for entry in streams.values())
            seen[venue.clock] = {
                each.account_id: each for each in accounts if isinstance(each, Account)
            }
            moment = venue.shown_moment()
            for account_id, account in seen[venue.clock].items():
                stood = await told(here, account_id, venue.clock)
                now = account_view(account, moment, "s1-1", 1)
                assert account_view(stood.account, stood.moment, "s1-1", 1) == now
                assert stood == await told(here, account_id, None)
        await here.ask(advance(venue.clock + SECOND))
        for at, accounts_then in seen.items():
            for account_id, account in accounts_then.items():
                assert (await told(here, account_id, at)).account == account
                between = await told(here, account_id, at + SECOND / 2)
                assert between.account == account


async def test_other_days_and_days_after_the_end_move_nothing() -> None:
    """One turns in Prague, one in New York; the first is breached, days go on."""
    new_york = open_account("b", MAX_LOSS)
    assert isinstance(new_york.command, OpenAccount)
    phase = replace(
        new_york.command.phase, trading_day=TradingDay("America/New_York", "17:00")
    )
    new_york = replace(new_york, command=replace(new_york.command, phase=phase))
    async with desk() as here:
        await here.ask(open_venue(), open_account("a", MAX_LOSS), gold("2000"))
        await here.ask(open_account("c", MAX_LOSS))  # for whom Prague's days go on
        await here.ask(advance(MONDAY + timedelta(days=1)), new_york)
        await here.ask(buy("a", "t1"), buy("b", "t2", "0.10"))
        for day in range(2, 5):
            at = MONDAY + timedelta(days=day)
            await here.ask(advance(at), gold(str(2_100 - 100 * day)))
            for account_id in ("a", "b"):
                stood = await told(here, account_id, at)
                assert stood.account == here.account(account_id)
        assert here.account("a").is_over
        assert not here.account("b").is_over


async def test_quotes_from_before_its_opening_convert_its_gains() -> None:
    """However far back: the yen was quoted once, long before."""
    async with desk() as here:
        await here.ask(
            open_venue(instruments=(GOLD, *FREE_MARKETS)),
            quotes(("USDJPY", "150.000")),
            *(gold(str(1_900 + dollar)) for dollar in range(folding.NEAR + 50)),
            advance(MONDAY + SECOND),
            open_account("a", MAX_LOSS),
            quotes(("EURJPY", "160.000")),
            buy("a", "t1", "0.10", "EURJPY"),
            quotes(("EURJPY", "161.000")),
        )
        venue = here.engine.venues[SANDBOX]
        stood = await told(here, "a", venue.clock)
        market = venue.shown_moment().market
        assert stood.account == here.account("a")
        equity = stood.account.equity(stood.moment.market)
        assert equity == here.account("a").equity(market)


async def test_what_was_not_yet_and_what_never_was_cannot_be_told() -> None:
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"), advance(MONDAY + SECOND))
        await here.ask(open_account("a", MAX_LOSS), buy("a", "t1"))
        with pytest.raises(UnknownAccount):
            await told(here, "nobody", None)
        with pytest.raises(NotOpenedYet) as early:
            await told(here, "a", MONDAY)
        assert early.value.opened_at == MONDAY + SECOND
        with pytest.raises(NotHappenedYet) as late:
            await told(here, "a", MONDAY + 2 * SECOND)
        assert late.value.ends_at == MONDAY + SECOND
        await here.ask(advance(MONDAY + 3 * SECOND))
        stood = await told(here, "a", MONDAY + 2 * SECOND)
        assert stood.account == here.account("a")
