"""A phase that is not passed in time expires."""

from datetime import datetime
from enum import StrEnum

from msgspec import field

from domain.rules.record import Record
from domain.rules.span import Span
from domain.rules.timer import Deadline, Strike, Timer
from domain.values.trading_day import TradingDay


class Start(StrEnum):
    ACTIVATION = "start"
    FIRST_TRADE = "first_trade"  # before it no time runs


class TimeLimit(
    Timer,
    frozen=True,
    kw_only=True,
    tag="time_limit",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """It expires at the first instant at which more than `after` has passed."""

    after: Span
    start: Start = field(name="from")

    def next_deadline(
        self, opened_at: datetime, record: Record, days: TradingDay
    ) -> Deadline | None:
        since = opened_at if self.start is Start.ACTIVATION else record.first_open
        if since is None:
            return None
        return Deadline(
            at=self.after.over(since, days),
            strike=Strike.EXPIRE,
            since=since,
            days=self.after.days,
        )
