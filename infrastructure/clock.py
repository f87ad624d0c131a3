"""The one place that asks the machine what time it is."""

from datetime import UTC, datetime


class SystemClock:
    def now(self) -> datetime:
        """Aware, in UTC, to the microsecond."""
        return datetime.now(UTC)  # noqa: TID251 - this is the adapter that the ban points to
