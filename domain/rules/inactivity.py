"""An account that is not traded is warned, and expires."""

from datetime import datetime
from enum import StrEnum

from msgspec import field

from domain.rules.record import Record
from domain.rules.span import Span
from domain.rules.timer import Deadline, Strike, Timer
from domain.values.trading_day import TradingDay


class Activity(StrEnum):
    """What shows that an account is used; before the first, its activation does."""

    OPENED = "opened"  # a position was
    FILLED = "filled"  # a position was opened or closed


class Since(StrEnum):
    ACTIVITY = "activity"
    WARNING = "warning"


class Inactivity(
    Timer,
    frozen=True,
    kw_only=True,
    tag="inactivity",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """It warns when more than `warn` has passed since the last activity, and expires
    when more than `after` has passed since that activity, or since the warning.
    """

    activity: Activity
    warn: Span | None  # None: it comes unannounced
    after: Span
    since: Since = field(name="from")

    def __post_init__(self) -> None:
        if self.warn is None:
            if self.since is Since.WARNING:
                raise ValueError("without a warning nothing runs from it")
        elif self.since is Since.ACTIVITY and self.after.days <= self.warn.days:
            raise ValueError("a warning comes before the end")

    def next_deadline(
        self, opened_at: datetime, record: Record, days: TradingDay
    ) -> Deadline | None:
        active = self.last_active(record) or opened_at
        if self.warn is None or record.has_warned(self.id, active):
            return self.end(active, days)
        return Deadline(
            at=self.warn.over(active, days),
            strike=Strike.WARN,
            since=active,
            days=self.warn.days,
        )

    def end(self, active: datetime, days: TradingDay) -> Deadline:
        since = active
        if self.since is Since.WARNING:
            assert self.warn is not None
            since = self.warn.over(active, days)
        at = self.after.over(since, days)
        return Deadline(at=at, strike=Strike.EXPIRE, since=since, days=self.after.days)

    def last_active(self, record: Record) -> datetime | None:
        seen = [record.last_open]
        if self.activity is Activity.FILLED:
            seen.append(record.last_close)
        return max((at for at in seen if at is not None), default=None)
