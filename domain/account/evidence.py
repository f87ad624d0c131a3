"""A breach told so that a trader can check it by hand, from its own event alone.

Every line of the arithmetic is a claim that anybody can compute again. A line that
does not come out even says so, and rounds half to even.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from domain.account.events import RuleBreached
from domain.account.flow import FlowKind
from domain.account.margin import MarginStood
from domain.account.position import Valued
from domain.rules import claims
from domain.rules.adjudicate import Breach
from domain.rules.flow_marks import FlowMarks
from domain.rules.limit import Comparator, Measured
from domain.rules.marks import Mark, Marks
from domain.rules.max_loss import MaxLoss
from domain.rules.phase import LimitRule
from domain.rules.record import Record
from domain.rules.standing import Standing
from domain.rules.trading_terms import HUNDRED
from domain.values.money import Money, minor_unit
from domain.values.quote import Quote, Side
from domain.values.trading_day import TradingDay

FALLEN = {Comparator.BELOW: "<", Comparator.AT_OR_BELOW: "<="}
ANY_DAY = TradingDay("UTC", "00:00")  # no floor looks at the record
RISEN = {Comparator.BELOW: ">", Comparator.AT_OR_BELOW: ">="}


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
    signs = RISEN if breach.is_ceiling else FALLEN
    sign = signs[breach.limit.comparator]
    return f"{breach.observed.amount} {sign} {breach.floor.amount}"


def valuation(held: Valued) -> str:
    """`1.00 x 100000 x (1.08999 - 1.10000) = -1001.00 USD`."""
    if held.cost is not None:
        return netted_valuation(held, held.cost)
    first, second = held.price, held.open_price
    if held.side is Side.SELL:
        first, second = second, first
    gain = (first - second) * held.quantity * held.contract_size
    told = f"{held.quantity:f} x {held.contract_size:f} x ({first:f} - {second:f})"
    return converted(told, gain, held)


def netted_valuation(held: Valued, cost: Decimal) -> str:
    """`(1.50 x 100000 x 1.10300 - 165150) = 300.00 USD`: not by an average price."""
    worth = held.quantity * held.contract_size * held.price
    told = f"{held.quantity:f} x {held.contract_size:f} x {held.price:f}"
    if held.side is Side.BUY:
        return converted(f"({told} - {cost:f})", worth - cost, held)
    return converted(f"({cost:f} - {told})", cost - worth, held)


def converted(told: str, gain: Decimal, held: Valued) -> str:
    for leg in held.conversion:
        gain = gain / leg.price if leg.divides else gain * leg.price
        told += f" {'/' if leg.divides else 'x'} {leg.price:f}"
    return claims.equals(told, gain, held.profit, f" {held.profit.currency}")


def equity(event: RuleBreached) -> Iterator[str]:
    if event.positions:
        told = str(event.balance.amount)
        for held in event.positions:
            told += claims.signed(held.profit.amount)
            if held.accrued is not None:  # swap that is not in the balance yet
                told += claims.signed(held.accrued.amount)
        yield f"{told} = {event.equity.amount}"


def margin(stood: MarginStood) -> tuple[str, str]:
    """What the level comes to, and that equity stands no higher."""
    exact = stood.margin.amount * stood.per_cent / HUNDRED
    level = f"{stood.margin.amount} x {stood.per_cent:f} % = {stood.level.amount}"
    if exact != stood.level.amount:
        level += f", up to the next {minor_unit(stood.level.currency)}"
    return level, f"{stood.equity.amount} <= {stood.level.amount}"


def observed(event: RuleBreached, limit: LimitRule) -> Iterator[str]:
    if limit.measured is Measured.LOWER_OF_BOTH:
        lower = min(event.balance.amount, event.equity.amount)
        yield f"min({event.balance.amount}, {event.equity.amount}) = {lower}"


def floor(event: RuleBreached, breach: Breach) -> Iterator[str]:
    """The anchor, the allowance in money, what is left below, and the lock."""
    limit, anchor, deposit = breach.limit, breach.anchor.amount, event.deposit
    moved = breach.anchor.moved
    if moved is not None:
        stood = anchor - moved
        yield f"{stood.amount}{claims.signed(moved.amount)} = {anchor.amount}"
    allowed = limit.allowance.in_money(deposit, anchor)
    yield from claims.allowed(limit.allowance, deposit, anchor)
    if breach.is_ceiling:
        yield f"{anchor.amount} + {allowed.amount} = {breach.floor.amount}"
        return
    hung = anchor - allowed
    yield f"{anchor.amount} - {allowed.amount} = {hung.amount}"
    if limit.is_locked:
        yield from limit.lock_claims(hung, deposit)


def floor_history(event: RuleBreached, breach: Breach) -> tuple[FloorStood, ...]:
    """The floor at the beginning and, when it has moved since, wherever it stood."""
    beginning = began(event, breach)
    anchor = breach.anchor
    if anchor.at == beginning.at and breach.floor.amount == beginning.floor:
        return (beginning,)
    counted = "tick" if event.source is None else "observation"
    if anchor.moved is None:
        told = because(event, breach, counted)
        return (
            beginning,
            FloorStood(at=anchor.at, floor=breach.floor.amount, because=told),
        )
    unmoved = Mark(anchor.amount - anchor.moved, anchor.tick, anchor.at)
    stood = replace(breach, anchor=unmoved)
    first = FloorStood(
        at=anchor.at,
        floor=hung_from(unmoved, event, breach).amount,
        because=because(event, stood, counted),
    )
    moved = FloorStood(
        at=max((each.at for each in event.flows), default=event.at),
        floor=breach.floor.amount,
        because=f"flows of {anchor.moved.amount} in all have moved it since",
    )
    if first.floor == beginning.floor:
        return (beginning, moved)
    return (beginning, first, moved)


def began(event: RuleBreached, breach: Breach) -> FloorStood:
    """With the opening, or where the account was scaled since, with that."""
    deposit, at, how = event.deposit, event.opened_at, "opened with"
    if event.flows and event.flows[0].kind is FlowKind.SCALING:
        at, how = event.flows[0].at, "scaled to"
    return FloorStood(
        at=at,
        floor=hung_from(Mark(deposit, 0, at), event, breach).amount,
        because=f"{how} {deposit.amount} {deposit.currency}",
    )


def hung_from(mark: Mark, event: RuleBreached, breach: Breach) -> Money:
    """The level that is crossed, were every mark but the deposit this one."""
    deposit, limit = event.deposit, breach.limit
    marks = replace(Marks.at_opening(mark), deposit=Mark(deposit, mark.tick, mark.at))
    standing = Standing(
        balance=deposit,
        equity=deposit,
        marks=marks,
        record=Record.beginning(event.opened_at, ANY_DAY, deposit),
        trading_days=0,
        is_flat=True,
    )
    level = limit.ceiling if breach.is_ceiling else limit.floor
    found = level(standing)
    assert found is not None, "only a ceiling is crossed from below"
    return found


def because(event: RuleBreached, breach: Breach, counted: str) -> str:
    limit, anchor = breach.limit, breach.anchor
    told = f"{limit.anchor_is()} {anchor.amount.amount} after {counted} {anchor.tick}"
    if is_reset(event, breach):
        told = f"a flow set the mark back to the deposit of {anchor.amount.amount}"
    return f"{told}; never above the lock" if limit.is_locked else told


def is_reset(event: RuleBreached, breach: Breach) -> bool:
    limit, anchor = breach.limit, breach.anchor
    return (
        isinstance(limit, MaxLoss)
        and limit.flow_marks is FlowMarks.RESET
        and anchor.amount == event.deposit
        and any(
            (each.at, each.tick) == (anchor.at, anchor.tick) for each in event.flows
        )
    )


def quotes(event: RuleBreached) -> tuple[Quote, ...]:
    """Every quote that the verdict rests on, once each, in the venue's sequence."""
    cited = [each.quote for each in event.positions]
    cited += [leg.quote for each in event.positions for leg in each.conversion]
    return tuple(sorted(set(cited), key=lambda quote: quote.sequence))
