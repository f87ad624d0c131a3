"""Rules as a trader reads them, with every choice that matters."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, assert_never

from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.daily_loss import DailyLoss, DayAnchor
from domain.rules.limit import Comparator, Effect, Evaluated, Measured
from domain.rules.max_loss import Follows, MaxLoss
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import LimitRule, Phase, Rule
from domain.rules.profit_target import Basis, ProfitTarget

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
KINDS: Final = {
    "daily": "Daily loss",
    "max": "Maximum loss",
    "target": "Profit target",
    "min_days": "Trading days",
}


def by_phase(phases: Sequence[Phase]) -> Iterator[tuple[str, Sequence[Rule]]]:
    """Tell once what every phase has, and then what each has of its own."""
    shared = phases[0].limits
    if any(phase.limits != shared for phase in phases):
        yield from ((phase.name, phase.rules) for phase in phases)
        return
    yield "in every phase", shared
    yield from ((phase.name, phase.objectives) for phase in phases)


def kind(name: str) -> str:
    return KINDS.get(name, name)


def rule(it: Rule, currency: str) -> str:
    match it:
        case DailyLoss():
            anchor = DAY_ANCHORS[it.measured_from]
            return limit(it, f"{allowance(it.allowance, currency)} below {anchor}")
        case MaxLoss():
            follows = "the deposit" if it.follows is None else FOLLOWS[it.follows]
            told = f"{allowance(it.allowance, currency)} below {follows}"
            if it.lock is not None:
                above = f" plus {amount(it.lock, currency)}" if it.lock else ""
                told += f", never above the deposit{above}"
            return limit(it, told)
        case ProfitTarget():
            counted = "closed profit" if it.basis is Basis.CLOSED else "equity"
            flat = ", with nothing open" if it.needs_flat else ""
            return f"{it.percent:f} % of the deposit, in {counted}{flat}"
        case MinimumDays():
            return f"at least {it.days} days with a trade opened"
        case _:
            assert_never(it)


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
