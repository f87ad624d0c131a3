"""Rules as a trader reads them, with every choice that matters."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, assert_never

from domain.rules.allocation_cap import AllocationCap
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.capped_days import CappedDays, DayOf
from domain.rules.consistency import Best, Consequence, Consistency, Excess, Whole
from domain.rules.daily_cap import DailyCap
from domain.rules.daily_loss import DailyLoss, DayAnchor
from domain.rules.inactivity import Activity, Inactivity, Since
from domain.rules.limit import Comparator, Effect, Evaluated, Measured
from domain.rules.max_loss import Follows, MaxLoss
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import LimitRule, ObjectiveRule, Phase, Rule
from domain.rules.profit_target import Basis, ProfitTarget
from domain.rules.profitable_days import Attributed, ProfitableDays
from domain.rules.span import Span, Unit
from domain.rules.sticky_target import StickyTarget
from domain.rules.time_limit import Start, TimeLimit
from domain.rules.trading_days import Counted, TradingDays
from domain.rules.weekly_loss import WeekAnchor, WeeklyLoss
from domain.values.trading_day import Weekday

DAY_ANCHORS: Final = {
    DayAnchor.BALANCE: "the day's opening balance",
    DayAnchor.EQUITY: "the day's opening equity",
    DayAnchor.HIGHER_OF_BOTH: "the day's opening balance or equity, if higher",
    DayAnchor.DEPOSIT: "the deposit",
    DayAnchor.PEAK_EQUITY: "the day's highest equity",
}
FOLLOWS: Final = {
    Follows.BALANCE: "the highest balance",
    Follows.EQUITY: "the highest equity",
    Follows.HIGHER_OF_BOTH: "the highest balance or equity",
    Follows.CLOSE_BALANCE: "the highest balance at a day's end",
    Follows.CLOSE_HIGHER_OF_BOTH: "the highest balance or equity at a day's end",
}
WEEK_ANCHORS: Final = {
    WeekAnchor.BALANCE: "the week's opening balance",
    WeekAnchor.EQUITY: "the week's opening equity",
    WeekAnchor.HIGHER_OF_BOTH: "the week's opening balance or equity, if higher",
    WeekAnchor.DEPOSIT: "the deposit",
    WeekAnchor.PEAK_EQUITY: "the week's highest equity",
}
WEEKDAYS: Final = {
    Weekday.MONDAY: "Monday",
    Weekday.TUESDAY: "Tuesday",
    Weekday.WEDNESDAY: "Wednesday",
    Weekday.THURSDAY: "Thursday",
    Weekday.FRIDAY: "Friday",
    Weekday.SATURDAY: "Saturday",
    Weekday.SUNDAY: "Sunday",
}
COUNTED: Final = {
    Counted.CLOSED: "with a trade closed",
    Counted.FILLED: "with a trade opened or closed",
    Counted.COMPLETED: "whose trade has been closed to its end",
    Counted.HELD: "on which a trade was open",
    Counted.HELD_WEEKDAYS: "from Monday to Friday on which a trade was open",
}
ATTRIBUTED: Final = {
    Attributed.CLOSING: "by the day of the close",
    Attributed.OPENING: "by the day that opened the trade",
    Attributed.CLOSING_NET: "by the day of the close, less open losses at its end",
}
BESTS: Final = {
    Best.CLOSING_DAY: "day",
    Best.OPENING_DAY: "day of openings",
    Best.TRADE: "trade",
}
CONSEQUENCES: Final = {
    Consequence.BLOCKS_PASS: "or the phase is not passed",
    Consequence.BLOCKS_PAYOUT: "or nothing is paid out",
    Consequence.RAISES_TARGET: "or the target rises until it is",
}
KINDS: Final = {
    "daily": "Daily loss",
    "weekly": "Weekly loss",
    "daily_cap": "Daily cap",
    "max": "Maximum loss",
    "target": "Profit target",
    "sticky_target": "Profit target",
    "min_days": "Trading days",
    "trading_days": "Trading days",
    "profitable_days": "Profitable days",
    "consistency": "Consistency",
    "capped_days": "Counted profit",
    "time_limit": "Time limit",
    "inactivity": "Inactivity",
    "allocation": "Allocation",
}


def by_phase(phases: Sequence[Phase]) -> Iterator[tuple[str, Sequence[Rule]]]:
    """Tell once what every phase has, and then what each has of its own."""
    shared = phases[0].limits
    if any(phase.limits != shared for phase in phases):
        yield from ((phase.name, phase.rules) for phase in phases)
        return
    yield "in every phase", shared
    for phase in phases:
        yield phase.name, [it for it in phase.rules if it not in shared]


def kind(name: str) -> str:
    return KINDS.get(name, name)


def rule(it: Rule, currency: str) -> str:
    if isinstance(it, LimitRule):
        return limit(it, floor(it, currency))
    if isinstance(it, ObjectiveRule):
        return objective(it, currency)
    match it:
        case CappedDays():
            opening = ", by the day that opened the trade"
            by = opening if it.counted is DayOf.OPENING else ""
            return f"of a day no more than {it.percent:f} % of the target counts{by}"
        case TimeLimit():
            start = "the start" if it.start is Start.ACTIVATION else "the first trade"
            return f"ends when more than {span(it.after)} have passed since {start}"
        case Inactivity():
            return inactivity(it)
        case AllocationCap():
            many = f", in at most {it.accounts} accounts" if it.accounts else ""
            return f"at most {amount(it.cap, currency)} a person{many}"
        case _:
            assert_never(it)


def floor(it: LimitRule, currency: str) -> str:
    fall = allowance(it.allowance, currency)
    match it:
        case DailyCap():
            return f"{fall} below or above {DAY_ANCHORS[it.measured_from]}"
        case DailyLoss():
            return f"{fall} below {DAY_ANCHORS[it.measured_from]}"
        case WeeklyLoss():
            anchor = WEEK_ANCHORS[it.measured_from]
            return f"{fall} below {anchor}, from {WEEKDAYS[it.week]} on"
        case MaxLoss():
            follows = "the deposit" if it.follows is None else FOLLOWS[it.follows]
            told = f"{fall} below {follows}"
            if it.lock is not None:
                above = f" plus {amount(it.lock, currency)}" if it.lock else ""
                told += f", never above the deposit{above}"
            return told
        case _:
            assert_never(it)


def objective(it: ObjectiveRule, currency: str) -> str:
    match it:
        case ProfitTarget() | StickyTarget():
            counted = "closed profit" if it.basis is Basis.CLOSED else "equity"
            flat = ", with nothing open" if it.needs_flat else ""
            kept = ", once and for all" if isinstance(it, StickyTarget) else ""
            return f"{it.percent:f} % of the deposit, in {counted}{flat}{kept}"
        case MinimumDays():
            return f"at least {it.days} days with a trade opened"
        case TradingDays():
            return f"at least {it.days} days {COUNTED[it.counted]}"
        case ProfitableDays():
            profit = allowance(it.amount, currency)
            over = ", once they are over" if it.ended else ""
            told = f"at least {it.days} days with a profit of {profit}"
            return f"{told}, {ATTRIBUTED[it.counted]}{over}"
        case Consistency():
            return consistency(it)
        case _:
            assert_never(it)


def consistency(it: Consistency) -> str:
    less = "less than" if it.excess is Excess.AT_OR_ABOVE else "at most"
    whole = "net profit"
    if it.whole is Whole.POSITIVE:
        whole = "profit of all that brought some"
    told = f"the best {BESTS[it.best]} makes {less} {it.percent:f} % of the {whole}"
    return f"{told}, {CONSEQUENCES[it.consequence]}"


def inactivity(it: Inactivity) -> str:
    trade = "a trade is opened"
    if it.activity is Activity.FILLED:
        trade = "a trade is opened or closed"
    told = f"ends when more than {span(it.after)} pass without that {trade}"
    if it.since is Since.WARNING:
        told += ", after a warning"
    return told if it.warn is None else f"{told}; warned after {span(it.warn)}"


def span(it: Span) -> str:
    return f"{it.days} {'days' if it.unit is Unit.ELAPSED else 'calendar days'}"


def limit(it: LimitRule, told: str) -> str:
    return ", ".join((told, *exceptions(it)))


def exceptions(it: LimitRule) -> Iterator[str]:
    """What is not as one would expect: nothing, of most rules."""
    if it.comparator is Comparator.AT_OR_BELOW:
        yield "touching it counts"
    if it.measured is Measured.LOWER_OF_BOTH:
        yield "balance counts too"
    if it.evaluated is not Evaluated.EVERY_TICK:
        yield "judged at the day's end"
    if it.effect is Effect.PAUSE:
        yield "pauses until the next day"


def allowance(it: Allowance, currency: str) -> str:
    match it.basis:
        case AmountBasis.ABSOLUTE:
            return amount(it.value, currency)
        case AmountBasis.SHARE_OF_DEPOSIT:
            return f"{it.value:f} % of the deposit"
        case AmountBasis.SHARE_OF_ANCHOR:
            return f"{it.value:f} %"


def amount(value: Decimal, currency: str) -> str:
    return f"{value:,.2f} {currency}"
