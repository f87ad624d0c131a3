"""Objectives: they can all be met, and it is clear what for."""

from collections.abc import Iterator
from itertools import combinations

from msgspec.structs import replace

from domain.plan.cents import refuse_half_cents, refuse_half_shares
from domain.plan.example import Example
from domain.plan.findings import Notes
from domain.plan.lint_limits import (
    LIKE_A_FRACTION,
    Deposits,
    lint_allowance,
)
from domain.plan.words import days_in_words, money_in_words, percent_in_words
from domain.rules.allocation_cap import AllocationCap
from domain.rules.capped_days import CappedDays
from domain.rules.consistency import Consequence, Consistency
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import Phase, Rule, TargetRule
from domain.rules.profit_target import ProfitTarget
from domain.rules.profitable_days import ProfitableDays
from domain.rules.sticky_target import StickyTarget
from domain.rules.trading_days import TradingDays
from domain.values.money import Money


def lint_objectives(phase: Phase, deposits: Deposits, path: str, notes: Notes) -> None:
    for at, rule in placed(phase, path):
        match rule:
            case ProfitTarget() | StickyTarget():
                lint_target(rule, deposits, at, notes)
            case ProfitableDays():
                lint_allowance(rule.amount, deposits, f"{at}.amount", notes)
                lint_days_needed(phase, rule, deposits, at, notes)
            case Consistency():
                lint_consistency(phase, rule, at, notes)
            case CappedDays() if not phase.targets:
                notes.open(
                    at,
                    f"of what counts towards a target, and {phase.name} has none",
                    "it does nothing",
                    "a profit target was left out",
                )
            case AllocationCap():
                lint_cap(rule, deposits, at, notes)
            case _:
                pass
    lint_doubles(phase, path, notes)


def placed(phase: Phase, path: str) -> Iterator[tuple[str, Rule]]:
    for place, rule in enumerate(phase.rules):
        yield f"{path}.rules[{place}]", rule


def lint_target(target: TargetRule, deposits: Deposits, at: str, notes: Notes) -> None:
    refuse_half_shares(target.percent, deposits, f"{at}.pct", notes)
    if target.percent < LIKE_A_FRACTION:
        notes.doubt(
            f"{at}.pct",
            f"{target.percent:f} is very little for a per cent",
            percent_in_words(target.percent),
            percent_in_words(target.percent * 100),
        )


def lint_days_needed(
    phase: Phase, days: ProfitableDays, deposits: Deposits, at: str, notes: Notes
) -> None:
    """A target that lies below what so many such days bring is no target."""
    for deposit in deposits:
        each = days.amount.in_money(deposit, deposit)
        needed = Money.rounded(each.amount * days.days, each.currency)
        for target in phase.targets:
            level = target.level(Example.opened(phase, deposit).standing)
            if level < deposit + needed:
                notes.open(
                    f"{at}.n",
                    f"on {money_in_words(deposit)}, {days_in_words(days.days)} bring at"
                    f" least {money_in_words(needed)}, and the target is"
                    f" {money_in_words(level - deposit)}",
                    f"{money_in_words(needed)} are needed in truth",
                    "the target is enough, with fewer or smaller days",
                )
                return


def lint_consistency(phase: Phase, rule: Consistency, at: str, notes: Notes) -> None:
    of_payout = rule.consequence is Consequence.BLOCKS_PAYOUT
    if of_payout and phase.targets:
        notes.open(
            f"{at}.effect",
            f"nothing is paid out in {phase.name}, which ends with its target",
            "it does nothing here",
            "block_pass: the phase is not passed before",
        )
    if not of_payout and not phase.targets:
        notes.open(
            f"{at}.effect",
            f"{phase.name} has no profit target, so it is never passed",
            "it does nothing here",
            "block_payout: nothing is paid out before",
        )


def lint_cap(cap: AllocationCap, deposits: Deposits, at: str, notes: Notes) -> None:
    currency = deposits[0].currency
    told = f"{cap.cap:f} {currency}"
    refuse_half_cents(cap.cap, currency, f"{at}.cap", told, notes)
    largest = max(deposits)
    if cap.overrun((), largest) is not None:
        notes.open(
            f"{at}.cap",
            f"a deposit of {money_in_words(largest)} is on sale and above the cap",
            "nobody can buy it",
            "the cap is of what is held beside it",
        )


def lint_doubles(phase: Phase, path: str, notes: Notes) -> None:
    if len(phase.targets) > 1:
        second = phase.rules.index(phase.targets[1])
        notes.open(
            f"{path}.rules[{second}]",
            f"{phase.name} has more than one profit target",
            "the first that is reached is enough",
            "all of them are needed",
        )
    for (_, one), (at, other) in combinations(placed(phase, path), 2):
        if is_count(one) and is_count(other) and differ_in_number(one, other):
            notes.open(
                f"{at}.n",
                f"{one.id} and {other.id} count the same days",
                "the larger number is needed",
                "the smaller number is enough",
            )


def is_count(rule: Rule) -> bool:
    return isinstance(rule, MinimumDays | TradingDays)


def differ_in_number(one: Rule, other: Rule) -> bool:
    if isinstance(one, MinimumDays) and isinstance(other, MinimumDays):
        return True
    if isinstance(one, TradingDays) and isinstance(other, TradingDays):
        return replace(one, id=other.id, days=other.days) == other
    return False
