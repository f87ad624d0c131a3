"""When a market is open: weekly windows on the clock of the market's own city."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal, Self

from msgspec import Struct

from domain.values.calendar import Closure, around, calendar_named, is_shut
from domain.values.trading_day import opening, zone_of

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKLY_TIME: Final = re.compile(rf"({'|'.join(WEEKDAYS)}) (([01]\d|2[0-3]):[0-5]\d)")
WEEK: Final = 7
MOST_CLOSURES: Final = 100  # of its own
CLOSURES_AHEAD: Final = 3
INSTANT: Final = timedelta(microseconds=1)


class Window(Struct, frozen=True):
    """From the first instant of trading up to, but not including, the last."""

    opens: datetime
    closes: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.opens <= at < self.closes


class Session(Struct, frozen=True, omit_defaults=True):
    """Once a week: `Session("America/New_York", "Sun 17:00", "Fri 17:00")`.

    Unless its calendar, or a closure of its own, says that the market is shut.
    """

    zone: str
    opens: str  # "Sun 17:00", local
    closes: str
    calendar: str | None = None  # "cme-fx/2026.1"
    closures: tuple[Closure, ...] = ()

    def __post_init__(self) -> None:
        zone_of(self.zone)
        for weekly in (self.opens, self.closes):
            if WEEKLY_TIME.fullmatch(weekly) is None:
                raise ValueError("not a weekly time like Sun 17:00")
        if self.opens == self.closes:
            raise ValueError("opens when it closes; a market open all week is 'always'")
        if self.calendar is not None:
            calendar_named(self.calendar)
        if len(self.closures) > MOST_CLOSURES:
            raise ValueError(f"closures: at most {MOST_CLOSURES}")
        if any(one.until > next_.since for one, next_ in pairwise(self.closures)):
            raise ValueError("closures: in order, and none inside another")

    def is_open(self, at: datetime) -> bool:
        if any(is_shut(closures, at) for closures in self.exceptions):
            return False
        return any(at in window for window in self.windows(at))

    @property
    def exceptions(self) -> tuple[tuple[Closure, ...], ...]:
        known = calendar_named(self.calendar).closures if self.calendar else ()
        return tuple(closures for closures in (known, self.closures) if closures)

    def windows(self, at: datetime) -> tuple[Window, ...]:
        """Give the week that began before `at`, its neighbours, and one more."""
        day = at.astimezone(zone_of(self.zone)).date()
        return windows_around(self.zone, self.opens, self.closes, day)

    @classmethod
    def around_the_week(
        cls, zone: str, day_turns: str, pause_until: str
    ) -> tuple[Self, ...]:
        """Sunday evening to Friday evening with a pause in each night between."""
        nights = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri")
        return tuple(
            cls(zone, f"{opens} {pause_until}", f"{closes} {day_turns}")
            for opens, closes in pairwise(nights)
        )


@lru_cache(maxsize=1_024)
def windows_around(zone: str, opens: str, closes: str, day: date) -> tuple[Window, ...]:
    opens_on, opens_at = WEEKDAYS.index(opens[:3]), opens[4:]
    closes_on, closes_at = WEEKDAYS.index(closes[:3]), closes[4:]
    lasts = (closes_on - opens_on) % WEEK
    if lasts == 0 and closes_at < opens_at:
        lasts = WEEK
    began = day - timedelta(days=(day.weekday() - opens_on) % WEEK)
    days = [began + timedelta(weeks=weeks) for weeks in (-1, 0, 1, 2)]
    return tuple(
        Window(
            opening(zone, opens_at, each),
            opening(zone, closes_at, each + timedelta(days=lasts)),
        )
        for each in days
    )


Sessions = Literal["always"] | tuple[Session, ...]


def is_open(sessions: Sessions, at: datetime) -> bool:
    if sessions == "always":
        return True
    return any(each.is_open(at) for each in sessions)


def closes_next(sessions: Sessions, at: datetime) -> datetime | None:
    """Find the first instant after `at` at which trading stops; None: it never does."""
    if sessions == "always":
        return None
    weekly = (window.closes for each in sessions for window in each.windows(at))
    shut = (closure.since for each in sessions for closure in closures_of(each, at))
    return min(
        (
            closes
            for closes in (*weekly, *shut)
            if closes > at
            and not is_open(sessions, closes)
            and is_open(sessions, closes - INSTANT)
        ),
        default=None,
    )


def opens_next(sessions: Sessions, at: datetime) -> datetime | None:
    """Find the first instant after `at` at which trading begins, if it ever stops."""
    if sessions == "always":
        return None
    shut = [closure.until for each in sessions for closure in closures_of(each, at)]
    weekly = (
        window.opens
        for each in sessions
        for place in (at, *shut)  # a closure may last longer than a week
        for window in each.windows(place)
    )
    return min(
        (
            opens
            for opens in (*weekly, *shut)
            if opens > at
            and is_open(sessions, opens)
            and not is_open(sessions, opens - INSTANT)
        ),
        default=None,
    )


def closures_of(session: Session, at: datetime) -> Iterator[Closure]:
    for closures in session.exceptions:
        yield from around(closures, at, CLOSURES_AHEAD)
