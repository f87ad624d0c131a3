"""A floor that follows a mark up, and never comes back down."""

import pytest
from msgspec.structs import replace

from domain.account.events import PositionClosed
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.max_loss import Follows
from domain.values.quote import Side
from tests.stories.facts import (
    TRAILING,
    account_with,
    buy_gold,
    close_gold,
    gold_at,
    trade,
    usd,
)
from tests.stories.story import DayOver, given


def test_an_unrealised_peak_lifts_the_floor_and_the_breach_names_its_tick() -> None:
    story = given(account_with(TRAILING), buy_gold, gold_at("2080"), gold_at("2000"))
    story.when(gold_at("1980")).then_nothing()
    breached = story.when(gold_at("1979.99")).then_breached_at("98000.00")
    anchor = breached.breaches[0].anchor
    assert (anchor.amount, anchor.tick) == (usd("108000.00"), 2)


@pytest.mark.parametrize(
    ("follows", "floor"),
    [
        (Follows.BALANCE, "93000.00"),  # 3,000 were realised
        (Follows.EQUITY, "98000.00"),  # 8,000 were seen
        (Follows.HIGHER_OF_BOTH, "98000.00"),
        (Follows.CLOSE_BALANCE, "90000.00"),  # no day has ended
        (Follows.CLOSE_HIGHER_OF_BOTH, "90000.00"),
    ],
)
def test_each_mark_lifts_the_floor_in_its_own_way(follows: Follows, floor: str) -> None:
    limit = replace(TRAILING, follows=follows)
    day = (buy_gold, gold_at("2080"), gold_at("2030"), close_gold, buy_gold)
    story = given(account_with(limit), *day)
    story.when(gold_at("1000")).then_breached_at(floor)


@pytest.mark.parametrize(
    ("follows", "floor"),
    [(Follows.CLOSE_BALANCE, "90000.00"), (Follows.CLOSE_HIGHER_OF_BOTH, "95000.00")],
)
def test_a_floor_of_the_days_end_moves_at_the_boundary_only(
    follows: Follows, floor: str
) -> None:
    limit = replace(TRAILING, follows=follows)
    day = (buy_gold, gold_at("2080"), gold_at("2050"))
    story = given(account_with(limit), *day).when(DayOver())
    story.when(gold_at("1000")).then_breached_at(floor)


def test_the_floor_never_comes_down() -> None:
    limit = replace(TRAILING, follows=Follows.CLOSE_BALANCE)
    rich = (buy_gold, gold_at("2050"), close_gold, DayOver())  # 105,000
    poorer = (buy_gold, gold_at("2010"), close_gold, DayOver())  # 100,900
    story = given(account_with(limit), *rich, *poorer, buy_gold)  # at 2011
    story.when(gold_at("1952")).then_nothing()
    story.when(gold_at("1951.99")).then_breached_at("95000.00")


def test_a_lock_stops_the_floor_at_the_deposit() -> None:
    limit = replace(TRAILING, lock=usd("0").amount)
    story = given(account_with(limit), buy_gold, gold_at("2500"))
    story.when(gold_at("2000")).then_nothing()
    story.when(gold_at("1999.99")).then_breached_at("100000.00")


def test_a_lock_above_the_deposit_stops_it_there() -> None:
    limit = replace(TRAILING, lock=usd("100").amount)
    story = given(account_with(limit), buy_gold, gold_at("2500"))
    story.when(gold_at("2000.99")).then_breached_at("100100.00")


def test_a_share_of_the_mark_grows_with_it() -> None:
    six_percent = Allowance(AmountBasis.SHARE_OF_ANCHOR, usd("6").amount)
    limit = replace(TRAILING, allowance=six_percent)
    story = given(account_with(limit), buy_gold, gold_at("2100"))
    story.when(gold_at("2034")).then_nothing()  # 110,000 less 6,600
    story.when(gold_at("2033.99")).then_breached_at("103400.00")


def test_a_balance_that_stood_between_two_fills_of_a_tick_counts() -> None:
    limit = replace(TRAILING, follows=Follows.BALANCE)
    gain = trade(Side.BUY, "1.00", trade_id="gain", take_profit="2040")
    loss = trade(Side.SELL, "1.00", trade_id="loss", stop_loss="2041")
    story = given(account_with(limit), gain, loss).when(gold_at("2040"))
    story.then(PositionClosed, PositionClosed)
    assert story.account.balance == usd("99800.00")
    assert story.account.marks.peak_balance.amount == usd("104000.00")
