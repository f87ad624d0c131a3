"""Limits: floors that can be crossed, at a place that everybody computes alike."""

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import combinations
from typing import Final

from msgspec.structs import replace

from domain.plan.cents import refuse_half_cents, refuse_half_shares
from domain.plan.example import Example
from domain.plan.findings import Notes
from domain.plan.rule_words import WORDS
from domain.plan.words import amount_in_words, money_in_words, percent_in_words
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.daily_cap import DailyCap
from domain.rules.daily_loss import DailyLoss, DayAnchor
from domain.rules.limit import Effect, Evaluated
from domain.rules.max_loss import Follows, MaxLoss, Mode
from domain.rules.phase import LimitRule, Phase
from domain.rules.weekly_loss import WeekAnchor, WeeklyLoss
from domain.values.money import Money
from domain.values.trading_day import TradingDay

Deposits = tuple[Money, ...]

LIKE_A_FRACTION: Final = Decimal("0.1")  # per cent: 0.05 was perhaps meant as 5
INTRADAY: Final = frozenset({Follows.EQUITY, Follows.BALANCE, Follows.HIGHER_OF_BOTH})
AS_THE_DEPOSIT: Final = (DayAnchor.DEPOSIT, WeekAnchor.DEPOSIT)


def lint_limits(phase: Phase, deposits: Deposits, path: str, notes: Notes) -> None:
    if not phase.limits:
        notes.doubt(
            f"{path}.rules",
            f"{phase.name} has no limit",
            "its account can lose everything and goes on",
            "a max loss was left out",
        )
    for at, limit in placed(phase, path):
        lint_allowance(limit.allowance, deposits, f"{at}.amount", notes)
        lint_floor(phase, limit, deposits, at, notes)
        lint_effect(limit, at, notes)
        lint_anchor(limit, at, notes)
        if isinstance(limit, MaxLoss):
            lint_lock(phase, limit, deposits, at, notes)
    lint_together(phase, deposits, path, notes)


def placed(phase: Phase, path: str) -> Iterator[tuple[str, LimitRule]]:
    for place, rule in enumerate(phase.rules):
        if isinstance(rule, LimitRule):
            yield f"{path}.rules[{place}]", rule


def lint_allowance(
    allowance: Allowance, deposits: Deposits, field: str, notes: Notes
) -> None:
    value = allowance.value
    if allowance.basis is AmountBasis.ABSOLUTE:
        currency = deposits[0].currency
        refuse_half_cents(
            value, currency, f"{field}[1]", f"{value:f} {currency}", notes
        )
        doubt_one_for_all(value, deposits, field, notes)
        return
    if allowance.basis is AmountBasis.SHARE_OF_DEPOSIT:
        refuse_half_shares(value, deposits, f"{field}[1]", notes)
    if value < LIKE_A_FRACTION:
        notes.doubt(
            f"{field}[1]",
            f"{value:f} is very little for a per cent",
            percent_in_words(value),
            percent_in_words(value * 100),
        )


def doubt_one_for_all(
    value: Decimal, deposits: Deposits, field: str, notes: Notes
) -> None:
    if len(deposits) > 1:
        told = amount_in_words(value, deposits[0].currency)
        notes.doubt(
            field,
            f"one amount of money for {len(deposits)} sizes",
            f"{told} for each of them",
            f"{told} for the first, and in proportion for the others",
        )


def lint_floor(
    phase: Phase, limit: LimitRule, deposits: Deposits, at: str, notes: Notes
) -> None:
    for deposit in deposits:
        level, is_crossed = at_the_opening(limit, phase.trading_day, deposit)
        if not is_crossed and level.amount > 0:
            continue
        told = f"on {money_in_words(deposit)} the floor is {money_in_words(level)}"
        if is_crossed:
            notes.open(
                f"{at}.amount",
                f"{told}, which is crossed at the opening",
                "the account is lost before its first trade",
                "a larger amount was meant",
            )
        else:
            notes.open(
                f"{at}.amount",
                told,
                "the whole deposit may be lost, and more",
                "a smaller amount was meant",
            )
        return


@lru_cache(maxsize=4_096)
def at_the_opening(
    limit: LimitRule, day: TradingDay, deposit: Money
) -> tuple[Money, bool]:
    """Give the floor, and whether an account that does nothing has crossed it."""
    phase = Phase(name="opening", trading_day=day, rules=(limit,))
    opened = Example.opened(phase, deposit)
    verdict = opened.verdict(deposit, deposit, is_flat=True)
    return opened.floor(limit), bool(verdict.breaches)


