"""What a week may lose hangs below what stood just before its first boundary."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.account.events import PositionClosed, RuleBreached
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.limit import Comparator, Effect, Evaluated, Measured
from domain.rules.weekly_loss import WeekAnchor, WeeklyLoss
from domain.values.trading_day import TradingDay, Weekday
from tests.stories.days import at
from tests.stories.facts import (
    FIVE_PERCENT,
    account_with,
    buy_gold,
    close_gold,
    gold_at,
    usd,
)
from tests.stories.story import DayOver, given

WEEKLY = WeeklyLoss(
    id="weekly",
    allowance=FIVE_PERCENT,
    comparator=Comparator.BELOW,
    measured=Measured.EQUITY,
    evaluated=Evaluated.EVERY_TICK,
    effect=Effect.HARD,
    measured_from=WeekAnchor.BALANCE,
    week=Weekday.MONDAY,
)
RICH_MONDAY = (buy_gold, gold_at("2100"), close_gold)  # 110,000
NEXT_MONDAY = "2026-01-11T23:00:00Z"  # midnight in Prague


def test_the_anchor_stays_where_the_week_began() -> None:
    story = given(account_with(WEEKLY), *RICH_MONDAY, DayOver(), DayOver(), buy_gold)
    story.when(gold_at("1951")).then_nothing()  # 95,000, bought at 2101
    story.when(gold_at("1950.99")).then_breached_at("95000.00")


def test_a_new_week_hangs_its_floor_below_the_new_balance() -> None:
    story = given(account_with(WEEKLY), *RICH_MONDAY, at(NEXT_MONDAY), buy_gold)
    story.when(gold_at("2051")).then_nothing()
    breached = story.when(gold_at("2050.99")).then_breached_at("105000.00")
    anchor = breached.breaches[0].anchor
    assert anchor.at.isoformat() == "2026-01-11T23:00:00+00:00"


@pytest.mark.parametrize(
    ("anchor", "floor"),
    [
        (WeekAnchor.BALANCE, "95000.00"),
        (WeekAnchor.EQUITY, "105000.00"),
        (WeekAnchor.HIGHER_OF_BOTH, "105000.00"),
        (WeekAnchor.DEPOSIT, "95000.00"),
        (WeekAnchor.PEAK_EQUITY, "115000.00"),
    ],
)
def test_a_floating_gain_lifts_what_looks_at_equity(
    anchor: WeekAnchor, floor: str
) -> None:
    limit = replace(WEEKLY, measured_from=anchor)
    week = (buy_gold, gold_at("2100"), at(NEXT_MONDAY), gold_at("2200"), DayOver())
    story = given(account_with(limit), *week)
    story.when(gold_at("1000")).then_breached_at(floor)


def test_a_week_may_begin_on_any_day() -> None:
    limit = replace(WEEKLY, week=Weekday.WEDNESDAY)
    tuesday = given(account_with(limit), *RICH_MONDAY, DayOver(), buy_gold)
    tuesday.when(gold_at("1000")).then_breached_at("95000.00")
    wednesday = given(account_with(limit), *RICH_MONDAY, DayOver(), DayOver(), buy_gold)
    wednesday.when(gold_at("1000")).then_breached_at("105000.00")


def test_in_new_york_the_week_opens_on_sunday_at_five() -> None:
    told = account_with(WEEKLY, day=TradingDay("America/New_York", "17:00"))
    before = given(told, *RICH_MONDAY, at("2026-01-11T21:59:59Z"), buy_gold)
    before.when(gold_at("1000")).then_breached_at("95000.00")
    after = given(told, *RICH_MONDAY, at("2026-01-11T22:00:00Z"), buy_gold)
    after.when(gold_at("1000")).then_breached_at("105000.00")


def test_a_week_that_stays_lost_pauses_anew_every_day_until_the_next() -> None:
    pausing = replace(WEEKLY, effect=Effect.PAUSE)
    story = given(account_with(pausing), buy_gold).when(gold_at("1949"))
    story.then(RuleBreached, PositionClosed)
    story.when(gold_at("1900")).then_nothing()
    tuesday = story.when(DayOver())
    tuesday.then_breached_at("95000.00")
    assert tuesday.account.paused == {"weekly"}
    monday = tuesday.when(at("2026-01-11T22:59:59Z")).when(at(NEXT_MONDAY))
    monday.then_nothing()
    assert not monday.account.paused


def test_judged_at_the_end_of_a_day_it_forgives_what_the_day_made_good() -> None:
    limit = replace(WEEKLY, evaluated=Evaluated.END_OF_DAY)
    dip = given(account_with(limit), buy_gold, DayOver(), gold_at("1900"))
    dip.when(gold_at("1950")).when(DayOver()).then_nothing()
    dip.when(gold_at("1949.99")).when(DayOver()).then_breached_at("95000.00")


def test_a_week_anchor_may_carry_a_share_that_grows() -> None:
    share = Allowance(AmountBasis.SHARE_OF_ANCHOR, Decimal(4))
    limit = replace(WEEKLY, allowance=share)
    story = given(account_with(limit), *RICH_MONDAY, at(NEXT_MONDAY), buy_gold)
    assert story.account.marks.week_balance.amount == usd("110000.00")
    story.when(gold_at("1000")).then_breached_at("105600.00")


def test_the_weekly_rules_of_a_phase_share_one_week() -> None:
    other = replace(WEEKLY, id="other", week=Weekday.SUNDAY)
    with pytest.raises(ValueError, match="week"):
        account_with(WEEKLY, other)
