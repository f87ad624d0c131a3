"""What a day may lose hangs below what stood just before its boundary."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from domain.account.events import PositionClosed, RuleBreached
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.daily_loss import DayAnchor
from domain.rules.limit import Evaluated
from domain.rules.marks import Mark
from domain.values.trading_day import TradingDay
from tests.stories.facts import (
    DAILY_LOSS,
    GOLD_IN_ITS_HOURS,
    account_with,
    buy_gold,
    close_gold,
    gold_at,
    usd,
)
from tests.stories.story import Clock, DayOver, Quoted, given

GROWING = Allowance(AmountBasis.SHARE_OF_ANCHOR, DAILY_LOSS.allowance.value)
FRIDAY_EVENING = "2026-01-09T20:00:00+00:00"
SUNDAY_NIGHT = "2026-01-11T23:30:00+00:00"


def at(instant: str) -> Clock:
    return Clock(datetime.fromisoformat(instant))


def test_on_the_first_day_every_anchor_is_the_deposit() -> None:
    for anchor in DayAnchor:
        story = given(account_with(replace(DAILY_LOSS, measured_from=anchor)), buy_gold)
        story.when(gold_at("1950")).then_nothing()
        story.when(gold_at("1949.99")).then_breached_at("95000.00")


@pytest.mark.parametrize(
    ("anchor", "floor"),
    [
        (DayAnchor.BALANCE, "95000.00"),
        (DayAnchor.EQUITY, "105000.00"),
        (DayAnchor.HIGHER_OF_BOTH, "105000.00"),
        (DayAnchor.DEPOSIT, "95000.00"),
        (DayAnchor.PEAK_EQUITY, "105000.00"),
    ],
)
def test_a_floating_gain_at_the_boundary_lifts_what_looks_at_equity(
    anchor: DayAnchor, floor: str
) -> None:
    limit = replace(DAILY_LOSS, measured_from=anchor)
    story = given(account_with(limit), buy_gold, gold_at("2100"))  # floating 10,000
    breached = story.when(DayOver()).when(gold_at("1900")).then_breached_at(floor)
    if anchor in {DayAnchor.EQUITY, DayAnchor.HIGHER_OF_BOTH}:
        assert breached.breaches[0].anchor.amount == usd("110000.00")


def test_an_allowance_may_grow_with_its_anchor() -> None:
    limit = replace(
        DAILY_LOSS, allowance=GROWING, measured_from=DayAnchor.HIGHER_OF_BOTH
    )
    story = given(account_with(limit), buy_gold, gold_at("2100"), DayOver())
    story.when(gold_at("2045")).then_nothing()  # 104,500 is 110,000 less 5 %
    story.when(gold_at("2044.99")).then_breached_at("104500.00")


def test_the_days_peak_lifts_the_floor_at_every_tick_until_the_day_turns() -> None:
    limit = replace(DAILY_LOSS, measured_from=DayAnchor.PEAK_EQUITY)
    peak = (account_with(limit), buy_gold, gold_at("2100"), gold_at("2060"))
    given(*peak).when(gold_at("2050")).then_nothing()
    given(*peak).when(gold_at("2049.99")).then_breached_at("105000.00")
    given(*peak, DayOver()).when(gold_at("2049.99")).then_nothing()  # from 106,000


def test_the_boundary_itself_can_breach_a_floating_loss_that_the_day_allowed() -> None:
    """FTMO's own example: 4,000 closed, 13,000 floating, legal until midnight."""
    limit = replace(
        DAILY_LOSS,
        allowance=Allowance(AmountBasis.ABSOLUTE, DAILY_LOSS.allowance.value * 2_000),
    )
    day = (buy_gold, gold_at("2040"), close_gold, buy_gold, gold_at("1911"))
    story = given(account_with(limit), *day)
    assert story.account.equity(story.told.moment.market) == usd("91000.00")
    breached = story.when(DayOver()).then_breached_at("94000.00")
    assert breached.breaches[0].anchor.amount == usd("104000.00")
    story.when(DayOver()).then(RuleBreached, PositionClosed)


def test_a_boundary_breaches_with_the_market_closed_and_the_first_quote_fills() -> None:
    history = (
        at(FRIDAY_EVENING),
        gold_at("2009"),
        buy_gold,
        gold_at("2020"),
        close_gold,  # 1,000 gained
        buy_gold,  # at 2021
        gold_at("1966"),
    )
    story = given(account_with(DAILY_LOSS, gold=GOLD_IN_ITS_HOURS), *history)
    night = story.when(DayOver())
    night.then(RuleBreached)
    night.then_breached_at("96000.00")
    assert night.account.positions
    weekend = night.when(Quoted("XAUUSD", "1900.00", "1901.00"))
    weekend.then_nothing()  # a quote, and nobody to trade with
    sunday = weekend.when(gold_at("1980", datetime.fromisoformat(SUNDAY_NIGHT)))
    sunday.then(PositionClosed)
    sunday.then_closed("-4100.00")
    assert sunday.account.balance == usd("96900.00")  # above the floor: still breached


def test_judged_at_the_end_of_a_day_what_happens_inside_it_does_not_count() -> None:
    limit = replace(DAILY_LOSS, evaluated=Evaluated.END_OF_DAY)
    dip = given(account_with(limit), buy_gold, gold_at("1800"))
    dip.when(gold_at("1950")).then_nothing()
    dip.when(gold_at("1950")).when(DayOver()).then_nothing()
    closing = dip.when(gold_at("1949.99")).when(DayOver())
    closing.then_breached_at("95000.00")  # the floor of the day that ends


def test_the_closing_day_is_judged_before_its_floor_moves() -> None:
    limit = replace(
        DAILY_LOSS, evaluated=Evaluated.END_OF_DAY, measured_from=DayAnchor.EQUITY
    )
    story = given(account_with(limit), buy_gold, gold_at("1949.99"))
    breached = story.when(DayOver()).then_breached_at("95000.00")
    opened = story.account.marks.deposit
    assert breached.breaches[0].anchor == Mark(usd("100000.00"), 0, opened.at)


def test_a_day_turns_in_its_own_zone_also_when_clocks_change() -> None:
    """Prague's 29 March 2026 has 23 hours: it ends at 22:00 UTC, not at 23:00."""
    story = given(account_with(DAILY_LOSS), at("2026-03-29T12:00:00+00:00"), buy_gold)
    risen = story.when(gold_at("2100")).when(close_gold).when(buy_gold)
    before = risen.when(at("2026-03-29T21:59:59.999999+00:00"))
    assert before.account.marks.day_balance.amount == usd("100000.00")
    after = risen.when(at("2026-03-29T22:00:00+00:00"))
    assert after.account.marks.day_balance.amount == usd("110000.00")


def test_two_boundaries_without_a_quote_between_are_passed_one_by_one() -> None:
    limit = replace(DAILY_LOSS, measured_from=DayAnchor.EQUITY)
    utc = TradingDay("UTC", "00:00")
    story = given(account_with(limit, day=utc), buy_gold, gold_at("2030"))
    later = story.when(gold_at("1979.99", datetime.fromisoformat("2026-01-08T09:00Z")))
    breached = later.then_breached_at("98000.00")
    assert breached.breaches[0].anchor.at.isoformat() == "2026-01-08T00:00:00+00:00"
