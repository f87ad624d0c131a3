"""What a symbol is specified as changes by an event; what is open keeps what it has."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from application.engine.asks import Ask
from application.engine.venue import Venue
from application.replay import replay
from domain.values.instrument import Instrument, Rights
from domain.venue.commands import SpecifyInstrument
from tests.stories.engines import (
    SANDBOX,
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
from tests.stories.facts import FREE_MARKETS, GOLD, MAX_LOSS, MONDAY

HOUR = timedelta(hours=1)
LOONIE = replace(
    next(each for each in FREE_MARKETS if each.symbol == "USDCHF"),
    symbol="USDCAD",
    currency="CAD",
)
SWISS = replace(GOLD, symbol="XAUCHF", currency="CHF")


def specify(instrument: Instrument, since: Any = UNSET) -> Ask:
    command = SpecifyInstrument(
        venue_id=SANDBOX,
        instrument=instrument,
        reason="as announced",
        effective_from=None if since is UNSET else since,
    )
    return asking(f"venue-{SANDBOX}", command)


async def test_a_change_is_a_version_more_and_fills_cite_it() -> None:
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"), open_account("a", MAX_LOSS))
        await here.ask(buy("a", "old"))
        answer = await here.ask(specify(replace(GOLD, leverage=10)))
        assert told(answer)["instrument"]["version"] == 2
        await here.ask(buy("a", "new"))
        old, new = here.account("a").positions
        assert (old.specification, new.specification) == (1, 2)
        assert old.margin.amount * 2 == new.margin.amount


async def test_what_is_open_keeps_what_it_was_opened_with() -> None:
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"), open_account("a", MAX_LOSS))
        await here.ask(buy("a", "old"))
        await here.ask(specify(replace(GOLD, contract_size=Decimal(10))))
        await here.ask(gold("2010"))
        closed = told(await here.ask(sell_out("a", "old")))
        assert closed["profit"] == "1000.00"  # 100 ounces, 10 dollars


async def test_a_change_takes_effect_when_it_was_announced_for() -> None:
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"), open_account("a", MAX_LOSS))
        await here.ask(specify(replace(GOLD, leverage=10), MONDAY + HOUR))
        await here.ask(advance(MONDAY + HOUR - timedelta(microseconds=1)))
        await here.ask(buy("a", "before"))
        await here.ask(advance(MONDAY + HOUR))
        await here.ask(buy("a", "after"))
        versions = [each.specification for each in here.account("a").positions]
        assert versions == [1, 2]


async def test_nothing_takes_effect_in_the_past_or_before_what_is_announced() -> None:
    async with desk() as here:
        await here.ask(open_venue())
        past = await here.ask(specify(GOLD, MONDAY - HOUR))
        assert told(past)["code"] == "effective-in-the-past"
        await here.ask(specify(GOLD, MONDAY + 2 * HOUR))
        before = await here.ask(specify(GOLD, MONDAY + HOUR))
        assert told(before)["code"] == "instrument-change-pending"


async def test_what_ticks_and_positions_are_written_in_is_fixed() -> None:
    async with desk() as here:
        await here.ask(open_venue())
        for other in (
            replace(GOLD, digits=3),
            replace(GOLD, currency="EUR"),
            replace(GOLD, base="XAG"),
            replace(GOLD, quantity_step=Decimal("0.1"), quantity_min=Decimal("0.1")),
        ):
            answer = await here.ask(specify(other))
            assert told(answer)["code"] == "instrument-fixed"


async def test_a_new_symbol_is_quoted_and_traded_and_converts_what_had_no_way() -> None:
    async with desk() as here:
        await here.ask(open_venue(), open_account("a", MAX_LOSS))
        (unknown,) = told(await here.ask(quotes(("USDCAD", "1.35"))))["results"]
        assert unknown["reason"] == "unknown-symbol"
        await here.ask(specify(LOONIE), quotes(("USDCAD", "1.35000")))
        assert not (await here.ask(buy("a", "cad", symbol="USDCAD"))).is_refused


async def test_a_new_symbol_leaves_the_ways_between_currencies_as_they_are() -> None:
    async with desk() as here:
        await here.ask(open_venue())
        before = here.engine.venues[SANDBOX].market.path("JPY", "CHF")
        cross = replace(LOONIE, symbol="CHFJPY", base="CHF", currency="JPY", digits=3)
        await here.ask(specify(cross))
        assert here.engine.venues[SANDBOX].market.path("JPY", "CHF") == before


async def test_close_only_opens_nothing_and_disabled_nothing_at_all() -> None:
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"), open_account("a", MAX_LOSS))
        await here.ask(buy("a", "one"), buy("a", "two"))
        await here.ask(specify(replace(GOLD, rights=Rights.CLOSE_ONLY)))
        assert told(await here.ask(buy("a", "more")))["code"] == "symbol-close-only"
        assert not (await here.ask(sell_out("a", "one"))).is_refused
        await here.ask(specify(replace(GOLD, rights=Rights.DISABLED)))
        for ask in (buy("a", "more"), sell_out("a", "two")):
            assert told(await here.ask(ask))["code"] == "symbol-disabled"


async def test_the_house_still_closes_what_is_disabled() -> None:
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"), open_account("a", MAX_LOSS))
        await here.ask(buy("a", "gold"))
        await here.ask(specify(replace(GOLD, rights=Rights.DISABLED)))
        await here.ask(gold("1800"))
        assert here.account("a").positions == ()


async def test_a_restart_and_a_replay_know_every_version_again() -> None:
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"), open_account("a", MAX_LOSS))
        await here.ask(specify(replace(GOLD, leverage=10)), specify(LOONIE))
        await here.ask(specify(replace(GOLD, leverage=5), MONDAY + HOUR))
        await here.ask(buy("a", "second"), quotes(("USDCAD", "1.35000")))
        await here.ask(gold("1999", at=MONDAY + 2 * HOUR), buy("a", "third"))
        await here.ask(specify(replace(LOONIE, leverage=20), MONDAY + 9 * HOUR))
        before, listed = remembered(here.engine), listing(here.engine.venues[SANDBOX])
    for forgets in (False, True):
        if forgets:
            here.partition.checkpoint = None
            here.partition.images.clear()
        async with desk(here.partition, ends_well=forgets) as again:
            assert remembered(again.engine) == before
            assert listing(again.engine.venues[SANDBOX]) == listed
            await again.host.checkpoint()
            images = list(again.partition.images.values())
            report = await replay(
                again.journal, again.partition.checkpoint, images, None, lambda _: None
            )
            assert report.differences == ()


def listing(venue: Venue) -> object:
    return dict(venue.instruments), venue.upcoming, venue.specified
