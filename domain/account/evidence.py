"""A breach told so that a trader can check it by hand, from its own event alone.

Every line of the arithmetic is a claim that anybody can compute again. A line that
does not come out even says so, and rounds half to even.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from msgspec import Struct

from domain.account.events import RuleBreached
from domain.account.position import Valued
from domain.rules.adjudicate import Breach
from domain.rules.allowance import HUNDRED, AmountBasis
from domain.rules.daily_loss import DailyLoss, DayAnchor
from domain.rules.limit import Comparator, Measured
from domain.rules.marks import Mark, Marks
from domain.rules.max_loss import Follows, MaxLoss
from domain.rules.phase import LimitRule
from domain.rules.standing import Standing
from domain.values.money import Money, minor_unit
from domain.values.quote import Quote, Side

SIGNS = {Comparator.BELOW: "<", Comparator.AT_OR_BELOW: "<="}


class FloorStood(Struct, frozen=True, kw_only=True):
    """Where the floor was hung, since when, and what put it there."""

    at: datetime
    floor: Decimal
    because: str


def arithmetic(event: RuleBreached, breach: Breach) -> tuple[str, ...]:
    """From the quotes to the equity, from the terms to the floor, then the two."""
    return (
        *(valuation(each) for each in event.positions),
        *equity(event),
        *observed(event, breach.limit),
        *floor(event, breach),
        comparison(breach),
    )


def comparison(breach: Breach) -> str:
    sign = SIGNS[breach.limit.comparator]
    return f"{breach.observed.amount} {sign} {breach.floor.amount}"


def valuation(held: Valued) -> str:
    """`1.00 x 100000 x (1.08999 - 1.10000) = -1001.00 USD`."""
    first, second = held.price, held.open_price
    if held.side is Side.SELL:
        first, second = second, first
    gain = (first - second) * held.quantity * held.contract_size
    told = f"{held.quantity:f} x {held.contract_size:f} x ({first:f} - {second:f})"
    for leg in held.conversion:
        gain = gain / leg.price if leg.divides else gain * leg.price
        told += f" {'/' if leg.divides else 'x'} {leg.price:f}"
    return equals(told, gain, held.profit, f" {held.profit.currency}")


def equity(event: RuleBreached) -> Iterator[str]:
    if event.positions:
        told = str(event.balance.amount)
        for held in event.positions:
            told += signed(held.profit.amount)
        yield f"{told} = {event.equity.amount}"


def observed(event: RuleBreached, limit: LimitRule) -> Iterator[str]:
    if limit.measured is Measured.LOWER_OF_BOTH:
        lower = min(event.balance.amount, event.equity.amount)
        yield f"min({event.balance.amount}, {event.equity.amount}) = {lower}"


def floor(event: RuleBreached, breach: Breach) -> Iterator[str]:
    """The allowance in money, what is left below the anchor, and the lock."""
    limit, anchor, deposit = breach.limit, breach.anchor.amount, event.deposit
    allowed = limit.allowance.in_money(deposit, anchor)
    yield from allowance(limit, deposit, anchor)
    hung = anchor - allowed
    yield f"{anchor.amount} - {allowed.amount} = {hung.amount}"
    if isinstance(limit, MaxLoss) and limit.lock is not None:
        lock = Money.rounded(limit.lock, deposit.currency)
        yield from in_cents(limit.lock, lock)
        highest = deposit + lock
        yield f"{deposit.amount}{signed(lock.amount)} = {highest.amount}"
        yield f"min({hung.amount}, {highest.amount}) = {breach.floor.amount}"


def allowance(limit: LimitRule, deposit: Money, anchor: Money) -> Iterator[str]:
    allowed, value = limit.allowance.in_money(deposit, anchor), limit.allowance.value
    match limit.allowance.basis:
        case AmountBasis.ABSOLUTE:
            yield from in_cents(value, allowed)
        case AmountBasis.SHARE_OF_DEPOSIT:
            yield share(deposit, value, allowed)
        case AmountBasis.SHARE_OF_ANCHOR:
            yield share(anchor, value, allowed)


def share(whole: Money, per_cent: Decimal, part: Money) -> str:
    exact = whole.amount * (per_cent / HUNDRED)
    return equals(f"{whole.amount} x {per_cent:f} %", exact, part)


def in_cents(written: Decimal, money: Money) -> Iterator[str]:
    """Worth a line only where the terms are finer than the currency."""
    if written != money.amount:
        yield equals(f"{written:f}", written, money)


def equals(told: str, exact: Decimal, result: Money, unit: str = "") -> str:
    line = f"{told} = {result.amount}{unit}"
    if exact == result.amount:
        return line
    return f"{line}, rounded half to even to {minor_unit(result.currency)}"


def signed(amount: Decimal) -> str:
    return f" - {-amount}" if amount < 0 else f" + {amount}"


def floor_history(event: RuleBreached, breach: Breach) -> tuple[FloorStood, ...]:
    """The floor at the opening and, when it has moved since, the floor as it stood."""
    deposit, limit = event.deposit, breach.limit
    start = Mark(deposit, 0, event.opened_at)
    at_opening = limit.floor(
        Standing(
            balance=deposit,
            equity=deposit,
            marks=Marks.at_opening(start),
            trading_days=0,
            is_flat=True,
        )
    )
    opening = FloorStood(
        at=event.opened_at,
        floor=at_opening.amount,
        because=f"opened with {deposit.amount} {deposit.currency}",
    )
    if breach.anchor.at == event.opened_at and breach.floor == at_opening:
        return (opening,)
    stood = FloorStood(
        at=breach.anchor.at, floor=breach.floor.amount, because=because(breach)
    )
    return (opening, stood)


def because(breach: Breach) -> str:
    anchor = breach.anchor
    told = f"{anchor_of(breach.limit)} {anchor.amount.amount} after tick {anchor.tick}"
    allowed_above = isinstance(breach.limit, MaxLoss) and breach.limit.lock is not None
    return f"{told}; never above the lock" if allowed_above else told


def anchor_of(limit: LimitRule) -> str:
    match limit:
        case DailyLoss():
            return DAY_ANCHORS[limit.measured_from]
        case MaxLoss():
            return "deposit" if limit.follows is None else MARKS[limit.follows]
        case _:
            assert_never(limit)


DAY_ANCHORS = {
    DayAnchor.BALANCE: "the day turned with a balance of",
    DayAnchor.EQUITY: "the day turned with an equity of",
    DayAnchor.HIGHER_OF_BOTH: "the day turned; the higher of balance and equity was",
    DayAnchor.DEPOSIT: "deposit",
    DayAnchor.PEAK_EQUITY: "the day's highest equity was",
}
MARKS = {
    Follows.BALANCE: "the highest balance was",
    Follows.EQUITY: "the highest equity was",
    Follows.HIGHER_OF_BOTH: "the highest of both was",
    Follows.CLOSE_BALANCE: "the highest balance at a day's end was",
    Follows.CLOSE_HIGHER_OF_BOTH: "the highest of both at a day's end was",
}


def quotes(event: RuleBreached) -> tuple[Quote, ...]:
    """Every quote that the verdict rests on, once each, in the venue's sequence."""
    cited = [each.quote for each in event.positions]
    cited += [leg.quote for each in event.positions for leg in each.conversion]
    return tuple(sorted(set(cited), key=lambda quote: quote.sequence))
