"""When a market is shut although its week says open: holidays, and days that end early.

A calendar is data, generated from a published one and kept for ever under its version:
instruments name it, so what was decided by it can be decided again.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec import Struct, json

FOLDER: Final = Path(__file__).with_name("calendars")
NAME: Final = re.compile(r"[a-z]+(-[a-z]+)*/[0-9]{4}\.[0-9]{1,3}")


class Closure(Struct, frozen=True, omit_defaults=True):
    """Shut from the first instant up to, but not including, the last."""

    since: datetime
    until: datetime
    name: str = ""

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise ValueError("a closure has instants with a zone")
        if self.since >= self.until:
            raise ValueError("a closure ends after it has begun")

    def __contains__(self, at: datetime) -> bool:
        return self.since <= at < self.until


class Calendar(Struct, frozen=True, kw_only=True):
    """Nothing is known before `since` or after `until`: there the plain week holds."""

    name: str
    source: str  # what it was generated from, with the version of that
    since: datetime
    until: datetime
    closures: tuple[Closure, ...]  # in order, and none touches another


_DECODER: Final = json.Decoder(Calendar)


@lru_cache(maxsize=64)
def calendar_named(name: str) -> Calendar:
    """`cme-fx/2026.1` is kept in `cme-fx.2026.1.json`."""
    file = FOLDER / f"{name.replace('/', '.')}.json"
    if NAME.fullmatch(name) is None or not file.is_file():
        raise ValueError(f"no calendar is named {name}")
    return _DECODER.decode(file.read_bytes())


def is_shut(closures: Sequence[Closure], at: datetime) -> bool:
    """Look among closures in order for the last that has begun."""
    begun = bisect_right(closures, at, key=lambda closure: closure.since)
    return begun > 0 and at in closures[begun - 1]


def around(closures: Sequence[Closure], at: datetime, most: int) -> Sequence[Closure]:
    """The one that `at` may be in, and the next few."""
    begun = bisect_right(closures, at, key=lambda closure: closure.since)
    return closures[max(0, begun - 1) : begun + most]
