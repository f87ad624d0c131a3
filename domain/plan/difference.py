"""What another version changes for the trader, place by place, in words.

Phases are told apart by name, rules and add-ons by id, sizes by deposit: those names
are what a trader knows them by.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from msgspec import Struct

from domain.plan.add_ons import AddOn, PriceBasis, PriceEffect, compiled
from domain.plan.content import Content
from domain.plan.events import Size
from domain.plan.rule_words import WORDS, value_of
from domain.plan.sentences import SENTENCES
from domain.plan.trading_words import TRADING, trading_in_words
from domain.plan.words import amount_in_words, percent_in_words
from domain.rules.max_loss import MaxLoss
from domain.rules.objective import Target
from domain.rules.phase import Phase, Rule
from domain.rules.terms import Terms

T = TypeVar("T")


class ForTrader(StrEnum):
    KINDER = "kinder"
    STRICTER = "stricter"
    OTHER = "other"  # which it is depends on how one trades


KINDNESS: Final = {
    True: ForTrader.KINDER,
    False: ForTrader.STRICTER,
    None: ForTrader.OTHER,
}


class Difference(Struct, frozen=True, kw_only=True):
    field: str
    says: str
    for_trader: ForTrader = ForTrader.OTHER


def differences(before: Content, after: Content) -> tuple[Difference, ...]:
    currency = after.terms.currency
    return (
        *of_word("name", "the name", before.name, after.name),
        *of_word("currency", "the currency", before.terms.currency, currency),
        *of_sizes(before, after),
        *of_terms(before.terms, after.terms),
        *of_add_ons(before, after),
    )


def of_terms(before: Terms, after: Terms) -> Iterator[Difference]:
    currency = after.currency
    gone, new, kept = matched(before.phases, after.phases, lambda phase: phase.name)
    for phase in gone:
        yield Difference(field=f"phases[{phase.name}]", says=f"{phase.name} is gone.")
    for phase in new:
        place = after.phases.index(phase)
        says = f"{phase.name} is new, as phase {place + 1}."
        yield Difference(field=f"phases[{phase.name}]", says=says)
    order = [one.name for one, _ in kept]
    if [name for name in order_of(after) if name in order] != order:
        says = f"The phases come in another order: {', '.join(order_of(after))}."
        yield Difference(field="phases", says=says)
    for one, other in kept:
        yield from of_phase(one, other, currency)


def order_of(terms: Terms) -> list[str]:
    return [phase.name for phase in terms.phases]


def of_phase(before: Phase, after: Phase, currency: str) -> Iterator[Difference]:
    path, name = f"phases[{after.name}]", after.name
    turned, turns = (
        f"{each.trading_day.turns_at} in {each.trading_day.zone}"
        for each in (before, after)
    )
    if turned != turns:
        says = f"In {name} the day turns at {turns}, no longer at {turned}."
        yield Difference(field=f"{path}.reset", says=says)
    yield from of_trading(before, after, f"{path}.trading", currency)
    gone, new, kept = matched(before.rules, after.rules, lambda rule: rule.id)
    for rule in gone:
        yield no_longer(rule, path, name, currency)
    for rule in new:
        yield anew(rule, path, name, currency)
    for one, other in kept:
        if type(one) is type(other):
            yield from of_rule(one, other, f"{path}.rules[{other.id}]", name, currency)
        else:
            yield no_longer(one, path, name, currency)
            yield anew(other, path, name, currency)


def of_trading(
    before: Phase, after: Phase, path: str, currency: str
) -> Iterator[Difference]:
    one, other = before.trading, after.trading
    if one is None or other is None:
        if one is not other:
            has, had = (
                "; ".join(trading_in_words(each, currency)) for each in (other, one)
            )
            says = f"In {after.name} the terms of trading: {has}; before: {had}."
            yield Difference(field=path, says=says)
        return
    for name, term in TRADING.items():
        was, now = getattr(one, name), getattr(other, name)
        if was != now:
            yield Difference(
                field=f"{path}.{name}",
                says=f"In {after.name}, {term.label}: {term.says(now, currency)};"
                f" before: {term.says(was, currency)}.",
                for_trader=KINDNESS[term.kinder(now, was)],
            )


def no_longer(rule: Rule, path: str, phase: str, currency: str) -> Difference:
    return Difference(
        field=f"{path}.rules[{rule.id}]",
        says=f"In {phase} this no longer holds: {sentence(rule, currency)}",
        for_trader=ForTrader.OTHER if isinstance(rule, Target) else ForTrader.KINDER,
    )


def anew(rule: Rule, path: str, phase: str, currency: str) -> Difference:
    return Difference(
        field=f"{path}.rules[{rule.id}]",
        says=f"In {phase} this holds anew: {sentence(rule, currency)}",
        for_trader=ForTrader.OTHER if isinstance(rule, Target) else ForTrader.STRICTER,
    )


def sentence(rule: Rule, currency: str) -> str:
    kind = type(rule)
    return f"{WORDS[kind].title} ({rule.id}). {SENTENCES[kind](rule, currency)}"


def of_rule(
    before: Rule, after: Rule, path: str, phase: str, currency: str
) -> Iterator[Difference]:
    words = WORDS[type(after)]
    for name, term in words.terms.items():
        old, new = value_of(before, name), value_of(after, name)
        if term.says(old, currency) != term.says(new, currency):
            is_asked = is_asked_of_both(name, before, after)
            yield Difference(
                field=f"{path}.{name}",
                says=f"In {phase}, {words.title} ({after.id}), {term.label}:"
                f" {term.says(new, currency)}; before: {term.says(old, currency)}.",
                for_trader=KINDNESS[term.kinder(new, old) if is_asked else None],
            )


def is_asked_of_both(name: str, before: Rule, after: Rule) -> bool:
    """Where a floor that never moves would stop is nothing to compare with."""
    if isinstance(before, MaxLoss) and isinstance(after, MaxLoss) and name == "lock":
        return before.mode is after.mode
    return True


def of_sizes(before: Content, after: Content) -> Iterator[Difference]:
    currency = after.terms.currency
    gone, new, kept = matched(before.sizes, after.sizes, lambda size: size.deposit)
    for size in gone:
        says = f"A deposit of {deposit_of(size, currency)} is no longer sold."
        yield Difference(field=f"sizes[{size.deposit:f}]", says=says)
    for size in new:
        price = amount_in_words(size.price, currency)
        says = f"A deposit of {deposit_of(size, currency)} is sold anew for {price}."
        yield Difference(field=f"sizes[{size.deposit:f}]", says=says)
    for one, other in kept:
        if one.price != other.price:
            old, price = (
                amount_in_words(each.price, currency) for each in (one, other)
            )
            yield Difference(
                field=f"sizes[{other.deposit:f}].price",
                says=f"A deposit of {deposit_of(other, currency)} costs {price};"
                f" before: {old}.",
                for_trader=KINDNESS[other.price < one.price],
            )


def deposit_of(size: Size, currency: str) -> str:
    return amount_in_words(size.deposit, currency)


def of_add_ons(before: Content, after: Content) -> Iterator[Difference]:
    gone, new, kept = matched(before.add_ons, after.add_ons, lambda each: each.id)
    for add_on in gone:
        yield Difference(
            field=f"add_ons[{add_on.id}]",
            says=f"{add_on.name} ({add_on.id}) is no longer offered.",
        )
    for add_on in new:
        yield Difference(
            field=f"add_ons[{add_on.id}]",
            says=f"{add_on.name} ({add_on.id}) is offered anew.",
        )
    for one, other in kept:
        yield from of_add_on((before, one), (after, other))


def of_add_on(
    before: tuple[Content, AddOn], after: tuple[Content, AddOn]
) -> Iterator[Difference]:
    (was, one), (now, other) = before, after
    path, currency = f"add_ons[{other.id}]", now.terms.currency
    yield from of_word(f"{path}.name", f"the name of {other.id}", one.name, other.name)
    old, price = (price_in_words(each.price, currency) for each in (one, other))
    yield from of_word(f"{path}.price", f"the price of {other.id}", old, price)
    excluded, excludes = (
        ", ".join(each.excludes) or "nothing" for each in (one, other)
    )
    yield from of_word(
        f"{path}.excludes", f"what is not sold with {other.id}", excluded, excludes
    )
    if one.changes != other.changes:
        does = "; ".join(changes_in_words(now, other))
        did = "; ".join(changes_in_words(was, one))
        yield from of_word(f"{path}.changes", f"what {other.id} does", did, does)


def changes_in_words(content: Content, add_on: AddOn) -> list[str]:
    """What it makes of the plan's own terms."""
    with_it = compiled(content.terms, (add_on,))
    return [each.says for each in of_terms(content.terms, with_it)]


def price_in_words(price: PriceEffect, currency: str) -> str:
    if price.basis is PriceBasis.SHARE_OF_PRICE:
        return f"{percent_in_words(price.value)} of the price"
    return amount_in_words(price.value, currency)


def of_word(field: str, what: str, before: str, after: str) -> Iterator[Difference]:
    if before != after:
        says = f"{what[0].upper()}{what[1:]}: {after}; before: {before}."
        yield Difference(field=field, says=says)


def matched(
    before: Iterable[T], after: Iterable[T], key: Callable[[T], str | Decimal]
) -> tuple[list[T], list[T], list[tuple[T, T]]]:
    """What is gone, what is new, and what is on both sides."""
    was, now = ({key(each): each for each in side} for side in (before, after))
    gone = [each for name, each in was.items() if name not in now]
    new = [each for name, each in now.items() if name not in was]
    return gone, new, [(was[name], now[name]) for name in was if name in now]
