"""Writes a new version of every calendar from the published ones.

    python -m venv /tmp/calendars
    /tmp/calendars/bin/pip install pandas-market-calendars==5.5.0 msgspec tzdata
    /tmp/calendars/bin/python -m infrastructure.calendars 2026.1

The library is needed here and nowhere else. A version that is there is never written
again: instruments cite it. What is stored is only where a market departs from its own
regular week: a day without trading, and a day that ends before its time.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from importlib import import_module
from importlib.metadata import version as release_of
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import json

from domain.values.calendar import FOLDER, Calendar, Closure

LIBRARY: Final = "pandas-market-calendars"
SINCE: Final = "2024-01-01"
UNTIL: Final = "2030-12-31"
CALENDARS: Final = {
    "cme-fx": "CMEGlobex_FX",
    "cme-metals": "CMEGlobex_Gold",
    "cme-index": "CME Globex Equity",
    "nyse": "NYSE",
    "lse": "LSE",
}
FRIDAY: Final = 4

Opened = tuple[datetime, datetime]


def main() -> None:
    (number,) = sys.argv[1:]
    published = import_module("pandas_market_calendars")
    for name, theirs in CALENDARS.items():
        file = FOLDER / f"{name}.{number}.json"
        if file.exists():
            raise SystemExit(f"{file} is there: instruments may cite it")
        calendar = published.get_calendar(theirs)
        windows = tuple(windows_of(calendar))
        made = Calendar(
            name=f"{name}/{number}",
            source=f"{LIBRARY} {release_of(LIBRARY)}, {theirs}",
            since=windows[0][0],
            until=windows[-1][1],
            closures=tuple(closures(windows, calendar)),
        )
        file.write_bytes(json.format(json.encode(made), indent=1) + b"\n")
        sys.stdout.write(f"{file.name}: {len(made.closures)} closures\n")


def windows_of(calendar: Any) -> Iterator[Opened]:  # noqa: ANN401 - the library's
    schedule = calendar.schedule(SINCE, UNTIL)
    for _, day in schedule.iterrows():
        ends = day["market_open"], day["market_close"]
        opens, closes = (each.to_pydatetime().astimezone(UTC) for each in ends)
        yield opens, closes


def closures(windows: tuple[Opened, ...], calendar: Any) -> Iterator[Closure]:  # noqa: ANN401 - as above
    """Find the gaps between two openings that the regular week does not have."""
    zone = ZoneInfo(str(calendar.tz))
    closes_at: time = calendar.close_time
    for (_, closed), (opens, _) in pairwise(windows):
        ended, begins = closed.astimezone(zone), opens.astimezone(zone)
        is_early = (ended.hour, ended.minute) != (closes_at.hour, closes_at.minute)
        days = 3 if ended.weekday() == FRIDAY else 1
        nights = 1 if begins.hour > ended.hour else 0  # it opens the evening before
        is_longer = begins.date() - ended.date() > timedelta(days=days - nights)
        if is_early or is_longer:
            name = "holiday" if is_longer else "ends early"
            yield Closure(closed, opens, name)


if __name__ == "__main__":
    main()
