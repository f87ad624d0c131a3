"""What happened on each day of a naive case, kept as plain lists."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Days:
    """Days by number, the first one 0; `late` ones begin at noon or after."""

    def __init__(self, first: date, *, late: bool) -> None:
        self.late = late
        self.dates = [first]
        self.changes: list[tuple[int, int, Decimal]] = []  # on, of the day, how much
        self.openings: list[tuple[datetime, int]] = []
        self.closings: list[tuple[datetime, int]] = []
        self.finished: list[tuple[int, Decimal]] = []  # opened on, brought in all
        self.held: set[int] = set()
        self.lost: dict[int, Decimal] = {}

    @property
    def today(self) -> int:
        return len(self.dates) - 1

    def begin(self, day: date, *, held: bool) -> None:
        self.dates.append(day)
        if held:
            self.held.add(self.today)

    def end(self, floating: Decimal | None) -> None:
        if floating is not None:
            self.held.add(self.today)
            self.lost[self.today] = min(floating, Decimal(0))

    def enter(self, event: dict[str, Any], at: datetime, change: Decimal) -> None:
        if event.get("opened"):
            self.openings.append((at, self.today))
            self.held.add(self.today)
        for close in event.get("closed", ()):
            opened_at = datetime.fromisoformat(close["opened_at"]).astimezone(UTC)
            opened_on = dict(self.openings)[opened_at]
            profit = Decimal(close["profit"])
            change -= profit
            self.changes.append((self.today, opened_on, profit))
            self.closings.append((at, self.today))
            self.held.add(self.today)
            if close.get("result") is not None:
                self.finished.append((opened_on, Decimal(close["result"])))
        self.changes.append((self.today, self.today, change))

    def brought(self, *, by_opening: bool) -> dict[int, Decimal]:
        """Add up what every day brought, by the day it came or that opened it."""
        found = {number: Decimal(0) for number in range(len(self.dates))}
        for on, opened_on, amount in self.changes:
            found[opened_on if by_opening else on] += amount
        return found

    def called(self, number: int) -> str:
        """Give the weekday that a day mostly lies in."""
        return WEEK[self.mostly(self.dates[number]).weekday()]

    def mostly(self, day: date) -> date:
        return day + timedelta(days=1) if self.late else day

    def begins_week(self, weekday: str) -> bool:
        """Whether a day called so lies between the last one's begin and this one's."""
        before, now = (self.mostly(each) for each in self.dates[-2:])
        return any(
            WEEK[(before + timedelta(days=n)).weekday()] == weekday
            for n in range(1, (now - before).days + 1)
        )
