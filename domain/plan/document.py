"""What a firm writes: a plan as plain data, before it is known to say one thing only.

Phases and rules are kept as they were written, because what they leave out matters:
the linter names it with its readings. Everything else has its shape already.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from domain.plan.add_ons import PriceBasis
from domain.values.exact import PLAIN

MOST_SIZES = 50
MOST_ADD_ONS = 6  # each combination that can be bought is read by the linter

MOST_CHANGES = 50  # of one add-on

NAME = r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$(?!\n)"
AddOnId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$(?!\n)")]
DecimalText = Annotated[str, Meta(pattern=rf"^{PLAIN.pattern}$(?!\n)")]


class WrittenSize(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account size on sale, in the plan's currency."""

    deposit: DecimalText
    price: DecimalText


class WrittenChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    at: Annotated[str, Meta(max_length=200)]
    to: Any


class WrittenAddOn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: AddOnId
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    price: tuple[PriceBasis, DecimalText]
    changes: Annotated[
        tuple[WrittenChange, ...], Meta(min_length=1, max_length=MOST_CHANGES)
    ]
    excludes: Annotated[tuple[AddOnId, ...], Meta(max_length=MOST_ADD_ONS)] = ()


class PlanDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(pattern=NAME)]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)")]
    sizes: Annotated[tuple[WrittenSize, ...], Meta(min_length=1, max_length=MOST_SIZES)]
    phases: Annotated[tuple[dict[str, Any], ...], Meta(min_length=1, max_length=20)]
    add_ons: Annotated[tuple[WrittenAddOn, ...], Meta(max_length=MOST_ADD_ONS)] = ()
