"""A profit that has once been reached stays reached, whatever is lost later."""

from decimal import Decimal

from msgspec import field

from domain.rules.allowance import share
from domain.rules.marks import Mark
from domain.rules.objective import Target
from domain.rules.profit_target import Basis
from domain.rules.standing import Standing
from domain.values.exact import positive
from domain.values.money import Money


class StickyTarget(
    Target,
    frozen=True,
    kw_only=True,
    tag="sticky_target",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """As a target, held against the highest that has stood.

    Where it asks for a flat book, the book was flat then and is flat when it passes.
    """

    percent: Decimal = field(name="pct")
    basis: Basis
    needs_flat: bool = field(name="flat")

    def __post_init__(self) -> None:
        positive(self.percent)
        if self.needs_flat and self.basis is Basis.EQUITY:
            raise ValueError("with nothing open, equity is the balance: say closed")

    def level(self, standing: Standing) -> Money:
        return standing.capital + share(self.percent, standing.deposit)

    def observed(self, standing: Standing) -> Money:
        return self.mark(standing).amount

    def mark(self, standing: Standing) -> Mark:
        if self.needs_flat:
            return standing.marks.peak_flat
        if self.basis is Basis.CLOSED:
            return standing.marks.peak_balance
        return standing.marks.peak_equity

    def is_met(self, standing: Standing) -> bool:
        if self.needs_flat and not standing.is_flat:
            return False
        return self.level(standing) <= self.observed(standing)
