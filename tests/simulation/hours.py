"""When a market trades and a day turns, read off a clock on the wall of a city."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.laws.naive_adjudicator import boundaries

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MINUTES_A_WEEK: Final = 7 * 24 * 60
SINCE_EVER: Final = datetime(1, 1, 1)  # noqa: DTZ001 - a clock on a wall
Sessions = Any  # "always", or a list of weekly windows


def session_of(sessions: Sessions, at: datetime) -> datetime | None:
    """When, on the wall, the session began that `at` lies in; None: it is closed."""
    if sessions == "always":
        return SINCE_EVER
    for each in sessions:
        wall = at.astimezone(ZoneInfo(each["zone"])).replace(tzinfo=None)
        opens, closes = minute_of(each["opens"]), minute_of(each["closes"])
        lasts = timedelta(minutes=(closes - opens) % MINUTES_A_WEEK)
        monday = wall.replace(hour=0, minute=0, second=0, microsecond=0)
        monday -= timedelta(days=wall.weekday())
        for week in (0, 1):
            began = monday + timedelta(minutes=opens, weeks=-week)
            if began <= wall < began + lasts:
                return began
    return None


def in_one_session(sessions: Sessions, first: datetime, second: datetime) -> bool:
    began = session_of(sessions, first)
    return began is not None and began == session_of(sessions, second)


@cache
def minute_of(weekly: str) -> int:
    """Count from Monday midnight to `Sun 17:00`."""
    day, _, clock = weekly.partition(" ")
    hours, _, minutes = clock.partition(":")
    return WEEKDAYS.index(day) * 24 * 60 + int(hours) * 60 + int(minutes)


@cache
def next_boundary(day: tuple[str, str], after: datetime) -> datetime:
    zone, clock = day
    return boundaries(zone, clock, after, after + timedelta(days=2))[0]
