"""Swap, calls and netted deals come back from any checkpoint, and replay the same."""

import random
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from application.engine.asks import Ask
from domain.account.commands import OpenAccount
from domain.rules.phase import Rule
from domain.rules.trading_terms import (
    HOUSE_STANDARD,
    Book,
    CommissionDue,
    Latency,
    NegativeBalance,
    Slippage,
    SwapDue,
    TradingTerms,
)
from domain.values.instrument import Tier
from domain.values.quote import Side
from domain.values.trading_day import TradingDay
from infrastructure.event_store.memory import Partition
from tests.stories.engines import (
    advance,
    asking,
    desk,
    gold,
    open_account,
    open_venue,
    quotes,
    remembered,
    sell_out,
)
from tests.stories.facts import DAILY_PAUSE, FREE_MARKETS, GOLD, MAX_LOSS, MONDAY, trade
from tests.stories.test_bridge import replayed

NEW_YORK = TradingDay("America/New_York", "17:00")
COSTLY_GOLD = replace(
    GOLD,
    commission_per_lot=Decimal("6.97"),
    swap_long=Decimal("-34.15"),
    swap_short=Decimal("18.55"),
    rollover=NEW_YORK,
    triple_swap_on="Wed",
    tiers=(Tier(above=Decimal(2), leverage=10),),
)
COSTLY_EURO = replace(
    FREE_MARKETS[0],
    commission_per_lot=Decimal("7.00"),
    swap_long=Decimal("-6.50"),
)
NETTING = replace(HOUSE_STANDARD, book=Book.NETTING)
ALL_OTHER = replace(
    NETTING,
    commission=CommissionDue.ON_CLOSE,
    swap=SwapDue.ACCRUED,
    negative_balance=NegativeBalance.ZERO,
    slippage=Slippage(seed=3, weights=(5, 3, 1)),
    latency=Latency(seed=3, at_least=1, at_most=90),
)
VENUE = open_venue(instruments=(COSTLY_GOLD, COSTLY_EURO, *FREE_MARKETS[1:4]))


def on_terms(
    account_id: str, terms: TradingTerms, *rules: Rule, deposit: str = "100000.00"
) -> Ask:
    ask = open_account(account_id, *rules, deposit=deposit)
    assert isinstance(ask.command, OpenAccount)
    phase = replace(ask.command.phase, trading=terms)
    return replace(ask, command=replace(ask.command, phase=phase))


def deal(
    account_id: str, name: str, side: Side, lots: str, symbol: str = "XAUUSD"
) -> Ask:
    return asking(f"account-{account_id}", trade(side, lots, symbol, trade_id=name))


BUY, SELL = Side.BUY, Side.SELL
BEGINNING = (
    VENUE,
    on_terms("a", HOUSE_STANDARD, MAX_LOSS),
    on_terms("b", NETTING, DAILY_PAUSE),
    on_terms("c", ALL_OTHER, deposit="30000.00"),
    quotes(("XAUUSD", "1999"), ("EURUSD", "1.10000")),
)
NIGHTS = [
    *BEGINNING,
    deal("a", "a1", BUY, "1.00"),
    deal("a", "a2", SELL, "0.40", "EURUSD"),
    deal("c", "c1", SELL, "0.50"),
    advance(MONDAY + timedelta(days=1)),
    gold("2003", at=MONDAY + timedelta(days=1, hours=1)),
    sell_out("a", "a1", "0.30"),
    advance(MONDAY + timedelta(days=5)),
    gold("2010", at=MONDAY + timedelta(days=5, hours=3)),
    sell_out("a", "a1"),
    sell_out("c", "c1", "0.10"),
]
NETTED = [
    *BEGINNING,
    deal("b", "b1", BUY, "1.00"),
    gold("2005"),
    deal("b", "b2", BUY, "0.33"),
    gold("2001"),
    deal("b", "b3", SELL, "0.50"),
    deal("b", "b4", SELL, "2.00"),
    deal("c", "c1", BUY, "0.40"),
    deal("c", "c2", SELL, "0.90"),
    advance(MONDAY + timedelta(days=3)),
    gold("1990"),
]
STOPPED = [
    *BEGINNING,
    deal("c", "c1", BUY, "2.00"),
    deal("c", "c2", BUY, "1.00", "EURUSD"),
    gold("1970"),
    gold("1985"),
    gold("1970", "1930", "1985", "1930", "1700"),
    gold("1850", at=MONDAY + timedelta(days=1)),
]
STORIES = {"nights": NIGHTS, "netted": NETTED, "stopped": STOPPED}


async def live_again_and_replayed(
    asks: Sequence[Ask], checkpoint_after: int | None
) -> list[str]:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        for number, each in enumerate(asks):
            await here.ask(each)
            if number == checkpoint_after:
                await here.host.checkpoint()
        live = remembered(here.engine)
    async with desk(partition) as again:
        assert remembered(again.engine) == live
    report = await replayed(partition)
    assert report.equal, report.differences
    return [each.name for each in partition.events]


@pytest.mark.parametrize("story", STORIES)
async def test_from_a_checkpoint_taken_anywhere(story: str) -> None:
    for number in (None, *range(len(STORIES[story]))):
        await live_again_and_replayed(STORIES[story], number)


async def test_the_stories_tell_what_they_are_for() -> None:
    nights = await live_again_and_replayed(NIGHTS, None)
    assert nights.count("account.swap-posted/1") == 5
    assert nights.count("account.swap-accrued/1") == 5
    netted = await live_again_and_replayed(NETTED, None)
    assert netted.count("account.position-increased/1") == 1
    assert netted.count("account.position-opened/1") == 4
    assert netted.count("account.position-closed/1") == 3
    stopped = await live_again_and_replayed(STOPPED, None)
    assert stopped.count("account.margin-called/1") == 2
    assert stopped.count("account.margin-restored/1") == 2
    assert stopped.count("account.negative-balance-cleared/1") == 1


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_traded(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a story, not a secret
    asks, at, price = [*BEGINNING], MONDAY, Decimal(1999)
    for number in range(60):
        at += timedelta(minutes=draw.choice((1, 30, 600)))
        price += draw.randint(-40, 40)
        asks.append(gold(str(price), at=at))
        account = draw.choice("abc")
        side, lots = draw.choice((BUY, SELL)), str(Decimal(draw.randint(1, 150)) / 100)
        if draw.random() < 0.3:
            back = draw.randint(0, number)
            asks.append(sell_out(account, f"{account}{back}", "0.01"))
        else:
            asks.append(deal(account, f"{account}{number}", side, lots))
    await live_again_and_replayed(asks, draw.randint(0, len(asks) - 1))
