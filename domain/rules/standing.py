"""One account at one instant: everything that a rule may look at."""

from msgspec import Struct

from domain.rules.marks import Marks
from domain.rules.record import Record
from domain.values.money import Money


class Standing(Struct, frozen=True, kw_only=True):
    balance: Money
    equity: Money
    marks: Marks
    record: Record
    trading_days: int
    is_flat: bool
    paused: frozenset[str] = frozenset()  # rules that are silent until the boundary

    @property
    def deposit(self) -> Money:
        return self.marks.deposit.amount

    @property
    def capital(self) -> Money:
        """What profit is measured from: flows are neither gain nor loss."""
        return self.marks.capital.amount
