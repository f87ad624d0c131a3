"""Refuses a plan that can be read in two ways, before anybody has bought it.

Each check knows one way in which firms' own rule pages contradict themselves. What it
finds names the place, the reason and both readings; a warning is shown and refuses
nothing.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Final

from domain.plan.add_ons import AddOn, chosen, compiled
from domain.plan.content import Content
from domain.plan.document import PlanDocument
from domain.plan.errors import AddOnNotOffered
from domain.plan.findings import Finding, Notes, errors
from domain.plan.lint_add_ons import lint_choices, lint_prices
from domain.plan.lint_limits import lint_limits
from domain.plan.lint_objectives import lint_objectives
from domain.plan.lint_order import lint_order
from domain.plan.lint_sizes import lint_sizes
from domain.plan.lint_timers import lint_timers
from domain.plan.lint_trading import lint_trading
from domain.plan.reading import Reading, read
from domain.rules.phase import Phase
from domain.rules.terms import Terms
from domain.values.money import Money

Deposits = tuple[Money, ...]
PhaseCheck = Callable[[Phase, Deposits, str, Notes], None]

OF_A_PHASE: Final[tuple[PhaseCheck, ...]] = (
    lint_limits,
    lint_objectives,
    lint_timers,
    lint_trading,
)


def lint(document: PlanDocument) -> tuple[Finding, ...]:
    """Of what is written; a fault is not the linter's matter, see `read`."""
    return findings_of(read(document), document.currency)


def findings_of(reading: Reading, currency: str) -> tuple[Finding, ...]:
    """What can be read is judged, even where something else cannot."""
    if reading.content is not None:
        return (*reading.findings, *lint_content(reading.content))
    if reading.faults:
        return reading.findings
    notes = Notes()
    lint_sizes(reading.sizes, currency, notes)
    deposits = tuple(Money.rounded(each.deposit, currency) for each in reading.sizes)
    for place, phase in enumerate(reading.phases):
        if phase is not None:
            lint_phase(phase, deposits, f"phases[{place}]", notes)
    return (*reading.findings, *notes.findings)


def lint_content(content: Content) -> tuple[Finding, ...]:
    notes = Notes()
    terms = content.terms
    deposits = content.deposits
    lint_sizes(content.sizes, terms.currency, notes)
    lint_terms(terms, deposits, notes)
    lint_choices(content, notes)
    if notes.is_clear():
        choices = sold_together(content.add_ons)
        lint_prices(content, choices, notes)
        lint_combinations(content, choices, notes)
    return tuple(notes.findings)


def lint_terms(
    terms: Terms, deposits: Deposits, notes: Notes, known: Terms | None = None
) -> None:
    """What is as in `known` has been judged."""
    lint_order(terms, notes)
    for place, phase in enumerate(terms.phases):
        if known is None or phase != known.phases[place]:
            lint_phase(phase, deposits, f"phases[{place}]", notes)


def lint_phase(phase: Phase, deposits: Deposits, path: str, notes: Notes) -> None:
    for check in OF_A_PHASE:
        check(phase, deposits, path, notes)


def lint_combinations(
    content: Content, choices: list[tuple[AddOn, ...]], notes: Notes
) -> None:
    """Each set of add-ons that can be bought makes terms that say one thing, too.

    What two of them do is not told again of three.
    """
    refused: list[frozenset[str]] = []
    for add_ons in choices:
        ids = frozenset(each.id for each in add_ons)
        if any(fewer <= ids for fewer in refused):
            continue
        within = Notes()
        lint_terms(
            compiled(content.terms, add_ons), content.deposits, within, content.terms
        )
        if found := errors(within.findings):
            refused.append(ids)
            tell(found, content, add_ons, notes)


def sold_together(offered: tuple[AddOn, ...]) -> list[tuple[AddOn, ...]]:
    """Every choice that a buyer has, the smallest first."""
    found = []
    for many in range(1, len(offered) + 1):
        for add_ons in combinations(offered, many):
            try:
                chosen(offered, [each.id for each in add_ons])
            except AddOnNotOffered:
                continue
            found.append(add_ons)
    return found


def tell(
    found: tuple[Finding, ...],
    content: Content,
    add_ons: tuple[AddOn, ...],
    notes: Notes,
) -> None:
    place = content.add_ons.index(add_ons[-1])
    together = " and ".join(each.id for each in add_ons)
    for each in found:
        notes.open(
            f"add_ons[{place}]",
            f"with {together}, {each.field}: {each.reason}",
            *each.readings,
        )
