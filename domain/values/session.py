"""When a market is open: weekly windows on the clock of the market's own city."""

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal, Self

from msgspec import Struct

from domain.values.trading_day import opening, zone_of

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKLY_TIME: Final = re.compile(rf"({'|'.join(WEEKDAYS)}) (([01]\d|2[0-3]):[0-5]\d)")
WEEK: Final = 7
INSTANT: Final = timedelta(microseconds=1)


class Window(Struct, frozen=True):
    """From the first instant of trading up to, but not including, the last."""

    opens: datetime
    closes: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.opens <= at < self.closes


class Session(Struct, frozen=True):
    """Once a week: `Session("America/New_York", "Sun 17:00", "Fri 17:00")`."""

    zone: str
    opens: str  # "Sun 17:00", local
    closes: str

    def __post_init__(self) -> None:
        zone_of(self.zone)
        for weekly in (self.opens, self.closes):
            if WEEKLY_TIME.fullmatch(weekly) is None:
                raise ValueError("not a weekly time like Sun 17:00")
        if self.opens == self.closes:
            raise ValueError("opens when it closes; a market open all week is 'always'")

    def windows(self, at: datetime) -> tuple[Window, ...]:
        """Give the week that began before `at`, its neighbours, and one more."""
        return windows_around(self, at.astimezone(zone_of(self.zone)).date())

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
def windows_around(session: Session, day: date) -> tuple[Window, ...]:
    opens_on, opens_at = WEEKDAYS.index(session.opens[:3]), session.opens[4:]
    closes_on, closes_at = WEEKDAYS.index(session.closes[:3]), session.closes[4:]
    lasts = (closes_on - opens_on) % WEEK
    if lasts == 0 and closes_at < opens_at:
        lasts = WEEK
    began = day - timedelta(days=(day.weekday() - opens_on) % WEEK)
    days = [began + timedelta(weeks=weeks) for weeks in (-1, 0, 1, 2)]
    return tuple(
        Window(
            opening(session.zone, opens_at, each),
            opening(session.zone, closes_at, each + timedelta(days=lasts)),
        )
        for each in days
    )


Sessions = Literal["always"] | tuple[Session, ...]


def is_open(sessions: Sessions, at: datetime) -> bool:
    if sessions == "always":
        return True
    return any(at in window for each in sessions for window in each.windows(at))


def closes_next(sessions: Sessions, at: datetime) -> datetime | None:
    """Find the first instant after `at` at which trading stops; None: it never does."""
    if sessions == "always":
        return None
    closings = (window.closes for each in sessions for window in each.windows(at))
    return min(
        (
            closes
            for closes in closings
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
    openings = (window.opens for each in sessions for window in each.windows(at))
    return min(
        (
            opens
            for opens in openings
            if opens > at
            and is_open(sessions, opens)
            and not is_open(sessions, opens - INSTANT)
        ),
        default=None,
    )
