"""Holidays, days that end early, and the weeks in which two cities disagree on time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given as for_every
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.account.events import PositionClosed, RuleBreached
from domain.account.state import Status
from domain.values.calendar import FOLDER, Closure, calendar_named
from domain.values.session import (
    INSTANT,
    Session,
    Sessions,
    closes_next,
    is_open,
    opens_next,
)
from domain.venue.standard_instruments import LIVE_INSTRUMENTS, XAUUSD
from tests.stories.facts import MAX_LOSS, buy_gold, gold_at, opening
from tests.stories.story import Clock, Told

LIVE = {each.symbol: each for each in LIVE_INSTRUMENTS}
NAMES = tuple(
    f"{file.name.split('.', 1)[0]}/{file.name.split('.', 1)[1].removesuffix('.json')}"
    for file in sorted(FOLDER.iterdir())
)
WORKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")
LONDON: Sessions = tuple(
    Session("Europe/London", f"{day} 08:00", f"{day} 16:30", calendar="lse/2026.1")
    for day in WORKDAYS
)
NEW_YORK: Sessions = tuple(
    Session("America/New_York", f"{day} 09:30", f"{day} 16:00", calendar="nyse/2026.1")
    for day in WORKDAYS
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("symbol", "at", "is_trading"),
    [
        ("EURUSD", "2026-12-24T18:14:59", True),
        ("EURUSD", "2026-12-24T18:15:00", False),  # Christmas Eve ends early
        ("EURUSD", "2026-12-25T12:00:00", False),
        ("EURUSD", "2026-12-27T22:59:59", False),
        ("EURUSD", "2026-12-27T23:00:00", True),
        ("XAUUSD", "2026-11-26T19:29:59", True),  # Thanksgiving
        ("XAUUSD", "2026-11-26T19:30:00", False),
        ("XAUUSD", "2026-11-26T23:00:00", True),
        ("US500", "2026-07-03T17:00:00", False),
        ("US500", "2026-07-05T22:00:00", True),
        ("BTCUSD", "2026-12-25T12:00:00", True),
    ],
)
def test_a_live_market_keeps_its_holidays(
    symbol: str,
    at: str,
    is_trading: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert is_open(LIVE[symbol].sessions, utc(at)) is is_trading


def test_the_next_close_and_opening_know_of_holidays() -> None:
    euro, eve = LIVE["EURUSD"].sessions, utc("2026-12-24T12:00:00")
    assert closes_next(euro, eve) == utc("2026-12-24T18:15:00")
    assert opens_next(euro, eve) == utc("2026-12-27T23:00:00")


def test_for_three_weeks_a_year_new_york_opens_an_hour_nearer_to_london() -> None:
    """America changes its clocks on 8 March and 1 November, Europe on 29 and 25."""
    for monday, london, new_york in (
        ("2026-03-02", "08:00", "14:30"),
        ("2026-03-09", "08:00", "13:30"),
        ("2026-03-23", "08:00", "13:30"),
        ("2026-03-30", "07:00", "13:30"),
        ("2026-10-19", "07:00", "13:30"),
        ("2026-10-26", "08:00", "13:30"),
        ("2026-11-02", "08:00", "14:30"),
    ):
        midnight = utc(f"{monday}T00:00:00")
        for sessions, opens in ((LONDON, london), (NEW_YORK, new_york)):
            at = opens_next(sessions, midnight)
            assert at == utc(f"{monday}T{opens}:00")


def test_a_breach_while_the_market_is_shut_closes_at_its_first_quote() -> None:
    """On a holiday the floor moves up over the equity; gold fills two days later."""
    gold = replace(XAUUSD, sessions=LIVE["XAUUSD"].sessions)
    eve = utc("2026-12-24T18:00:00")
    told = Told.beginning(eve, (gold,)).next(opening(MAX_LOSS))
    told = told.next(gold_at("1999")).next(buy_gold)
    late = told.next(gold_at("1800", utc("2026-12-24T19:00:00")))
    assert isinstance(late.events[0], RuleBreached)  # an early end: 18:45
    assert not any(isinstance(each, PositionClosed) for each in late.events)
    assert late.opened.status is Status.BREACHED
    assert late.opened.closing == {"gold"}
    holiday = late.next(Clock(utc("2026-12-26T12:00:00")))
    assert holiday.opened.closing == {"gold"}
    opened = holiday.next(gold_at("1810", utc("2026-12-27T23:00:00")))
    assert opened.opened.positions == ()
    assert isinstance(opened.events[-1], PositionClosed)


def test_a_closure_of_ones_own_is_kept_too() -> None:
    shut = Closure(utc("2026-01-06T00:00:00"), utc("2026-01-07T00:00:00"), "a wedding")
    week = (Session("UTC", "Mon 00:00", "Fri 00:00", closures=(shut,)),)
    assert is_open(week, shut.since - INSTANT)
    assert not is_open(week, shut.since)
    assert closes_next(week, utc("2026-01-05T00:00:00")) == shut.since
    assert opens_next(week, shut.since) == shut.until


def test_a_market_that_is_shut_for_weeks_opens_afterwards() -> None:
    shut = Closure(utc("2026-01-06T00:00:00"), utc("2026-03-07T00:00:00"))
    week = (Session("UTC", "Mon 00:00", "Fri 00:00", closures=(shut,)),)
    assert opens_next(week, utc("2026-01-10T00:00:00")) == utc("2026-03-09T00:00:00")


def test_what_is_no_closure_is_refused() -> None:
    first, last = utc("2026-01-06T00:00:00"), utc("2026-01-07T00:00:00")
    with pytest.raises(ValueError, match="ends after"):
        Closure(last, first)
    with pytest.raises(ValueError, match="zone"):
        Closure(first.replace(tzinfo=None), last.replace(tzinfo=None))
    with pytest.raises(ValueError, match="in order"):
        Session("UTC", "Mon 00:00", "Fri 00:00", closures=(Closure(first, last),) * 2)
    with pytest.raises(ValueError, match="no calendar"):
        Session("UTC", "Mon 00:00", "Fri 00:00", calendar="../../secret/2026.1")


@pytest.mark.parametrize("name", NAMES)
def test_a_calendar_is_in_order_and_says_what_it_was_made_from(name: str) -> None:
    calendar = calendar_named(name)
    assert calendar.name == name
    assert "pandas-market-calendars" in calendar.source
    ends = [end for each in calendar.closures for end in (each.since, each.until)]
    assert ends == sorted(ends)
    longest = max(each.until - each.since for each in calendar.closures)
    assert longest <= timedelta(days=6)


@for_every(
    st.sampled_from([*(LIVE[symbol].sessions for symbol in LIVE), LONDON, NEW_YORK]),
    st.datetimes(
        datetime(2024, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
        datetime(2030, 12, 30),  # noqa: DTZ001 - as above
        timezones=st.just(UTC),
    ),
)
def test_open_until_the_next_close_and_closed_until_the_next_opening(
    sessions: Sessions, at: datetime
) -> None:
    closes, opens = closes_next(sessions, at), opens_next(sessions, at)
    if sessions == "always":
        assert closes is None
        assert opens is None
        return
    assert closes is not None
    assert opens is not None
    assert is_open(sessions, at) == (closes < opens)
    assert is_open(sessions, opens)
    assert not is_open(sessions, opens - INSTANT)
    assert is_open(sessions, closes - INSTANT)
    assert not is_open(sessions, closes)
