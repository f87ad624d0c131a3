"""Timers: there is something to be in time for, and time enough for it."""

from collections.abc import Iterator

from domain.plan.findings import Notes
from domain.plan.lint_limits import Deposits
from domain.plan.lint_objectives import placed
from domain.plan.words import days_in_words, percent_in_words
from domain.rules.allowance import HUNDRED
from domain.rules.capped_days import CappedDays
from domain.rules.consistency import Best, Consequence, Consistency
from domain.rules.inactivity import Inactivity
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import Phase, Rule
from domain.rules.profitable_days import ProfitableDays
from domain.rules.time_limit import TimeLimit
from domain.rules.trading_days import TradingDays

EDGES = 2  # a span may touch one trading day more at each of its ends


def lint_timers(phase: Phase, _: Deposits, path: str, notes: Notes) -> None:
    limits = [
        (at, rule) for at, rule in placed(phase, path) if isinstance(rule, TimeLimit)
    ]
    for at, limit in limits:
        if not phase.targets:
            notes.open(
                at,
                f"{phase.name} has no profit target, so it is never passed in time",
                f"its account ends after {days_in_words(limit.after.days)}",
                "a profit target was left out, or the time limit is another phase's",
            )
        lint_time(phase, limit, path, notes)
    for at, _limit in limits[1:]:
        notes.open(
            at,
            f"{phase.name} has more than one time limit",
            "the one that ends first counts",
            "this one takes the place of the other",
        )


def lint_time(phase: Phase, limit: TimeLimit, path: str, notes: Notes) -> None:
    most = limit.after.days + EDGES
    for at, rule in placed(phase, path):
        for field, days, why in days_needed(rule):
            if days > most:
                notes.open(
                    f"{at}.{field}",
                    f"{why}, and {limit.id} leaves {days_in_words(limit.after.days)}",
                    "the phase cannot be passed",
                    "more time was meant, or less was to be done in it",
                )
        if isinstance(rule, Inactivity) and limit.after.days < rule.after.days:
            notes.doubt(
                f"{at}.after",
                f"{limit.id} ends the account before {rule.id} can",
                f"{rule.id} does nothing",
                f"{limit.id} was to be longer",
            )


def days_needed(rule: Rule) -> Iterator[tuple[str, int, str]]:
    """A place, the days that a pass takes at least, and why."""
    match rule:
        case MinimumDays() | TradingDays() | ProfitableDays():
            yield "n", rule.days, f"{days_in_words(rule.days)} are needed"
        case CappedDays():
            yield "pct", shares(rule), f"{shares(rule)} days make up the target"
        case Consistency(consequence=Consequence.BLOCKS_PASS) if (
            rule.best is not Best.TRADE
        ):
            share = percent_in_words(rule.percent)
            why = f"a best day of at most {share} needs {shares(rule)} days"
            yield "pct", shares(rule), why
        case _:
            return


def shares(rule: CappedDays | Consistency) -> int:
    """How many shares of that size make a whole."""
    whole, rest = divmod(HUNDRED, rule.percent)
    return int(whole) + (rest > 0)
