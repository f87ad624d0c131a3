"""One person holds only so much of the firm's money, in so many accounts, at a time."""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from msgspec import Struct

from domain.values.exact import positive
from domain.values.money import Money


class Overrun(Struct, frozen=True, kw_only=True):
    """Why one more challenge is one too many."""

    limit: str
    actual: str  # with the one that is wanted


class AllocationCap(
    Struct,
    frozen=True,
    kw_only=True,
    tag="allocation",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """Asked when a challenge is bought, never afterwards: it breaches nothing."""

    id: str
    cap: Decimal  # on the deposits of challenges that go on, in the plan's currency
    accounts: int | None  # None: any number of them

    reads_record: ClassVar[bool] = False

    def __post_init__(self) -> None:
        positive(self.cap)
        if self.accounts is not None and self.accounts < 1:
            raise ValueError("not a number of accounts")

    def overrun(self, held: Sequence[Money], wanted: Money) -> Overrun | None:
        """Reaching the cap is allowed; deposits in other currencies are not added."""
        deposits = [each for each in held if each.currency == wanted.currency]
        whole = sum(deposits, wanted)
        if Money.rounded(self.cap, wanted.currency) < whole:
            return Overrun(limit=f"{self.cap:f}", actual=str(whole.amount))
        if self.accounts is not None and self.accounts < len(held) + 1:
            return Overrun(limit=str(self.accounts), actual=str(len(held) + 1))
        return None
