"""Every rule in words, term by term: one table for all that speaks of rules.

The reader takes from it what a choice that was left out may mean, the explanation its
phrases, the comparison what is kinder. A rule or term without words fails a test.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from domain.plan.words import (
    Term,
    allowance_in_words,
    amount_in_words,
    choice,
    kinder_allowance,
    kinder_lock,
    less_is_kinder,
    lock_in_words,
    longer_is_kinder,
    more_is_kinder,
    number_of_days,
    share_of,
    span_in_words,
    yes_or_no,
)
from domain.rules.allocation_cap import AllocationCap
from domain.rules.capped_days import CappedDays, DayOf
from domain.rules.consistency import Best, Consequence, Consistency, Excess, Whole
from domain.rules.daily_cap import DailyCap
from domain.rules.daily_loss import DailyLoss, DayAnchor
from domain.rules.flow_marks import FlowMarks
from domain.rules.inactivity import Activity, Inactivity, Since
from domain.rules.limit import Comparator, Effect, Evaluated, Measured
from domain.rules.max_loss import Follows, MaxLoss, Mode
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import Rule
from domain.rules.profit_target import Basis, ProfitTarget
from domain.rules.profitable_days import Attributed, ProfitableDays
from domain.rules.sticky_target import StickyTarget
from domain.rules.time_limit import Start, TimeLimit
from domain.rules.trading_days import Counted, TradingDays
from domain.rules.weekly_loss import WeekAnchor, WeeklyLoss
from domain.values.trading_day import Weekday


class Words(Struct, frozen=True, kw_only=True):
    title: str
    terms: Mapping[str, Term]  # by the name that a plan writes

    def of(self, rule: Rule, name: str, currency: str) -> str:
        return self.terms[name].says(value_of(rule, name), currency)


COMPARATORS: Final[Mapping[Comparator, str]] = {
    Comparator.BELOW: "the level may be touched, beyond it is a breach",
    Comparator.AT_OR_BELOW: "touching the level is a breach already",
}
MEASURES: Final[Mapping[Measured, str]] = {
    Measured.EQUITY: "equity, with all that is open",
    Measured.LOWER_OF_BOTH: "the lower of balance and equity",
}
EVALUATIONS: Final[Mapping[Evaluated, str]] = {
    Evaluated.END_OF_DAY: "what stands at the end of each day, and nothing between",
    Evaluated.EVERY_TICK: "every tick",
}
EFFECTS: Final[Mapping[Effect, str]] = {
    Effect.PAUSE: "everything is closed and trading pauses until the day turns",
    Effect.HARD: "everything is closed and the account is lost",
}
DAY_ANCHORS: Final[Mapping[DayAnchor, str]] = {
    DayAnchor.BALANCE: "the balance with which the day began",
    DayAnchor.EQUITY: "the equity with which the day began",
    DayAnchor.HIGHER_OF_BOTH: "the higher of balance and equity at the day's beginning",
    DayAnchor.DEPOSIT: "the deposit",
    DayAnchor.PEAK_EQUITY: "the highest equity of the day, open profit included",
}
WEEK_ANCHORS: Final[Mapping[WeekAnchor, str]] = {
    WeekAnchor.BALANCE: "the balance with which the week began",
    WeekAnchor.EQUITY: "the equity with which the week began",
    WeekAnchor.HIGHER_OF_BOTH: (
        "the higher of balance and equity at the week's beginning"
    ),
    WeekAnchor.DEPOSIT: "the deposit",
    WeekAnchor.PEAK_EQUITY: "the highest equity of the week, open profit included",
}
WEEKDAYS: Final[Mapping[Weekday, str]] = {
    Weekday.MONDAY: "Monday",
    Weekday.TUESDAY: "Tuesday",
    Weekday.WEDNESDAY: "Wednesday",
    Weekday.THURSDAY: "Thursday",
    Weekday.FRIDAY: "Friday",
    Weekday.SATURDAY: "Saturday",
    Weekday.SUNDAY: "Sunday",
}
MODES: Final[Mapping[Mode, str]] = {
    Mode.STATIC: "the floor never moves",
    Mode.TRAILING: "the floor follows a high-water mark up and never comes down",
}
FOLLOWED: Final[Mapping[Follows, str]] = {
    Follows.EQUITY: "the highest equity at any tick, open profit included",
    Follows.BALANCE: "the highest balance at any moment",
    Follows.HIGHER_OF_BOTH: "the highest of balance and equity at any tick",
    Follows.CLOSE_BALANCE: "the highest balance with which a day ended",
    Follows.CLOSE_HIGHER_OF_BOTH: "the highest of balance and equity at a day's end",
}
FLOWS: Final[Mapping[FlowMarks, str]] = {
    FlowMarks.SHIFT: "moves it by its amount, so the floor stays as far away",
    FlowMarks.RESET: "sets it back to the deposit",
    FlowMarks.KEEP: "leaves it where it is",
}
BASIS: Final[Mapping[Basis, str]] = {
    Basis.CLOSED: "the balance, so only closed profit counts",
    Basis.EQUITY: "the equity, so open profit counts too",
}
COUNTED: Final[Mapping[Counted, str]] = {
    Counted.CLOSED: "with a position closed, wholly or in part",
    Counted.FILLED: "with a position opened or closed",
    Counted.COMPLETED: "with a trade opened that has been closed to its end since",
    Counted.HELD: "on which a position was open at some time",
    Counted.HELD_WEEKDAYS: "from Monday to Friday on which a position was open",
}
ATTRIBUTED: Final[Mapping[Attributed, str]] = {
    Attributed.CLOSING: "on the day of the close",
    Attributed.OPENING: "on the day that opened the trade",
    Attributed.CLOSING_NET: "on the day of the close, less what floats in loss then",
}
DAYS_OF: Final[Mapping[DayOf, str]] = {
    DayOf.CLOSING: "on the day of the close",
    DayOf.OPENING: "on the day that opened the trade",
}
BESTS: Final[Mapping[Best, str]] = {
    Best.CLOSING_DAY: "day, a profit counting on the day of its close",
    Best.OPENING_DAY: "day, a profit counting on the day that opened the trade",
    Best.TRADE: "trade, costs included",
}
WHOLES: Final[Mapping[Whole, str]] = {
    Whole.POSITIVE: "all that brought something, losses left out",
    Whole.NET: "the net profit, losses taken off",
}
EXCESSES: Final[Mapping[Excess, str]] = {
    Excess.ABOVE: "exactly that share is allowed",
    Excess.AT_OR_ABOVE: "exactly that share is too much",
}
CONSEQUENCES: Final[Mapping[Consequence, str]] = {
    Consequence.BLOCKS_PASS: "until then the phase is not passed",
    Consequence.BLOCKS_PAYOUT: "until then nothing is paid out",
    Consequence.RAISES_TARGET: "the target rises until it is so",
}
STARTS: Final[Mapping[Start, str]] = {
    Start.FIRST_TRADE: "the first trade",
    Start.ACTIVATION: "the activation of the account",
}
ACTIVITIES: Final[Mapping[Activity, str]] = {
    Activity.FILLED: "a position is opened or closed",
    Activity.OPENED: "a position is opened",
}
SINCE: Final[Mapping[Since, str]] = {
    Since.ACTIVITY: "the last activity",
    Since.WARNING: "the warning",
}

LIMIT: Final[Mapping[str, Term]] = {
    "amount": Term(
        label="the allowance", says=allowance_in_words, kinder=kinder_allowance
    ),
    "cmp": choice("what touching the level means", COMPARATORS, kindest_first=True),
    "measured": choice("what is measured", MEASURES, kindest_first=True),
    "eval": choice("when it is judged", EVALUATIONS, kindest_first=True),
    "effect": choice("what a breach does", EFFECTS, kindest_first=True),
}
DAILY: Final[Mapping[str, Term]] = {
    **LIMIT,
    "anchor": choice(
        "what it is measured from",
        DAY_ANCHORS,
        likely=(DayAnchor.BALANCE, DayAnchor.HIGHER_OF_BOTH),
    ),
}
TARGET: Final[Mapping[str, Term]] = {
    "pct": share_of("the profit needed", "of the deposit", less_is_kinder),
    "basis": choice("what counts", BASIS),
    "flat": yes_or_no(
        "open positions",
        "no position may be open then",
        "positions may be open then",
        kinder=lambda after, _: not after,
    ),
}
SAID_OF_DAYS: Final = "the number of days"

WORDS: Final[Mapping[type[Rule], Words]] = {
    DailyLoss: Words(title="daily loss", terms=DAILY),
    DailyCap: Words(title="daily cap on loss and gain", terms=DAILY),
    WeeklyLoss: Words(
        title="weekly loss",
        terms={
            **LIMIT,
            "anchor": choice(
                "what it is measured from",
                WEEK_ANCHORS,
                likely=(WeekAnchor.BALANCE, WeekAnchor.HIGHER_OF_BOTH),
            ),
            "week": choice(
                "the week's first trading day",
                WEEKDAYS,
                likely=(Weekday.MONDAY, Weekday.SUNDAY),
            ),
        },
    ),
    MaxLoss: Words(
        title="max loss",
        terms={
            **LIMIT,
            "mode": choice("how the floor moves", MODES, kindest_first=True),
            "hwm_on": choice(
                "what the floor follows",
                FOLLOWED,
                likely=(Follows.EQUITY, Follows.CLOSE_BALANCE),
            ),
            "lock": Term(
                label="where the floor stops",
                says=lock_in_words,
                left_out=(
                    "null: the floor follows the high-water mark without end",
                    "0: the floor stops at the deposit",
                ),
                values="null or an amount above the deposit",
                kinder=kinder_lock,
            ),
            "flow_marks": Term(
                label="what a payout does to the mark",
                says=lambda how, _: FLOWS[how or FlowMarks.SHIFT],
                left_out=(
                    f"shift: {FLOWS[FlowMarks.SHIFT]}",
                    f"keep: {FLOWS[FlowMarks.KEEP]}",
                ),
                values=", ".join(FLOWS),
            ),
        },
    ),
    ProfitTarget: Words(title="profit target", terms=TARGET),
    StickyTarget: Words(title="profit target, once reached for good", terms=TARGET),
    MinimumDays: Words(
        title="minimum trading days",
        terms={"n": number_of_days(SAID_OF_DAYS, less_is_kinder)},
    ),
    TradingDays: Words(
        title="minimum trading days",
        terms={
            "n": number_of_days(SAID_OF_DAYS, less_is_kinder),
            "counted": choice(
                "which days count",
                COUNTED,
                likely=(Counted.COMPLETED, Counted.HELD),
            ),
        },
    ),
    ProfitableDays: Words(
        title="profitable days",
        terms={
            "n": number_of_days(SAID_OF_DAYS, less_is_kinder),
            "amount": Term(
                label="what such a day brings",
                says=allowance_in_words,
                kinder=lambda after, before: kinder_allowance(before, after),
            ),
            "counted": choice("on which day a profit counts", ATTRIBUTED),
            "ended": yes_or_no(
                "a day that is not over",
                "a day counts once it is over",
                "a day counts as soon as it has brought enough",
                kinder=lambda after, _: not after,
            ),
        },
    ),
    Consistency: Words(
        title="consistency",
        terms={
            "best": choice("whose share it is", BESTS),
            "of": choice(
                "what it is a share of", WHOLES, likely=(Whole.NET, Whole.POSITIVE)
            ),
            "pct": share_of("the largest share", "of the whole", more_is_kinder),
            "cmp": choice(
                "what exactly that share means", EXCESSES, kindest_first=True
            ),
            "effect": choice("what an excess does", CONSEQUENCES),
        },
    ),
    CappedDays: Words(
        title="profit counted a day",
        terms={
            "pct": share_of("the most of a day", "of the target", more_is_kinder),
            "counted": choice("on which day a profit counts", DAYS_OF),
        },
    ),
    TimeLimit: Words(
        title="time limit",
        terms={
            "after": Term(
                label="the time there is",
                says=lambda span, _: span_in_words(span),
                kinder=longer_is_kinder,
            ),
            "from": choice("what it runs from", STARTS, kindest_first=True),
        },
    ),
    Inactivity: Words(
        title="inactivity",
        terms={
            "activity": choice("what counts as activity", ACTIVITIES),
            "warn": Term(
                label="the warning",
                says=lambda span, _: "none" if span is None else span_in_words(span),
                left_out=(
                    "null: the account expires unannounced",
                    '["elapsed", n]: a warning comes after n days',
                ),
                values="null or a number of days",
            ),
            "after": Term(
                label="the time there is",
                says=lambda span, _: span_in_words(span),
                kinder=longer_is_kinder,
            ),
            "from": choice("what it runs from", SINCE),
        },
    ),
    AllocationCap: Words(
        title="allocation",
        terms={
            "cap": Term(
                label="the most that one person holds",
                says=amount_in_words,
                kinder=more_is_kinder,
            ),
            "accounts": Term(
                label="in how many accounts",
                says=lambda many, _: "any number" if many is None else str(many),
                left_out=(
                    "null: in any number of accounts",
                    "1: in one account at a time",
                ),
                values="null or a number of accounts",
            ),
        },
    ),
}


def value_of(rule: Rule, name: str) -> Any:  # noqa: ANN401 - whatever the term is
    """By the name that a plan writes."""
    fields = dict(
        zip(rule.__struct_encode_fields__, rule.__struct_fields__, strict=True)
    )
    return getattr(rule, fields[name])
