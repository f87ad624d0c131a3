"""Add-ons: those that can be bought together go together, in whichever order."""

from collections.abc import Iterator
from itertools import combinations, product

from domain.plan.add_ons import AddOn, Place, compiled, place_of, price_with
from domain.plan.cents import refuse_half_cents
from domain.plan.content import Content
from domain.plan.findings import Notes
from domain.plan.words import amount_in_words


def lint_choices(content: Content, notes: Notes) -> None:
    for number, add_on in enumerate(content.add_ons):
        path = f"add_ons[{number}]"
        lint_exclusions(add_on, content.add_ons, path, notes)
        if compiled(content.terms, (add_on,)) == content.terms:
            notes.open(
                path,
                f"{add_on.id} leaves the terms as they are",
                "it is sold and changes nothing",
                "another change was meant",
            )
        for (before, _, _), (after, field, _) in combinations(changes(add_on, path), 2):
            if before.overlaps(after):
                notes.open(
                    field,
                    f"{add_on.id} changes the same place twice",
                    "the first change counts",
                    "the last change counts",
                )
    for (first, one), (second, other) in combinations(enumerate(content.add_ons), 2):
        if not exclude_each_other(one, other):
            lint_overlap(
                changes(one, f"add_ons[{first}]"),
                changes(other, f"add_ons[{second}]"),
                (one.id, other.id),
                notes,
            )


def lint_exclusions(
    add_on: AddOn, offered: tuple[AddOn, ...], path: str, notes: Notes
) -> None:
    others = {each.id for each in offered} - {add_on.id}
    for place, excluded in enumerate(add_on.excludes):
        if excluded not in others:
            notes.open(
                f"{path}.excludes[{place}]",
                f"no other add-on is called {excluded}",
                f"{add_on.id} is sold with each of the others",
                "it is not sold with one that was meant",
            )


def exclude_each_other(one: AddOn, other: AddOn) -> bool:
    return one.id in other.excludes or other.id in one.excludes


def changes(add_on: AddOn, path: str) -> Iterator[tuple[Place, str, object]]:
    for number, change in enumerate(add_on.changes):
        yield place_of(change), f"{path}.changes[{number}].at", change.to


def lint_overlap(
    ones: Iterator[tuple[Place, str, object]],
    others: Iterator[tuple[Place, str, object]],
    ids: tuple[str, str],
    notes: Notes,
) -> None:
    for (place, _, first), (other, field, second) in product(ones, others):
        if place.overlaps(other):
            notes.open(
                field,
                f"{ids[0]} and {ids[1]} change the same place and can be bought"
                " together",
                f"{ids[0]} counts: {first}",
                f"{ids[1]} counts: {second}",
            )


def lint_prices(
    content: Content, choices: list[tuple[AddOn, ...]], notes: Notes
) -> None:
    currency = content.terms.currency
    for number, add_on in enumerate(content.add_ons):
        for size in content.sizes:
            exact = add_on.price.exactly(size.price)
            told = f"{add_on.id} beside {amount_in_words(size.price, currency)}"
            field = f"add_ons[{number}].price"
            if refuse_half_cents(exact, currency, field, told, notes):
                break
    for add_ons, size in product(choices, content.sizes):
        if price_with(size.price, add_ons, currency) < 0:
            number = content.add_ons.index(add_ons[-1])
            notes.open(
                f"add_ons[{number}].price",
                f"with {' and '.join(each.id for each in add_ons)} a price of"
                f" {amount_in_words(size.price, currency)} falls below zero",
                "it costs nothing",
                "the buyer is paid",
            )
            return
