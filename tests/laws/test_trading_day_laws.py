"""Every instant falls in exactly one day, whatever the clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.values.trading_day import ONE_DAY, TradingDay

ZONES = ("Europe/Prague", "America/New_York", "Asia/Beirut", "America/Havana", "UTC")
HOUR, MINUTE, MICROSECOND = (
    timedelta(hours=1),
    timedelta(minutes=1),
    timedelta(microseconds=1),
)
SINCE, UNTIL = datetime(1990, 1, 1, tzinfo=UTC), datetime(2037, 1, 1, tzinfo=UTC)
instants = st.datetimes(
    SINCE.replace(tzinfo=None), UNTIL.replace(tzinfo=None), timezones=st.just(UTC)
)
clocks = st.times().map(lambda at: f"{at:%H:%M}")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def in_exactly_one_day(days: TradingDay, now: datetime) -> None:
    today = days.day_of(now)
    assert days.opens(today) <= now < days.next_after(now)
    assert days.day_of(days.opens(today)) == today
    assert days.day_of(days.next_after(now)) > today
    assert days.day_of(days.next_after(now) - MICROSECOND) == today


@given(instants, clocks, st.sampled_from(ZONES))
def test_every_instant_falls_in_exactly_one_day(
    now: datetime, turns_at: str, zone: str
) -> None:
    in_exactly_one_day(TradingDay(zone, turns_at), now)


def test_also_around_the_leaps_of_every_clock_there_is(*, is_full: bool) -> None:
    chance = Random(7)  # noqa: S311 - picks places, keeps no secret
    zones = sorted(available_timezones() - {"localtime", "Factory"})
    for name in zones if is_full else chance.sample(zones, 40):
        zone = ZoneInfo(name)
        for leap in leaps(zone):
            local = leap.astimezone(zone)
            for turns_at in {"00:00", f"{local:%H:%M}", f"{local - HOUR:%H:%M}"}:
                days = TradingDay(name, turns_at)
                for now in (leap - MINUTE, leap - MICROSECOND, leap, leap + HOUR):
                    in_exactly_one_day(days, now)


def leaps(zone: ZoneInfo) -> list[datetime]:
    """The instants since 1990 at which the clocks of a zone leap, to the second."""
    found = []
    weeks = [SINCE + timedelta(weeks=n) for n in range((UNTIL - SINCE).days // 7)]
    for before, after in pairwise(weeks):
        if offset(zone, before) == offset(zone, after):
            continue
        low, high = before, after
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) // 2
            middle = middle.replace(microsecond=0)
            if offset(zone, middle) == offset(zone, low):
                low = middle
            else:
                high = middle
        found.append(high)
    return found


def offset(zone: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


@pytest.mark.parametrize(
    ("zone", "turns_at", "day", "hours"),
    [
        ("Europe/Prague", "00:00", date(2026, 3, 29), 23),
        ("Europe/Prague", "00:00", date(2026, 10, 25), 25),
        ("America/New_York", "17:00", date(2026, 3, 7), 23),
        ("America/New_York", "17:00", date(2026, 10, 31), 25),
        ("Australia/Lord_Howe", "00:00", date(2026, 4, 5), 24.5),
        ("UTC", "00:00", date(2026, 3, 29), 24),
    ],
)
def test_a_day_may_be_shorter_or_longer(
    zone: str, turns_at: str, day: date, hours: float
) -> None:
    days = TradingDay(zone, turns_at)
    assert days.opens(day + ONE_DAY) - days.opens(day) == timedelta(hours=hours)


def test_a_skipped_time_is_its_end_and_a_doubled_one_its_first() -> None:
    half_past_two = TradingDay("Europe/Prague", "02:30")
    assert half_past_two.opens(date(2025, 3, 30)) == utc("2025-03-30T01:00")
    assert half_past_two.opens(date(2025, 10, 26)) == utc("2025-10-26T00:30")


def test_saint_johns_has_midnight_twice_and_one_boundary() -> None:
    """At 00:01 on 7 November 2010 its clocks went back to 23:01."""
    days = TradingDay("America/St_Johns", "00:00")
    first = utc("2010-11-07T02:30")
    assert days.opens(date(2010, 11, 7)) == first
    for minutes in (1, 30, 60, 61):
        assert days.day_of(first + minutes * MINUTE) == date(2010, 11, 7)
    assert days.day_of(first - MICROSECOND) == date(2010, 11, 6)
    assert days.next_after(first) == utc("2010-11-08T03:30")


def test_a_day_that_a_country_left_out_is_no_day() -> None:
    """Samoa went from 29 to 31 December 2011."""
    days = TradingDay("Pacific/Apia", "00:00")
    leap = utc("2011-12-30T10:00")
    assert days.day_of(leap - MICROSECOND) == date(2011, 12, 29)
    assert days.next_after(leap - MICROSECOND) == leap
    assert days.day_of(leap) == date(2011, 12, 31)
    assert days.next_after(leap) == leap + ONE_DAY


@pytest.mark.parametrize("turns_at", ["24:00", "0:00", "00:60", "00:00:00", "", "noon"])
def test_a_boundary_is_a_local_time(turns_at: str) -> None:
    with pytest.raises(ValueError, match="local time"):
        TradingDay("UTC", turns_at)


@pytest.mark.parametrize("zone", ["", "Nowhere", "../../etc/passwd", "/etc", "a\0b"])
def test_a_zone_is_one_that_everybody_knows(zone: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        TradingDay(zone, "00:00")


def test_a_time_of_day_is_told_in_minutes() -> None:
    assert TradingDay("UTC", f"{time(5, 30):%H:%M}").turns_at == "05:30"
