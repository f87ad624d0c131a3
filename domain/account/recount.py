"""An account counted again from its log, with some quotes left out."""

from datetime import datetime

from msgspec import Struct

from domain.account.position import Valued
from domain.rules.marks import Marks
from domain.rules.record import Record
from domain.values.money import Money


class Restored(Struct, frozen=True, kw_only=True):
    """A fill at a quote that does not count, at the last quotes that do."""

    booked: Money  # what it brought, or took
    instead: Valued

    @property
    def correction(self) -> Money:
        return self.instead.profit - self.booked


class Recount(Struct, frozen=True, kw_only=True):
    version: int  # of the stream that was counted; what came later is not in it
    at: datetime  # of what happened last to it; days have turned since
    tick: int  # likewise
    restored: tuple[Restored, ...]
    balance: Money
    marks: Marks
    record: Record
    paused: frozenset[str]
