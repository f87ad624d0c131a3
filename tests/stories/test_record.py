"""What days and trades have brought: entered once, on the day that it belongs to."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from domain.rules.record import Closed, Day, Record, Warned
from domain.values.trading_day import TradingDay
from tests.stories.facts import MONDAY, usd

UTC_DAY = TradingDay("UTC", "00:00")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TUESDAY = (MONDAY + DAY).replace(hour=0)
WEDNESDAY, SATURDAY = TUESDAY + DAY, TUESDAY + 4 * DAY
NEW = Record.beginning(MONDAY, UTC_DAY, usd("100000.00"))
ZERO = usd("0.00")


def close(opened_at: datetime, profit: str, result: str | None = None) -> Closed:
    told = None if result is None else usd(result)
    return Closed(opened_at=opened_at, profit=usd(profit), result=told)


def night(record: Record, at: datetime, floating: str | None = None) -> Record:
    told = None if floating is None else usd(floating)
    return record.turned(at, UTC_DAY, told)


def brought(day: Day) -> tuple[str, str]:
    return str(day.booked.amount), str(day.earned.amount)


def test_it_begins_blank_on_the_day_of_the_account() -> None:
    today = NEW.today
    assert (str(today.date), today.began, today.is_weekend) == (
        "2026-01-05",
        MONDAY,
        False,
    )
    assert (today.booked, today.earned, today.open_loss) == (ZERO, ZERO, ZERO)
    flags = (today.opened, today.closed, today.completed, today.held)
    assert flags == (False, False, False, False)
    assert today.is_blank
    assert (NEW.best_trade, NEW.won, NEW.days) == (ZERO, ZERO, (today,))


@pytest.mark.parametrize(
    "change",
    [
        {"held": True},
        {"booked": usd("0.01")},
        {"booked": usd("-0.01")},
    ],
)
def test_a_day_on_which_something_was_is_not_blank(change: dict[str, object]) -> None:
    assert not replace(NEW.today, **change).is_blank


def test_a_day_on_which_nothing_was_is_not_entered() -> None:
    later = night(night(NEW, TUESDAY), WEDNESDAY)
    assert later.before == ()
    assert later.today.began == WEDNESDAY
    costs = night(NEW.booked(usd("-7.00")), TUESDAY)
    assert [day.began for day in costs.days] == [MONDAY, TUESDAY]
    assert brought(costs.before[0]) == ("-7.00", "-7.00")


def test_days_stand_in_the_order_in_which_they_were() -> None:
    record = NEW
    for at in (TUESDAY, WEDNESDAY, SATURDAY):
        record = night(record.opened(record.today.began), at)
    assert [day.began for day in record.days] == [
        MONDAY,
        TUESDAY,
        WEDNESDAY,
        SATURDAY,
    ]
    assert [day.is_weekend for day in record.days] == [False, False, False, True]


def test_the_first_and_the_last_opening_are_known_and_the_last_close() -> None:
    record = NEW.opened(MONDAY).opened(MONDAY + HOUR)
    assert (record.first_open, record.last_open) == (MONDAY, MONDAY + HOUR)
    assert record.last_close is None
    closed = record.closed(MONDAY + 2 * HOUR, (close(MONDAY, "1.00"),))
    assert closed.last_close == MONDAY + 2 * HOUR
    assert (closed.first_open, closed.last_open) == (MONDAY, MONDAY + HOUR)


def test_an_opening_holds_the_day_and_closes_nothing() -> None:
    today = NEW.opened(MONDAY).today
    assert (today.opened, today.held, today.closed) == (True, True, False)


def test_a_close_books_today_and_earns_with_the_day_that_opened_the_trade() -> None:
    record = night(NEW.opened(MONDAY), TUESDAY, "0.00")
    record = night(record.opened(TUESDAY), WEDNESDAY, "0.00")
    record = record.closed(
        WEDNESDAY + HOUR,
        (close(MONDAY, "30.00", "25.00"), close(TUESDAY, "-4.00")),
    )
    monday, tuesday, wednesday = record.days
    assert [brought(day) for day in record.days] == [
        ("0.00", "30.00"),
        ("0.00", "-4.00"),
        ("26.00", "0.00"),
    ]
    done = [day.completed for day in (monday, tuesday, wednesday)]
    assert done == [True, False, False]
    assert [day.closed for day in record.days] == [False, False, True]
    assert (wednesday.held, wednesday.opened) == (True, False)


def test_a_trade_opened_at_a_days_very_first_instant_is_that_days() -> None:
    record = night(NEW.opened(MONDAY), TUESDAY, "0.00").opened(TUESDAY)
    same = record.closed(TUESDAY, (close(TUESDAY, "5.00", "5.00"),))
    assert [brought(day) for day in same.days] == [("0.00", "0.00"), ("5.00", "5.00")]
    later = night(record, WEDNESDAY, "0.00")
    after = later.closed(WEDNESDAY, (close(TUESDAY, "5.00", "5.00"),))
    assert [brought(day) for day in after.days] == [
        ("0.00", "0.00"),
        ("0.00", "5.00"),
        ("5.00", "0.00"),
    ]


def test_a_day_once_completed_stays_so_and_a_part_completes_none() -> None:
    parts = (
        close(MONDAY, "1.00"),
        close(MONDAY, "2.00", "3.00"),
        close(MONDAY, "1.00"),
    )
    assert not NEW.opened(MONDAY).closed(MONDAY, parts[:1]).today.completed
    assert NEW.opened(MONDAY).closed(MONDAY, parts).today.completed
    assert brought(NEW.opened(MONDAY).closed(MONDAY, parts).today) == ("4.00", "4.00")


def test_trades_count_by_their_whole_result_and_losses_are_not_won() -> None:
    record = NEW.opened(MONDAY).closed(
        MONDAY,
        (
            close(MONDAY, "500.00"),  # a part
            close(MONDAY, "10.00", "40.00"),
            close(MONDAY, "20.00", "15.00"),
            close(MONDAY, "-90.00", "-95.00"),
        ),
    )
    assert (record.best_trade, record.won) == (usd("40.00"), usd("55.00"))
    lost = NEW.opened(MONDAY).closed(MONDAY, (close(MONDAY, "-1.00", "-1.00"),))
    assert (lost.best_trade, lost.won) == (ZERO, ZERO)


def test_what_is_held_over_night_holds_both_days_and_only_a_loss_is_kept() -> None:
    for floating, loss in (("-0.01", "-0.01"), ("0.01", "0.00"), ("0.00", "0.00")):
        ended, following = night(NEW, TUESDAY, floating).days
        assert (ended.held, following.held) == (True, True)
        assert str(ended.open_loss.amount) == loss
        assert following.open_loss == ZERO
    flat = night(NEW.opened(MONDAY), TUESDAY)
    assert [day.held for day in flat.days] == [True, False]
    assert flat.before[0].open_loss == ZERO


def test_a_cost_counts_on_its_own_day_either_way() -> None:
    record = night(NEW.opened(MONDAY), TUESDAY, "0.00").booked(usd("-3.00"))
    assert [brought(day) for day in record.days] == [
        ("0.00", "0.00"),
        ("-3.00", "-3.00"),
    ]
    mixed = NEW.opened(MONDAY).closed(MONDAY, (close(MONDAY, "9.00"),))
    assert brought(mixed.booked(usd("-2.00")).today) == ("7.00", "7.00")
    moved = night(NEW.opened(MONDAY), TUESDAY, "0.00")
    moved = moved.closed(TUESDAY, (close(MONDAY, "9.00"),)).booked(usd("-2.00"))
    assert brought(moved.today) == ("7.00", "-2.00")


def test_of_each_rule_the_latest_warning_is_kept() -> None:
    record = NEW.warned_by("a", MONDAY).warned_by("b", MONDAY).warned_by("a", TUESDAY)
    assert record.warned == (Warned("b", MONDAY), Warned("a", TUESDAY))
    assert record.has_warned("a", TUESDAY)
    assert not record.has_warned("a", MONDAY)
    assert record.has_warned("b", MONDAY)
    assert not record.has_warned("c", MONDAY)