def lint_effect(limit: LimitRule, at: str, notes: Notes) -> None:
    pauses = limit.effect is Effect.PAUSE
    if pauses and limit.evaluated is Evaluated.END_OF_DAY:
        notes.open(
            f"{at}.effect",
            "a pause until the day turns is decided when the day turns",
            "it ends at once, so it pauses nothing",
            "it pauses the day that follows",
        )
    if pauses and isinstance(limit, MaxLoss):
        notes.open(
            f"{at}.effect",
            "a max loss that pauses is still crossed when the next day begins",
            "hard: the account is lost",
            "it is paused again each day, and trades no more",
        )
    if isinstance(limit, DailyCap) and limit.effect is Effect.HARD:
        notes.doubt(
            f"{at}.effect",
            "a gain that is too large loses the account",
            "hard: either side ends the account",
            "pause: either side ends the day",
        )


def lint_anchor(limit: LimitRule, at: str, notes: Notes) -> None:
    hangs_from_deposit = (
        limit.mode is Mode.STATIC
        if isinstance(limit, MaxLoss)
        else limit.measured_from in AS_THE_DEPOSIT
    )
    of_anchor = limit.allowance.basis is AmountBasis.SHARE_OF_ANCHOR
    if hangs_from_deposit and of_anchor:
        share = percent_in_words(limit.allowance.value)
        notes.open(
            f"{at}.amount[0]",
            f"{share} of what it is measured from, which is the deposit for ever",
            f"pct_initial: {share} of the deposit, a fixed amount",
            f"{share} of the highest or of the day's beginning, which grows",
        )
    if limit.evaluated is Evaluated.END_OF_DAY and is_intraday(limit):
        notes.doubt(
            f"{at}.eval",
            "what it is measured from moves within the day, and it is judged at the"
            " day's end",
            "a high of the day counts, a low of the day does not",
            "neither counts: both are looked at when the day ends",
        )


def is_intraday(limit: LimitRule) -> bool:
    if isinstance(limit, MaxLoss):
        return limit.follows in INTRADAY
    peaks = (DayAnchor.PEAK_EQUITY, WeekAnchor.PEAK_EQUITY)
    return limit.measured_from in peaks


def lint_lock(
    phase: Phase, limit: MaxLoss, deposits: Deposits, at: str, notes: Notes
) -> None:
    if limit.lock is None:
        return
    field, currency = f"{at}.lock", deposits[0].currency
    told = f"{limit.lock:f} {currency}"
    if refuse_half_cents(limit.lock, currency, field, told, notes):
        return
    if limit.lock:
        doubt_one_for_all(limit.lock, deposits, field, notes)
    for deposit in deposits:
        lock = deposit + Money.rounded(limit.lock, currency)
        unlocked = replace(limit, lock=None)
        hung = Example.opened(phase, deposit).floor(unlocked)
        if lock <= hung:
            notes.open(
                field,
                f"the floor stops at {money_in_words(lock)} and begins at"
                f" {money_in_words(hung)}",
                f"it stands at {money_in_words(lock)} from the beginning",
                f"it begins at {money_in_words(hung)} and stops higher up",
            )
            return
        for target in phase.targets:
            level = target.level(Example.opened(phase, deposit).standing)
            if level < lock:
                notes.open(
                    field,
                    f"the floor stops at {money_in_words(lock)}, above the target of"
                    f" {money_in_words(level)}",
                    "it never stops: the phase is passed before",
                    "it stops lower down",
                )
                return


def lint_together(phase: Phase, deposits: Deposits, path: str, notes: Notes) -> None:
    for (at, one), (other_at, other) in combinations(placed(phase, path), 2):
        if are_twins(one, other):
            notes.open(
                f"{other_at}.amount",
                f"{other.id} says the same as {one.id} with another amount",
                f"the nearer of both floors counts, so one of {one.id} and {other.id}"
                " is never met",
                f"{other.id} takes the place of {one.id}",
            )
        for wider, at_wider, narrower in (
            (one, at, other),
            (other, other_at, one),
        ):
            refuse_wider(wider, narrower, deposits, at_wider, notes)


def are_twins(one: LimitRule, other: LimitRule) -> bool:
    return replace(one, id=other.id, allowance=other.allowance) == other


def refuse_wider(
    wider: LimitRule,
    narrower: LimitRule,
    deposits: Deposits,
    at: str,
    notes: Notes,
) -> None:
    """What may be lost in a day is no more than what may be lost in a week, or ever."""
    if not reach(wider) < reach(narrower):
        return
    for deposit in deposits:
        of_the_day, of_all = (
            each.allowance.in_money(deposit, deposit) for each in (wider, narrower)
        )
        if of_all < of_the_day:
            notes.open(
                f"{at}.amount",
                f"on {money_in_words(deposit)} the {WORDS[type(wider)].title} allows"
                f" {money_in_words(of_the_day)}, the {WORDS[type(narrower)].title}"
                f" {money_in_words(of_all)}",
                f"{narrower.id} is crossed first, and {wider.id} means nothing",
                "the two amounts were exchanged",
            )
            return


def reach(limit: LimitRule) -> int:
    """For how long it looks back."""
    match limit:
        case DailyLoss():
            return 0
        case WeeklyLoss():
            return 1
        case MaxLoss():
            return 2
