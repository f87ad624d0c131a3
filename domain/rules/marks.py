"""What the market leaves on an account: a fold of events and ticks, never events.

Any mark can be computed again from the log and the ticks, so none is stored there;
the breach that rests on one states its amount, its instant and its tick.
"""

from datetime import datetime
from typing import Final, Self, assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.rules.flow_marks import FlowMarks
from domain.values.money import Money

ANCHORS: Final = (  # what a flow moves, whatever the terms are
    "day_balance",
    "day_equity",
    "day_peak_equity",
    "week_balance",
    "week_equity",
    "week_peak_equity",
    "capital",
)
HIGHEST: Final = (  # what it moves as the terms say
    "peak_balance",
    "peak_equity",
    "peak_flat",
    "close_balance",
    "close_equity",
)


class Mark(Struct, frozen=True, omit_defaults=True):
    """An amount, and the last tick that had been seen when it first stood."""

    amount: Money
    tick: int
    at: datetime
    moved: Money | None = None  # by flows since then, which the amount has in it

    def moved_by(self, flow: Money) -> Self:
        moved = flow if self.moved is None else self.moved + flow
        return replace(self, amount=self.amount + flow, moved=moved)


class Marks(Struct, frozen=True, dict=True):
    """On the first day every mark is the deposit."""

    deposit: Mark
    day_balance: Mark  # just before the last boundary
    day_equity: Mark  # likewise
    day_peak_equity: Mark  # begins as day_equity, follows the day's highest equity
    week_balance: Mark  # just before the last boundary that began a week
    week_equity: Mark  # likewise
    week_peak_equity: Mark  # begins as week_equity, follows the week's highest equity
    peak_balance: Mark  # the highest that any instant has seen
    peak_equity: Mark  # likewise
    peak_flat: Mark  # the highest balance of an instant at which nothing was open
    close_balance: Mark  # the highest that a boundary has seen
    close_equity: Mark  # likewise
    capital: Mark  # the deposit and every flow since: profit is what is above it

    @classmethod
    def at_opening(cls, deposit: Mark) -> Self:
        return cls(*(deposit,) * len(cls.__struct_fields__))

    def raised(
        self, balance: Money, equity: Money, tick: int, at: datetime, *, is_flat: bool
    ) -> Self:
        """Most instants raise nothing and give back the same marks."""
        rises_balance = self.peak_balance.amount.amount < balance.amount
        rises_day = self.day_peak_equity.amount.amount < equity.amount
        rises_equity = self.peak_equity.amount.amount < equity.amount
        rises_flat = is_flat and self.peak_flat.amount.amount < balance.amount
        if not (rises_balance or rises_day or rises_equity or rises_flat):
            return self
        booked, stood = Mark(balance, tick, at), Mark(equity, tick, at)
        return replace(
            self,
            peak_balance=booked if rises_balance else self.peak_balance,
            peak_flat=booked if rises_flat else self.peak_flat,
            day_peak_equity=stood if rises_day else self.day_peak_equity,
            week_peak_equity=higher(self.week_peak_equity, stood),
            peak_equity=stood if rises_equity else self.peak_equity,
        )

    def turned(self, balance: Mark, equity: Mark) -> Self:
        """A boundary: what stands just before it anchors the new day."""
        return replace(
            self,
            day_balance=balance,
            day_equity=equity,
            day_peak_equity=equity,
            close_balance=higher(self.close_balance, balance),
            close_equity=higher(self.close_equity, equity),
        )

    def flowed(self, flow: Money, how: FlowMarks, tick: int, at: datetime) -> Self:
        """Money came in or went out, by which nobody has gained or lost."""
        highest = {each: getattr(self, each) for each in HIGHEST}
        match how:
            case FlowMarks.SHIFT:
                highest = {each: mark.moved_by(flow) for each, mark in highest.items()}
            case FlowMarks.RESET:
                highest = dict.fromkeys(HIGHEST, Mark(self.deposit.amount, tick, at))
            case FlowMarks.KEEP:
                pass
            case _:
                assert_never(how)
        anchors = {each: getattr(self, each).moved_by(flow) for each in ANCHORS}
        return replace(self, **anchors, **highest)

    def scaled(self, deposit: Money, how: FlowMarks, tick: int, at: datetime) -> Self:
        """The deposit becomes another, by a flow of the difference."""
        flow = deposit - self.deposit.amount
        anew = replace(self, deposit=Mark(deposit, tick, at))
        return anew.flowed(flow, how, tick, at)

    def week_turned(self) -> Self:
        """What anchors the new day anchors a new week too."""
        return replace(
            self,
            week_balance=self.day_balance,
            week_equity=self.day_equity,
            week_peak_equity=self.day_equity,
        )


def higher(first: Mark, second: Mark) -> Mark:
    return second if first.amount < second.amount else first
