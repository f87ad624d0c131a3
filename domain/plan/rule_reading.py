"""One rule as it was written: what it says, or what it leaves open."""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar, get_args

import msgspec
from msgspec import to_builtins
from msgspec.structs import FieldInfo, fields

from domain.plan.contradictions import CONTRADICTIONS
from domain.plan.findings import Notes
from domain.plan.rule_words import WORDS
from domain.plan.words import BASES, UNITS
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.flow_marks import FlowMarks
from domain.rules.max_loss import Mode
from domain.rules.phase import Rule
from domain.rules.span import Span, Unit
from domain.values.exact import PLAIN

T = TypeVar("T")
Written = Mapping[str, Any]

KINDS: Final[Mapping[str, type[Rule]]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(Rule)
}
PER_CENT: Final = frozenset({"pct", "percent", "%"})
PAIR: Final = 2
UNKNOWN: Final = re.compile("Object contains unknown field `(.*)`")


def read_rule(written: object, path: str, notes: Notes) -> Rule | None:
    if not isinstance(written, dict):
        notes.fault(path, "a rule is an object")
        return None
    kind = KINDS.get(str(written.get("kind")))
    if kind is None:
        notes.fault(f"{path}.kind", f"not one of {', '.join(KINDS)}")
        return None
    complete = {**not_asked(written), **written}
    for field in fields(kind):
        if field.encode_name in complete:
            read_pair(complete[field.encode_name], field, path, notes)
        elif field.required:
            read_absence(kind, field.encode_name, path, notes)
    if kind in CONTRADICTIONS:
        CONTRADICTIONS[kind](complete, path, notes)
    return converted(complete, kind, path, notes) if notes.is_clear(path) else None


def not_asked(written: Written) -> Written:
    """A floor that never moves follows nothing and stops nowhere: no choice is open.

    One that trails is as far away after a payout as before, unless it says otherwise.
    """
    if written.get("mode") == Mode.STATIC:
        return {"hwm_on": None, "lock": None}
    if written.get("mode") == Mode.TRAILING:
        return {"flow_marks": FlowMarks.SHIFT.value}
    return {}


def read_absence(kind: type[Rule], name: str, path: str, notes: Notes) -> None:
    term = WORDS[kind].terms.get(name)
    if term is None:
        notes.fault(f"{path}.{name}", "a name for the rule is needed")
    elif term.left_out is None:
        notes.fault(f"{path}.{name}", f"{term.label} is missing")
    else:
        reason = f"{term.label} is left open: it says none of {term.values}"
        notes.open(f"{path}.{name}", reason, *term.left_out)


def read_pair(value: object, field: FieldInfo, path: str, notes: Notes) -> None:
    """`"5"` may be money or per cent, `30` days of this or that calendar."""
    at = f"{path}.{field.encode_name}"
    is_bare = isinstance(value, str | int) or (
        isinstance(value, list | tuple) and len(value) < PAIR
    )
    if field.type is Allowance and is_bare:
        notes.open(
            at,
            "an amount of what, is left open",
            f'["pct_initial", ...]: per cent {BASES[AmountBasis.SHARE_OF_DEPOSIT]}',
            f'["abs", ...]: {BASES[AmountBasis.ABSOLUTE]}',
        )
    elif field.type is Allowance and isinstance(value, list | tuple):
        if value[0] in PER_CENT:
            notes.open(
                f"{at}[0]",
                "per cent of what, is left open",
                f"pct_initial: {BASES[AmountBasis.SHARE_OF_DEPOSIT]}",
                f"pct_anchor: {BASES[AmountBasis.SHARE_OF_ANCHOR]}",
            )
    elif is_bare and field.type in (Span, Span | None):
        notes.open(
            at,
            "which days are meant, is left open",
            f'["elapsed", ...]: {UNITS[Unit.ELAPSED]}',
            f'["calendar", ...]: {UNITS[Unit.CALENDAR]}',
        )


def converted(written: Written, into: type[T], path: str, notes: Notes) -> T | None:
    """Read what is complete; a word or number that is none is a fault."""
    try:
        read = msgspec.convert(written, into)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        at = f"{path}{place.rstrip('`')}"
        if unknown := UNKNOWN.match(reason):
            at = f"{at}.{unknown[1]}"
        notes.fault(at, reason)
        return None
    odd = odd_numbers(written, to_builtins(read))
    for place, reason in odd:
        notes.fault(f"{path}{place}", reason)
    return None if odd else read


def odd_numbers(written: object, read: object, at: str = "") -> list[tuple[str, str]]:
    """Find what a decoder lets in: 0.1 as a float, digits with underscores."""
    match written:
        case dict():
            assert isinstance(read, dict)
            pairs = [(f"{at}.{k}", each, read[k]) for k, each in written.items()]
        case list() | tuple():
            assert isinstance(read, list | tuple)
            both = zip(written, read, strict=True)
            pairs = [(f"{at}[{n}]", *each) for n, each in enumerate(both)]
        case float():
            return [(at, "a number with decimals is written as a text")]
        case str() if written != read and PLAIN.fullmatch(written) is None:
            return [(at, "not a plain decimal number")]
        case _:
            return []
    return [odd for at, each, back in pairs for odd in odd_numbers(each, back, at)]
