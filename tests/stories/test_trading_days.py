"""What makes a day a trading day: firms count openings, fills, closes or nights."""

import pytest
from msgspec.structs import replace

from domain.rules.trading_days import Counted, TradingDays
from domain.values.quote import Side
from domain.values.trading_day import TradingDay
from tests.stories.days import at, closed, opened, stands, traded
from tests.stories.facts import (
    TARGET,
    THREE_DAYS,
    account_with,
    close,
    gold_at,
    trade,
)
from tests.stories.story import DayOver, Item, Told, given

THREE = TradingDays(id="rule", days=3, counted=Counted.CLOSED)
MONDAY_TO_THURSDAY = (
    *opened("a"),
    DayOver(),
    DayOver(),
    DayOver(),
    *closed("a", "10"),
)


def counted(told: Told) -> str:
    return stands(told)[1]


def after(how: Counted, *history: Item) -> str:
    return counted(given(account_with(replace(THREE, counted=how)), *history).told)


def test_an_opening_a_second_before_midnight_and_one_at_midnight_make_two_days() -> (
    None
):
    """Y01: midnight in Prague is 23:00 in UTC."""
    late = (at("2026-01-05T22:59:59Z"), *opened("late"))
    early = (at("2026-01-05T23:00:00Z"), *opened("early"))
    story = given(account_with(replace(THREE_DAYS, id="rule")), *late)
    assert counted(story.told) == "1"
    assert counted(given(story.told, *early).told) == "2"


@pytest.mark.parametrize(
    ("how", "days"),
    [
        (Counted.HELD, "4"),  # City Traders Imperium
        (Counted.COMPLETED, "1"),  # Alpha Capital, FTT: else one
        (Counted.FILLED, "2"),
        (Counted.CLOSED, "1"),
    ],
)
def test_a_trade_from_monday_to_thursday(how: Counted, days: str) -> None:
    """Y02."""
    assert after(how, *MONDAY_TO_THURSDAY) == days


def test_counted_by_openings_a_trade_from_monday_to_thursday_is_one_day() -> None:
    """Y02, as FTMO counts."""
    story = given(account_with(replace(THREE_DAYS, id="rule")), *MONDAY_TO_THURSDAY)
    assert counted(story.told) == "1"


def test_a_day_completes_when_a_trade_that_it_opened_is_closed_to_its_end() -> None:
    monday = (*opened("a"), *opened("b"))
    assert after(Counted.COMPLETED, *monday) == "0"
    assert after(Counted.COMPLETED, *monday, *closed("a", "10")) == "1"
    tuesday = (DayOver(), *traded("10", "c"))
    assert after(Counted.COMPLETED, *monday, *tuesday) == "1"
    assert after(Counted.COMPLETED, *monday, *tuesday, *closed("b", "10")) == "2"


def test_a_close_of_a_part_completes_nothing() -> None:
    two_ounces = trade(Side.BUY, "0.02", trade_id="a")
    part = (gold_at("1999"), two_ounces, gold_at("2010"), close("a", "0.01"))
    assert after(Counted.COMPLETED, *part) == "0"
    assert after(Counted.CLOSED, *part) == "1"
    assert after(Counted.COMPLETED, *part, close("a")) == "1"


def test_a_trade_held_over_the_weekend_counts_its_nights_or_only_weekdays() -> None:
    friday_to_monday = (
        at("2026-01-09T12:00:00Z"),
        *opened("a"),
        at("2026-01-12T12:00:00Z"),
    )
    assert after(Counted.HELD, *friday_to_monday) == "4"
    assert after(Counted.HELD_WEEKDAYS, *friday_to_monday) == "2"


def test_what_opens_on_sunday_at_five_in_new_york_is_a_monday() -> None:
    rule = replace(THREE, counted=Counted.HELD_WEEKDAYS)
    told = account_with(rule, day=TradingDay("America/New_York", "17:00"))
    sunday = given(told, at("2026-01-11T21:59:59Z"), *traded("1", "saturday's"))
    assert counted(sunday.told) == "0"
    monday = given(sunday.told, at("2026-01-11T22:00:00Z"), *traded("1", "monday's"))
    assert counted(monday.told) == "1"


def test_a_close_at_the_very_boundary_belongs_to_the_new_day() -> None:
    over_midnight = (*opened("a"), DayOver(), *closed("a", "10"))
    assert after(Counted.HELD, *over_midnight) == "2"
    assert after(Counted.CLOSED, *over_midnight, DayOver()) == "1"


def test_the_phase_is_passed_when_the_days_are_there_too() -> None:
    target = replace(TARGET, percent=THREE_DAYS.days * TARGET.percent / 24)  # 1 %
    rich = given(account_with(THREE, target), *traded("1000", "a"))
    second = given(rich.told, DayOver(), *traded("1", "b"), DayOver(), *opened("c"))
    last, close_it = closed("c", "1")
    given(second.told, last).when(close_it).then_passed()
