"""What a buyer may have changed for a price: a named delta of the terms.

A delta says by name what becomes of which place: `phases[funded].rules[daily].amount`
becomes `["pct_initial", "6"]`. A whole rule that becomes `null` is dropped, one that is
not there yet is added. Add-ons are applied in the plan's order, whoever names them in
which order, and the linter sees to it that the order does not matter.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct, convert, to_builtins

from domain.plan.errors import AddOnNotOffered
from domain.rules.terms import Terms
from domain.values.exact import plain
from domain.values.money import Money

HUNDRED: Final = Decimal(100)
PLACE: Final = re.compile(
    r"phases\[(?P<phase>[^][]+)\](\.rules\[(?P<rule>[^][]+)\])?(\.(?P<field>[a-z_]+))?"
)
NAMES: Final = frozenset({"name", "rules", "id", "kind"})  # change the thing instead


class PriceBasis(StrEnum):
    SHARE_OF_PRICE = "pct"  # per cent of the size's price
    ABSOLUTE = "abs"  # money, in the plan's currency


class PriceEffect(Struct, frozen=True, array_like=True):
    """Written as `["pct", "10"]`; below zero it makes the plan cheaper."""

    basis: PriceBasis
    value: Decimal

    def __post_init__(self) -> None:
        plain(self.value)

    def exactly(self, price: Decimal) -> Decimal:
        """In money, not yet rounded."""
        if self.basis is PriceBasis.ABSOLUTE:
            return self.value
        return price * self.value / HUNDRED


class Change(Struct, frozen=True, kw_only=True):
    at: str
    to: Any  # as a plan writes it


class AddOn(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    price: PriceEffect
    changes: tuple[Change, ...]
    excludes: tuple[str, ...] = ()  # ids of others that are not sold with it


class Place(Struct, frozen=True):
    """Where a change falls: a term of a phase, a rule, or a term of a rule."""

    phase: str
    rule: str | None
    field: str | None

    def overlaps(self, other: "Place") -> bool:
        """The same place, or one that lies inside the other."""
        if (self.phase, self.rule) != (other.phase, other.rule):
            return False
        return self.field == other.field or None in (self.field, other.field)


class NoSuchPlace(LookupError):
    """The terms have nothing of that name."""


def place_of(change: Change) -> Place:
    found = PLACE.fullmatch(change.at)
    if found is None or (found["rule"] is None and found["field"] is None):
        raise NoSuchPlace(change.at)
    if found["field"] in NAMES:
        raise NoSuchPlace(change.at)
    return Place(found["phase"], found["rule"], found["field"])


def chosen(offered: tuple[AddOn, ...], ids: Iterable[str]) -> tuple[AddOn, ...]:
    """Give them in the plan's order. Raises `AddOnNotOffered`."""
    wanted = list(ids)
    if unknown := set(wanted) - {each.id for each in offered}:
        raise AddOnNotOffered(", ".join(sorted(unknown)))
    if len(set(wanted)) < len(wanted):
        raise AddOnNotOffered("each is sold once")
    taken = tuple(each for each in offered if each.id in wanted)
    for each in taken:
        if others := sorted(set(each.excludes) & set(wanted)):
            raise AddOnNotOffered(f"{each.id} is not sold with {', '.join(others)}")
    return taken


def compiled(terms: Terms, add_ons: tuple[AddOn, ...]) -> Terms:
    """One frozen policy out of the plan's terms and what was added to them."""
    if not add_ons:
        return terms
    written = to_builtins(terms)
    for add_on in add_ons:
        for change in add_on.changes:
            apply(written, change)
    return convert(written, Terms)


def price_with(price: Decimal, add_ons: tuple[AddOn, ...], currency: str) -> Decimal:
    """Each effect is of the plan's own price, and is rounded by itself."""
    if not add_ons:
        return price
    total = Money.rounded(price, currency)
    for each in add_ons:
        total += Money.rounded(each.price.exactly(price), currency)
    return total.amount


def apply(written: dict[str, Any], change: Change) -> None:
    """Raises `NoSuchPlace`."""
    place = place_of(change)
    phase = named(written["phases"], "name", place.phase)
    if phase is None:
        raise NoSuchPlace(change.at)
    if place.rule is None:
        put(phase, place.field, change)
        return
    rules = [dict(each) for each in phase["rules"]]
    rule = named(rules, "id", place.rule)
    if place.field is not None:
        if rule is None:
            raise NoSuchPlace(change.at)
        put(rule, place.field, change)
    elif change.to is None:
        if rule is None:
            raise NoSuchPlace(change.at)
        rules.remove(rule)
    else:
        if not isinstance(change.to, dict) or change.to.get("id") != place.rule:
            raise NoSuchPlace(f"{change.at}: a rule of that id")
        if rule is None:
            rules.append(change.to)
        else:
            rules[rules.index(rule)] = change.to
    phase["rules"] = rules


def put(term: dict[str, Any], field: str | None, change: Change) -> None:
    if field not in term:
        raise NoSuchPlace(change.at)
    term[field] = change.to


def named(them: Iterable[dict[str, Any]], by: str, name: str) -> dict[str, Any] | None:
    return next((each for each in them if each[by] == name), None)
