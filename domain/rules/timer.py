"""A timer runs out at an instant that is known beforehand; no tick moves it."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct

from domain.rules.record import Record
from domain.values.trading_day import TradingDay


class Strike(StrEnum):
    WARN = "warn"
    EXPIRE = "expire"  # ends the account


class Deadline(Struct, frozen=True, kw_only=True):
    """What a timer does next: when, and since when it will have run."""

    at: datetime
    strike: Strike
    since: datetime
    days: int  # that may pass


class Timer(Struct, frozen=True, kw_only=True):
    id: str

    reads_record: ClassVar[bool] = True

    def next_deadline(
        self, opened_at: datetime, record: Record, days: TradingDay
    ) -> Deadline | None:
        """Pure: the same facts give the same instant, whoever asks and whenever."""
        raise NotImplementedError
