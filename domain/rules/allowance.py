"""How far equity may fall: an amount of money, or a share of something named."""

from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from domain.values.exact import positive
from domain.values.money import Money

HUNDRED = Decimal(100)


class AmountBasis(StrEnum):
    ABSOLUTE = "abs"  # money, in the account's currency
    SHARE_OF_DEPOSIT = "pct_initial"  # per cent, the same amount for ever
    SHARE_OF_ANCHOR = "pct_anchor"  # per cent, grows with what it is measured from


class Allowance(Struct, frozen=True, array_like=True):
    """Written as in a plan: `["pct_initial", "5"]`."""

    basis: AmountBasis
    value: Decimal

    def __post_init__(self) -> None:
        positive(self.value)

    def in_money(self, deposit: Money, anchor: Money) -> Money:
        """Rounded half to even to the minor unit, before anything is subtracted."""
        match self.basis:
            case AmountBasis.ABSOLUTE:
                return Money.rounded(self.value, deposit.currency)
            case AmountBasis.SHARE_OF_DEPOSIT:
                return share(self.value, deposit)
            case AmountBasis.SHARE_OF_ANCHOR:
                return share(self.value, anchor)


@lru_cache(maxsize=16_384)
def share(percent: Decimal, of: Money) -> Money:
    """Every tick asks it again of the same few deposits and anchors."""
    return of.portion(percent / HUNDRED)
