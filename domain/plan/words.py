"""How single terms are said: a choice by its phrase, a number by what it is of."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

from msgspec import Struct

from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.span import Span, Unit
from domain.values.money import Money

E = TypeVar("E", bound=StrEnum)
Kinder = Callable[[Any, Any], bool | None]


def unordered(_: object, __: object) -> None:
    """Which of the two is kinder depends on how one trades."""


def more_is_kinder(after: Decimal, before: Decimal) -> bool:
    return after > before


def less_is_kinder(after: Decimal, before: Decimal) -> bool:
    return after < before


class Term(Struct, frozen=True, kw_only=True):
    """One term of a rule. `left_out` is None where only a number could be missing."""

    label: str
    says: Callable[[Any, str], str]  # the value, in the account's currency
    left_out: tuple[str, str] | None = None
    values: str = ""  # all that may be written, where that is a choice
    kinder: Kinder = unordered


BASES: Final[Mapping[AmountBasis, str]] = {
    AmountBasis.SHARE_OF_DEPOSIT: "of the deposit",
    AmountBasis.SHARE_OF_ANCHOR: "of what it is measured from",
    AmountBasis.ABSOLUTE: "in money, the same for every size",
}
UNITS: Final[Mapping[Unit, str]] = {
    Unit.ELAPSED: "of 24 hours",
    Unit.CALENDAR: "of the plan's calendar",
}


def amount_in_words(amount: Decimal, currency: str) -> str:
    return f"{Money.rounded(amount, currency).amount:,} {currency}"


def money_in_words(money: Money) -> str:
    return amount_in_words(money.amount, money.currency)


def percent_in_words(value: Decimal) -> str:
    return f"{value.normalize():f} %"


def days_in_words(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def allowance_in_words(allowance: Allowance, currency: str) -> str:
    if allowance.basis is AmountBasis.ABSOLUTE:
        return amount_in_words(allowance.value, currency)
    return f"{percent_in_words(allowance.value)} {BASES[allowance.basis]}"


def span_in_words(span: Span) -> str:
    return f"{days_in_words(span.days)} {UNITS[span.unit]}"


def choice(
    label: str,
    phrases: Mapping[E, str],
    *,
    likely: tuple[E, E] | None = None,
    kindest_first: bool = False,
) -> Term:
    """Describe one of several words; the two that are `likely` when it is left out."""
    members = list(phrases)
    first, second = likely or (members[0], members[1])

    def says(value: E | None, _: str) -> str:
        return "nothing" if value is None else phrases[value]

    def kinder(after: E, before: E) -> bool:
        return members.index(after) < members.index(before)

    return Term(
        label=label,
        says=says,
        left_out=(f"{first}: {phrases[first]}", f"{second}: {phrases[second]}"),
        values=", ".join(members),
        kinder=kinder if kindest_first else unordered,
    )


def yes_or_no(label: str, yes: str, no: str, *, kinder: Kinder = unordered) -> Term:
    return Term(
        label=label,
        says=lambda value, _: yes if value else no,
        left_out=(f"true: {yes}", f"false: {no}"),
        values="true, false",
        kinder=kinder,
    )


def share_of(label: str, of: str, kinder: Kinder) -> Term:
    return Term(
        label=label,
        says=lambda value, _: f"{percent_in_words(value)} {of}",
        kinder=kinder,
    )


def number_of_days(label: str, kinder: Kinder) -> Term:
    return Term(label=label, says=lambda days, _: days_in_words(days), kinder=kinder)


def kinder_allowance(after: Allowance, before: Allowance) -> bool | None:
    return after.value > before.value if after.basis is before.basis else None


def longer_is_kinder(after: Span, before: Span) -> bool | None:
    return after.days > before.days if after.unit is before.unit else None


def lock_in_words(lock: Decimal | None, currency: str) -> str:
    if lock is None:
        return "nowhere"
    if not lock:
        return "at the deposit"
    side = "above" if lock > 0 else "below"
    return f"{amount_in_words(abs(lock), currency)} {side} the deposit"


def kinder_lock(after: Decimal | None, before: Decimal | None) -> bool:
    """A floor that stops earlier leaves more room."""
    return after is not None and (before is None or after < before)
