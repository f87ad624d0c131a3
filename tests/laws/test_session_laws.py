"""A market opens and closes by its own city's clock, whatever the clocks do."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.values.session import (
    INSTANT,
    WEEKDAYS,
    Session,
    closes_next,
    is_open,
    opens_next,
)
from domain.values.trading_day import zone_of
from domain.venue.standard_instruments import FX_WEEK, NIGHTLY_PAUSE

ZONES = ["Europe/Prague", "America/New_York", "Asia/Beirut", "America/Havana", "UTC"]
instants = st.datetimes(
    datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2037, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.just(UTC),
)
weekly_times = st.builds(
    lambda day, hour, minute: f"{day} {hour:02}:{minute:02}",
    st.sampled_from(WEEKDAYS),
    st.integers(0, 23),
    st.integers(0, 59),
)
sessions = st.builds(
    lambda zone, ends: (Session(zone, *ends),),
    st.sampled_from(ZONES),
    st.tuples(weekly_times, weekly_times).filter(lambda ends: ends[0] != ends[1]),
)


@given(sessions, instants)
def test_open_until_the_next_close_and_closed_until_the_next_open(
    weekly: tuple[Session, ...], at: datetime
) -> None:
    closes, opens = closes_next(weekly, at), opens_next(weekly, at)
    assert closes is not None
    assert opens is not None
    assert is_open(weekly, at) == (closes < opens)
    assert is_open(weekly, closes - INSTANT)
    assert not is_open(weekly, closes)
    assert is_open(weekly, opens)
    assert not is_open(weekly, opens - INSTANT)


@given(sessions, instants)
def test_a_market_opens_within_a_week_and_an_hour(
    weekly: tuple[Session, ...], at: datetime
) -> None:
    opens = opens_next(weekly, at)
    assert opens is not None
    assert opens - at <= timedelta(days=7, hours=1)


@given(instants)
def test_a_day_inside_the_week_is_open_wherever_the_clocks_stand(at: datetime) -> None:
    local = at.astimezone(zone_of("America/New_York"))
    inside = local.weekday() < 4 or (local.weekday() == 4 and local.hour < 17)
    if inside or (local.weekday() == 6 and local.hour >= 17):
        assert is_open(FX_WEEK, at)
    else:
        assert not is_open(FX_WEEK, at)


@given(instants)
def test_what_is_always_open_neither_opens_nor_closes(at: datetime) -> None:
    assert is_open("always", at)
    assert closes_next("always", at) is None
    assert opens_next("always", at) is None


def test_new_york_closes_an_hour_earlier_in_summer_by_the_clock_of_greenwich() -> None:
    winter, summer = datetime(2026, 1, 9, tzinfo=UTC), datetime(2026, 7, 10, tzinfo=UTC)
    assert closes_next(FX_WEEK, winter) == winter.replace(hour=22)
    assert closes_next(FX_WEEK, summer) == summer.replace(hour=21)


def test_a_nightly_pause_lasts_an_hour() -> None:
    evening = datetime(2026, 1, 6, 21, 59, 59, tzinfo=UTC)
    assert is_open(NIGHTLY_PAUSE, evening)
    assert closes_next(NIGHTLY_PAUSE, evening) == datetime(2026, 1, 6, 22, tzinfo=UTC)
    assert opens_next(NIGHTLY_PAUSE, evening) == datetime(2026, 1, 6, 23, tzinfo=UTC)


def test_windows_that_touch_are_one() -> None:
    around = (
        Session("UTC", "Mon 00:00", "Tue 00:00"),
        Session("UTC", "Tue 00:00", "Wed 00:00"),
    )
    monday = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert closes_next(around, monday) == datetime(2026, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "opens", ["Sun 24:00", "Sunday 17:00", "Sun 5:00", "Mon 17:00"]
)
def test_a_malformed_week_is_refused(opens: str) -> None:
    with pytest.raises(ValueError, match=r"weekly|opens"):
        Session("UTC", opens, "Mon 17:00")
