"""From what was written to what it says; what it leaves open becomes a finding.

A choice that is missing is found with two readings that firms give it. What no plan can
say (a misspelt word, half a number) is a fault: that is a matter of the schema.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from domain.plan.add_ons import (
    AddOn,
    Change,
    NoSuchPlace,
    PriceEffect,
    apply,
    place_of,
)
from domain.plan.content import Content
from domain.plan.document import PlanDocument, WrittenAddOn, WrittenChange
from domain.plan.events import Size
from domain.plan.findings import Fault, Finding, Notes
from domain.plan.rule_reading import converted, read_rule
from domain.plan.rule_words import FLOWS, WEEKDAYS
from domain.plan.trading_reading import read_trading
from domain.plan.zones import read_zone
from domain.rules.flow_marks import FlowMarks
from domain.rules.max_loss import MaxLoss
from domain.rules.phase import Phase, Rule
from domain.rules.sticky_target import StickyTarget
from domain.rules.terms import ADJUDICATOR, Terms
from domain.rules.weekly_loss import WeeklyLoss
from domain.values.exact import exact
from domain.values.money import MINOR_UNIT

LONGEST_ZONE: Final = 64


class Reading(Struct, frozen=True, kw_only=True):
    """`phases` has None where one could not be read; `content` needs all there is."""

    sizes: tuple[Size, ...]
    phases: tuple[Phase | None, ...]
    content: Content | None
    findings: tuple[Finding, ...]
    faults: tuple[Fault, ...]


def read(document: PlanDocument) -> Reading:
    notes = Notes()
    if document.currency not in MINOR_UNIT:
        notes.fault("currency", f"not one of {', '.join(sorted(MINOR_UNIT))}")
    sizes = tuple(read_sizes(document, notes))
    phases = tuple(
        read_phase(written, f"phases[{place}]", notes)
        for place, written in enumerate(document.phases)
    )
    refuse_alike(
        (each.get("name") for each in document.phases), "phases", "name", notes
    )
    refuse_alike((each.id for each in document.add_ons), "add_ons", "id", notes)
    content = None
    if notes.is_clear():
        content = read_content(document, sizes, phases, notes)
    return Reading(
        sizes=sizes,
        phases=phases,
        content=content if notes.is_clear() else None,
        findings=tuple(notes.findings),
        faults=tuple(notes.faults),
    )


def read_sizes(document: PlanDocument, notes: Notes) -> Iterator[Size]:
    for place, written in enumerate(document.sizes):
        deposit, price = exact(written.deposit), exact(written.price)
        if deposit <= 0:
            notes.fault(f"sizes[{place}].deposit", "not above zero")
        if price < 0:
            notes.fault(f"sizes[{place}].price", "below zero")
        yield Size(deposit=deposit, price=price)


def read_phase(written: Mapping[str, Any], path: str, notes: Notes) -> Phase | None:
    rules = written.get("rules")
    if not isinstance(written.get("name"), str):
        notes.fault(f"{path}.name", "a name for the phase is needed")
    if not isinstance(rules, list | tuple):
        notes.fault(f"{path}.rules", "a list of rules is needed")
        return None
    terms = {**written}
    is_fixed = terms.pop("fixed_offset", False)
    if not isinstance(is_fixed, bool):
        notes.fault(f"{path}.fixed_offset", "true or false")
    read_boundary(
        written.get("reset"), f"{path}.reset", notes, is_fixed=is_fixed is True
    )
    read = [
        read_rule(rule, f"{path}.rules[{place}]", notes)
        for place, rule in enumerate(rules)
    ]
    trading = read_trading(written.get("trading"), f"{path}.trading", notes)
    ids = (each.get("id") for each in rules if isinstance(each, dict))
    refuse_alike(ids, f"{path}.rules", "id", notes)
    refuse_two_weeks(read, f"{path}.rules", notes)
    refuse_two_ways(read, f"{path}.rules", notes)
    if not notes.is_clear(path):
        return None
    whole = {
        **terms,
        "rules": [to_builtins(rule) for rule in read],
        "trading": to_builtins(trading),
    }
    return converted(whole, Phase, path, notes)


def read_boundary(reset: object, path: str, notes: Notes, *, is_fixed: bool) -> None:
    """Read the place; the local time is checked with everything else."""
    match reset:
        case [str() as zone, str()] if len(zone) <= LONGEST_ZONE:
            read_zone(zone, f"{path}[0]", notes, is_fixed=is_fixed)
        case None | str() | [str()]:
            notes.open(
                path,
                "when the day turns needs a place and a local time there",
                '["UTC", "00:00"]: at midnight of UTC, summer and winter',
                '["America/New_York", "17:00"]: at the close of New York',
            )
        case _:
            notes.fault(path, "a zone and a local time are needed")


def refuse_alike(names: Iterable[object], path: str, by: str, notes: Notes) -> None:
    """Names that are the same, or that only capital letters tell apart."""
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if not isinstance(name, str):
            continue
        first = seen.setdefault(name.casefold(), place)
        if first != place:
            notes.open(
                f"{path}[{place}].{by}",
                f"{name} is the name of {path}[{first}] too",
                f"what is said of {name} is said of {path}[{first}]",
                f"what is said of {name} is said of {path}[{place}]",
            )


def refuse_two_weeks(rules: list[Rule | None], path: str, notes: Notes) -> None:
    weeks = [
        (place, rule.week)
        for place, rule in enumerate(rules)
        if isinstance(rule, WeeklyLoss)
    ]
    for place, week in weeks[1:]:
        if week != weeks[0][1]:
            notes.open(
                f"{path}[{place}].week",
                "the weekly rules of a phase begin their week on different days",
                f"the week begins with {WEEKDAYS[weeks[0][1]]} for all of them",
                f"the week begins with {WEEKDAYS[week]} for all of them",
            )


def refuse_two_ways(rules: list[Rule | None], path: str, notes: Notes) -> None:
    """Floors of a phase follow the same marks, and so do targets that stay reached."""
    trailing = [
        (place, rule.flow_marks)
        for place, rule in enumerate(rules)
        if isinstance(rule, MaxLoss) and rule.flow_marks is not None
    ]
    has_sticky = any(isinstance(rule, StickyTarget) for rule in rules)
    first = FlowMarks.SHIFT if has_sticky or not trailing else trailing[0][1]
    for place, how in trailing:
        if how is not first:
            notes.open(
                f"{path}[{place}].flow_marks",
                "the marks that a phase follows are moved by payouts in two ways",
                f"a payout {FLOWS[first]}, for all of them",
                f"a payout {FLOWS[how]}, for all of them",
            )


def read_content(
    document: PlanDocument,
    sizes: tuple[Size, ...],
    phases: tuple[Phase | None, ...],
    notes: Notes,
) -> Content:
    terms = Terms(
        adjudicator=ADJUDICATOR,
        currency=document.currency,
        phases=tuple(each for each in phases if each is not None),
    )
    add_ons = tuple(
        read_add_on(terms, add_on, f"add_ons[{place}]", notes)
        for place, add_on in enumerate(document.add_ons)
    )
    return Content(name=document.name, sizes=sizes, terms=terms, add_ons=add_ons)


def read_add_on(terms: Terms, add_on: WrittenAddOn, path: str, notes: Notes) -> AddOn:
    """Apply it to the terms by itself, with every rule that it adds written out."""
    written = to_builtins(terms)
    changes = []
    for number, change in enumerate(add_on.changes):
        at = f"{path}.changes[{number}]"
        complete = read_change(change, at, notes)
        changes.append(complete)
        try:
            apply(written, complete)
        except NoSuchPlace as nowhere:
            notes.open(
                f"{at}.at",
                f"the terms have no place {nowhere}",
                "the add-on changes nothing there",
                "another phase, rule or term was meant",
            )
    within = Notes()
    if notes.is_clear(path):
        converted(written, Terms, "", within)
    for fault in within.faults:
        where = fault.path.removeprefix(".")
        notes.fault(f"{path}.changes", f"{where}: {fault.reason}")
    basis, value = add_on.price
    return AddOn(
        id=add_on.id,
        name=add_on.name,
        price=PriceEffect(basis, exact(value)),
        changes=tuple(changes),
        excludes=add_on.excludes,
    )


def read_change(written: WrittenChange, path: str, notes: Notes) -> Change:
    """A rule that takes another's place is as complete as the one in the plan."""
    change = Change(at=written.at, to=written.to)
    try:
        place = place_of(change)
    except NoSuchPlace:
        return change  # which `apply` says too
    if place.rule is None or place.field is not None or change.to is None:
        return change
    rule = read_rule(change.to, f"{path}.to", notes)
    return change if rule is None else replace(change, to=to_builtins(rule))
