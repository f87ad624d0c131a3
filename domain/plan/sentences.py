"""What each rule says to the trader, in whole sentences: a function a kind of rule."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from domain.plan.rule_words import (
    ACTIVITIES,
    ATTRIBUTED,
    BESTS,
    COMPARATORS,
    CONSEQUENCES,
    COUNTED,
    DAY_ANCHORS,
    DAYS_OF,
    EFFECTS,
    EXCESSES,
    FLOWS,
    FOLLOWED,
    MEASURES,
    SINCE,
    STARTS,
    WEEK_ANCHORS,
    WEEKDAYS,
    WHOLES,
)
from domain.plan.rule_words import BASIS as COUNTS
from domain.plan.words import (
    allowance_in_words,
    amount_in_words,
    days_in_words,
    lock_in_words,
    percent_in_words,
    span_in_words,
)
from domain.rules.allocation_cap import AllocationCap
from domain.rules.capped_days import CappedDays
from domain.rules.consistency import Consistency
from domain.rules.daily_cap import DailyCap
from domain.rules.daily_loss import DailyLoss
from domain.rules.flow_marks import FlowMarks
from domain.rules.inactivity import Inactivity
from domain.rules.limit import Evaluated
from domain.rules.max_loss import MaxLoss
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import LimitRule, Rule
from domain.rules.profit_target import ProfitTarget
from domain.rules.profitable_days import ProfitableDays
from domain.rules.sticky_target import StickyTarget
from domain.rules.time_limit import TimeLimit
from domain.rules.trading_days import TradingDays
from domain.rules.weekly_loss import WeeklyLoss


def of_limit(rule: LimitRule, fall: str) -> str:
    when = "at every tick"
    if rule.evaluated is Evaluated.END_OF_DAY:
        when = "only on what stands when a day ends"
    return (
        f"{fall} It is judged {when}, on {MEASURES[rule.measured]}:"
        f" {COMPARATORS[rule.comparator]}. After a breach {EFFECTS[rule.effect]}."
    )


def of_daily_loss(rule: DailyLoss, currency: str) -> str:
    allowance = allowance_in_words(rule.allowance, currency)
    return of_limit(
        rule,
        f"On one day the account may fall by {allowance},"
        f" measured from {DAY_ANCHORS[rule.measured_from]}.",
    )


def of_daily_cap(rule: DailyCap, currency: str) -> str:
    allowance = allowance_in_words(rule.allowance, currency)
    return of_limit(
        rule,
        f"On one day the account may neither fall nor rise by more than {allowance},"
        f" measured from {DAY_ANCHORS[rule.measured_from]}.",
    )


def of_weekly_loss(rule: WeeklyLoss, currency: str) -> str:
    allowance = allowance_in_words(rule.allowance, currency)
    return of_limit(
        rule,
        f"In one week, which begins with the trading day of {WEEKDAYS[rule.week]}, the"
        f" account may fall by {allowance}, measured from"
        f" {WEEK_ANCHORS[rule.measured_from]}.",
    )


def of_max_loss(rule: MaxLoss, currency: str) -> str:
    allowance = allowance_in_words(rule.allowance, currency)
    if rule.follows is None:
        fall = (
            f"The account may never fall by {allowance}, measured from the deposit:"
            " the floor never moves."
        )
    else:
        stops = "stops nowhere"
        if rule.lock is not None:
            stops = f"stops {lock_in_words(rule.lock, currency)}"
        fall = (
            f"The account may never fall by {allowance}, measured from"
            f" {FOLLOWED[rule.follows]}: the floor follows that up, never comes down,"
            f" and {stops}. A payout {FLOWS[rule.flow_marks or FlowMarks.SHIFT]}."
        )
    return of_limit(rule, fall)


def of_target(rule: ProfitTarget | StickyTarget, _: str) -> str:
    flat = (
        "no position may be open then"
        if rule.needs_flat
        else ("positions may be open then")
    )
    return (
        f"A profit of {percent_in_words(rule.percent)} of the deposit is needed."
        f" What counts is {COUNTS[rule.basis]}; {flat}."
    )


def of_sticky_target(rule: StickyTarget, currency: str) -> str:
    return f"{of_target(rule, currency)} Once reached it stays reached."


def of_minimum_days(rule: MinimumDays, _: str) -> str:
    return (
        f"Positions have to be opened on {days_in_words(rule.days)} or more; one held"
        " overnight counts once."
    )


def of_trading_days(rule: TradingDays, _: str) -> str:
    return f"At least {days_in_words(rule.days)} are needed {COUNTED[rule.counted]}."


def of_profitable_days(rule: ProfitableDays, currency: str) -> str:
    amount = allowance_in_words(rule.amount, currency)
    over = "once it is over" if rule.ended else "as soon as it has brought that much"
    return (
        f"At least {days_in_words(rule.days)} are needed that each bring {amount} or"
        f" more. A profit counts {ATTRIBUTED[rule.counted]}, and a day counts {over}."
    )


def of_consistency(rule: Consistency, _: str) -> str:
    return (
        f"The share of the best {BESTS[rule.best]}, is limited to"
        f" {percent_in_words(rule.percent)} of {WHOLES[rule.whole]};"
        f" {EXCESSES[rule.excess]}. If it is larger, no account is lost:"
        f" {CONSEQUENCES[rule.consequence]}."
    )


def of_capped_days(rule: CappedDays, _: str) -> str:
    return (
        f"Of what one day brings, at most {percent_in_words(rule.percent)} of the"
        f" target's profit counts towards it; a loss counts in full. A profit counts"
        f" {DAYS_OF[rule.counted]}."
    )


def of_time_limit(rule: TimeLimit, _: str) -> str:
    return (
        f"The account expires when more than {span_in_words(rule.after)} have passed"
        f" since {STARTS[rule.start]}."
    )


def of_inactivity(rule: Inactivity, _: str) -> str:
    warning = "It is not announced."
    if rule.warn is not None:
        warning = f"A warning comes after {span_in_words(rule.warn)}."
    return (
        f"The account expires when more than {span_in_words(rule.after)} have passed"
        f" since {SINCE[rule.since]}. The account is active when"
        f" {ACTIVITIES[rule.activity]}. {warning}"
    )


def of_allocation(rule: AllocationCap, currency: str) -> str:
    many = "any number of accounts"
    if rule.accounts is not None:
        many = "1 account" if rule.accounts == 1 else f"{rule.accounts} accounts"
    return (
        f"One person may hold deposits of {amount_in_words(rule.cap, currency)}"
        f" together, in {many} at a time. This is asked when a challenge is bought, and"
        " never afterwards."
    )


SENTENCES: Final[Mapping[type[Rule], Callable[[Any, str], str]]] = {
    DailyLoss: of_daily_loss,
    DailyCap: of_daily_cap,
    WeeklyLoss: of_weekly_loss,
    MaxLoss: of_max_loss,
    ProfitTarget: of_target,
    StickyTarget: of_sticky_target,
    MinimumDays: of_minimum_days,
    TradingDays: of_trading_days,
    ProfitableDays: of_profitable_days,
    Consistency: of_consistency,
    CappedDays: of_capped_days,
    TimeLimit: of_time_limit,
    Inactivity: of_inactivity,
    AllocationCap: of_allocation,
}
