"""The phase asks for a profit, counted closed or open, as its terms say."""

from decimal import Decimal
from enum import StrEnum

from msgspec import field

from domain.rules.allowance import share
from domain.rules.objective import Target
from domain.rules.standing import Standing
from domain.values.exact import positive
from domain.values.money import Money


class Basis(StrEnum):
    CLOSED = "closed"  # the balance: open gains do not count
    EQUITY = "equity"


class ProfitTarget(
    Target,
    frozen=True,
    kw_only=True,
    tag="target",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """`percent` of the deposit, reached when touched."""

    percent: Decimal = field(name="pct")
    basis: Basis
    needs_flat: bool = field(name="flat")  # no position may be open

    def __post_init__(self) -> None:
        positive(self.percent)

    def level(self, standing: Standing) -> Money:
        return standing.capital + share(self.percent, standing.deposit)

    def observed(self, standing: Standing) -> Money:
        return standing.balance if self.basis is Basis.CLOSED else standing.equity

    def is_met(self, standing: Standing) -> bool:
        if self.needs_flat and not standing.is_flat:
            return False
        return self.level(standing) <= self.observed(standing)
