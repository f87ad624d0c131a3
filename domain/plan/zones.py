"""A day turns on the clock of a place; an offset or three letters name none."""

import re
from difflib import get_close_matches
from typing import Final
from zoneinfo import available_timezones

from domain.plan.findings import Notes
from domain.values.trading_day import zone_of

PLAINLY_UTC: Final = "UTC"
FIXED: Final = re.compile(r"Etc/GMT([+-])([0-9]{1,2})")
OFFSET: Final = re.compile(r"(?:UTC|GMT)?([+-])0?([0-9]{1,2})(?::?00)?")
CITIES: Final = {
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "EST5EDT": "America/New_York",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "MST": "America/Denver",
    "PST": "America/Los_Angeles",
    "GMT": "Europe/London",
    "BST": "Europe/London",
    "WET": "Europe/Lisbon",
    "CET": "Europe/Prague",
    "CEST": "Europe/Prague",
    "EET": "Europe/Athens",
    "EEST": "Europe/Athens",
}
SOMEWHERE: Final = "Europe/Athens"


def read_zone(zone: str, field: str, notes: Notes, *, is_fixed: bool) -> None:
    """`is_fixed` says that a fixed offset is meant: it is doubted no more."""
    fixed = FIXED.fullmatch(zone)
    if fixed and is_known(zone):
        if not is_fixed:
            doubt_offset(zone, fixed, field, notes)
    elif "/" in zone:
        if not is_known(zone):
            misspelt(zone, field, notes)
    elif zone != PLAINLY_UTC:
        notes.open(
            field,
            f"{zone} is no place: whether its clock moves in summer is left open",
            f"a fixed offset all year, written {_as_fixed(zone)}",
            f"the clock of a city, such as {CITIES.get(zone, SOMEWHERE)},"
            " which is an hour ahead in summer",
        )


def doubt_offset(zone: str, fixed: re.Match[str], field: str, notes: Notes) -> None:
    side = "behind" if fixed[1] == "+" else "ahead of"
    notes.doubt(
        field,
        f"{zone} is a fixed offset, and its sign is the reverse of the usual one",
        f"{int(fixed[2])} hours {side} UTC, summer and winter",
        f"the clock of a city, such as {SOMEWHERE}, which is an hour ahead in summer",
    )


def misspelt(zone: str, field: str, notes: Notes) -> None:
    like = get_close_matches(zone, sorted(available_timezones()), n=2)
    first, second = (*like, "UTC", "another name of the IANA database")[:2]
    notes.open(
        field,
        f"{zone} is not an IANA time zone",
        f"it was meant to be {first}",
        f"it was meant to be {second}",
    )


def _as_fixed(zone: str) -> str:
    """`UTC+3` is three hours ahead, for which the database says `Etc/GMT-3`."""
    if found := OFFSET.fullmatch(zone):
        return f"Etc/GMT{'-' if found[1] == '+' else '+'}{int(found[2])}"
    return "UTC or Etc/GMT with its hours"


def is_known(zone: str) -> bool:
    try:
        zone_of(zone)
    except ValueError:
        return False
    return True
