"""Phases come one after the other: each but the last must be one that ends."""

import re
from itertools import pairwise
from typing import Final

from domain.plan.findings import Notes
from domain.rules.terms import Terms

NUMBER: Final = re.compile(r"[0-9]+")


def lint_order(terms: Terms, notes: Notes) -> None:
    phases = terms.phases
    for place, phase in enumerate(phases[:-1]):
        if not phase.targets:
            notes.open(
                f"phases[{place}]",
                f"{phase.name} has no profit target, so {phases[place + 1].name}"
                " is never reached",
                f"{phase.name} is the last phase and never ends",
                f"{phase.name} ends in a way that is not written",
            )
    numbered = [
        (place, phase, int(found[0]))
        for place, phase in enumerate(phases)
        if (found := NUMBER.search(phase.name))
    ]
    for (_, before, first), (place, phase, second) in pairwise(numbered):
        if second < first:
            notes.open(
                f"phases[{place}].name",
                f"{phase.name} comes after {before.name}",
                f"as written: {before.name}, then {phase.name}",
                f"as numbered: {phase.name}, then {before.name}",
            )
