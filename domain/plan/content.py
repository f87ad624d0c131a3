"""A plan that has been read: what is sold, at which prices, and what may be added."""

from msgspec import Struct

from domain.plan.add_ons import AddOn
from domain.plan.events import PlanDrafted, Size
from domain.rules.terms import Terms
from domain.values.money import Money


class Content(Struct, frozen=True, kw_only=True):
    name: str
    sizes: tuple[Size, ...]
    terms: Terms
    add_ons: tuple[AddOn, ...] = ()

    @property
    def deposits(self) -> tuple[Money, ...]:
        currency = self.terms.currency
        return tuple(Money.rounded(each.deposit, currency) for each in self.sizes)


def content_of(drafted: PlanDrafted) -> Content:
    return Content(
        name=drafted.name,
        sizes=drafted.sizes,
        terms=drafted.terms,
        add_ons=drafted.add_ons,
    )
