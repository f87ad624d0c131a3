"""When a plan's day turns: a local time in an IANA zone, never an offset."""

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

ONE_DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)  # the least that a clock here can move on
ONE_MINUTE = timedelta(minutes=1)
NOON = "12:00"
DAYS_A_WEEK = 7
LOCAL_TIME = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


class Weekday(StrEnum):
    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


WEEK = tuple(Weekday)
WEEKEND = (Weekday.SATURDAY, Weekday.SUNDAY)


class TradingDay(Struct, frozen=True, array_like=True):
    """Written as in a plan: `["Europe/Prague", "00:00"]`."""

    zone: str
    turns_at: str  # "HH:MM", local

    def __post_init__(self) -> None:
        if LOCAL_TIME.fullmatch(self.turns_at) is None:
            raise ValueError("not a local time HH:MM")
        zone_of(self.zone)

    def day_of(self, at: datetime) -> date:
        """Name a day by the local date on which it opens; the boundary is its own."""
        return self._span(at).day

    def _span(self, at: datetime) -> "Span":
        """Most ask about the day that was asked about last."""
        key = (self.zone, self.turns_at)
        last = LAST.get(key)
        if last is not None and last.opens <= at < last.ends:
            return last
        if len(LAST) >= MOST_LAST:
            LAST.clear()
        day = self._found(at)
        LAST[key] = span = Span(day, self.opens(day), self.opens(day + ONE_DAY))
        return span

    def _found(self, at: datetime) -> date:
        today = at.astimezone(zone_of(self.zone)).date()
        if self.opens(today) <= at:
            tomorrow = today + ONE_DAY  # begun, where clocks fall back over midnight
            return tomorrow if self.opens(tomorrow) <= at else today
        return today - ONE_DAY

    def opens(self, day: date) -> datetime:
        """When clocks change: the first of a doubled time, the end of a skip."""
        return opening(self.zone, self.turns_at, day)

    def weekday(self, day: date) -> Weekday:
        """The one it mostly lies in: what opens on Sunday at 17:00 is a Monday."""
        return WEEK[self._mostly(day).weekday()]

    def begins_week(self, at: datetime, begins: Weekday) -> bool:
        """Whether the boundary at `at` is the first of a week."""
        ended, begun = self.day_of(at - INSTANT), self.day_of(at)
        return self.week_of(ended, begins) < self.week_of(begun, begins)

    def week_of(self, day: date, begins: Weekday) -> int:
        """Weeks by number, each from a day called `begins` to before the next."""
        return (self._mostly(day).toordinal() - 1 - WEEK.index(begins)) // DAYS_A_WEEK

    def _mostly(self, day: date) -> date:
        return day + ONE_DAY if self.turns_at >= NOON else day

    def next_after(self, at: datetime) -> datetime:
        """The first boundary strictly after `at`."""
        return self._span(at).ends


class Span(Struct, frozen=True):
    """A trading day, from its first instant up to, but not including, the next's."""

    day: date
    opens: datetime
    ends: datetime


MOST_LAST = 1_024
LAST: dict[tuple[str, str], Span] = {}  # of each way to turn a day


@lru_cache(maxsize=1_024)
def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError("not an IANA time zone") from None


@lru_cache(maxsize=16_384)
def opening(zone_name: str, turns_at: str, day: date) -> datetime:
    zone = zone_of(zone_name)
    local = datetime.combine(day, time.fromisoformat(turns_at), zone)
    while local.astimezone(UTC).astimezone(zone) != local:  # skipped by the clocks
        local += ONE_MINUTE
    return local.astimezone(UTC)
