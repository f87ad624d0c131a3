"""Why an account stood as it stood: every figure with what it was computed from.

The lines of arithmetic are those of a breach's evidence, asked of every limit as if it
had just been crossed: what they rest on is the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

from application.as_of import Stood, Told
from application.catalogue import name_of
from application.views.account import AccountView, LimitView, account_view, limit_view
from domain.account import evidence
from domain.account.decider import convicted
from domain.account.events import (
    AccountEvent,
    AccountExpired,
    AccountOpened,
    AccountQuarantined,
    AccountWarned,
    BreachAnnulled,
    BreachConfirmed,
    BreachDismissed,
    MarginCalled,
    ObjectivesMet,
    PositionClosed,
    ReviewEvent,
    RuleBreached,
)
from domain.account.margin import MarginStood
from domain.account.position import Valued
from domain.account.state import Account
from domain.rules import claims
from domain.rules.adjudicate import Breach, Verdict, crossed, deadlines
from domain.rules.asked import asked
from domain.rules.limit import Evaluated
from domain.rules.marks import Mark, Marks
from domain.rules.standing import Standing
from domain.rules.timer import Deadline
from domain.values.market import Leg
from domain.values.money import Money
from domain.values.quote import Quote, Side

Outcome = Literal[
    "breached",
    "paused",
    "passed",
    "warned",
    "expired",
    "frozen",
    "annulled",
    "confirmed",
    "dismissed",
    "called",
    "stopped_out",
]
REVIEWED: Final[dict[type[ReviewEvent], Outcome]] = {
    BreachAnnulled: "annulled",
    BreachConfirmed: "confirmed",
    BreachDismissed: "dismissed",
}

INSTANT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


class NotValued(Exception):
    """What is open has no price, or is worth more than anything can be."""


class Booked(Struct, frozen=True, kw_only=True):
    """What facts of one kind have done to the balance together."""

    type: str
    times: int
    amount: Decimal


class HeldThen(Struct, frozen=True, kw_only=True):
    trade_id: str
    symbol: str
    side: Side
    quantity: Decimal
    open_price: Decimal
    quote: Quote
    price: Decimal  # the side of the quote at which it would have closed
    conversion: tuple[Leg, ...]
    profit: Decimal
    arithmetic: str


class MarkThen(Struct, frozen=True, kw_only=True):
    mark: str
    amount: Decimal
    tick: int  # at which it first stood
    at: datetime


class LimitThen(Struct, frozen=True, kw_only=True):
    limit: LimitView
    evaluated: Evaluated
    anchor: MarkThen
    because: str
    arithmetic: tuple[str, ...]


class TimerThen(Struct, frozen=True, kw_only=True):
    rule: str
    kind: str
    next: Deadline


class VerdictThen(Struct, frozen=True, kw_only=True):
    outcome: Outcome
    at: datetime
    position: str
    rules: tuple[str, ...]  # the primary one first
    arithmetic: tuple[str, ...]


class Explanation(Struct, frozen=True, kw_only=True):
    """`account` is what the API would have answered at that instant."""

    at: datetime
    tick: int
    account: AccountView
    booked: tuple[Booked, ...]
    balance: str
    positions: tuple[HeldThen, ...]
    equity: tuple[str, ...]
    marks: tuple[MarkThen, ...]
    limits: tuple[LimitThen, ...]
    timers: tuple[TimerThen, ...]
    verdicts: tuple[VerdictThen, ...]
    because: tuple[str, ...]  # why there is no verdict that ended it, if there is none


def explained(stood: Stood, partition: str) -> Explanation:
    """Raise `NotValued` where the account could not be judged either."""
    account, moment = stood.account, stood.moment
    last = stood.facts[-1]
    position = f"{partition}-{last.position}"
    try:
        standing = account.standing(moment.market)
    except Exception as fault:
        raise NotValued(f"{type(fault).__name__}: {fault}") from fault
    floors = crossed(account.phase.limits, standing)
    seen = convicted(account, Verdict(breaches=floors), moment)
    booked = tuple(bookings(stood.facts))
    opened = stood.facts[0].fact
    assert isinstance(opened, AccountOpened)
    counted = "tick" if account.bridge is None else "observation"
    return Explanation(
        at=moment.at,
        tick=moment.tick,
        account=account_view(account, moment, position, last.version),
        booked=booked,
        balance=balance(account, opened.deposit, booked),
        positions=tuple(map(held, seen.positions)),
        equity=tuple(evidence.equity(seen)),
        marks=tuple(marks(account.marks)),
        limits=tuple(limit(each, seen, standing, counted) for each in floors),
        timers=tuple(timers(account)),
        verdicts=tuple(verdicts(stood.facts, partition)),
        because=() if account.is_over else tuple(why_none(account, standing, floors)),
    )


def bookings(facts: Iterable[Told]) -> Iterator[Booked]:
    """The balance is carried by the facts themselves; what they changed adds up."""
    changes: dict[str, list[Decimal]] = {}
    before: Money | None = None
    for told in facts:
        if getattr(told.fact, "source", None) is not None:
            continue  # judged among observations whose end was told before
        after: Money | None = getattr(told.fact, "balance", before)
        if isinstance(told.fact, AccountOpened):
            after = told.fact.deposit
        elif after != before:
            assert after is not None
            assert before is not None
            change = (after - before).amount
            changes.setdefault(name_of(told.fact), []).append(change)
        before = after
    for name, amounts in changes.items():
        yield Booked(type=name, times=len(amounts), amount=sum(amounts, Decimal(0)))


def balance(account: Account, deposit: Money, booked: Sequence[Booked]) -> str:
    """From what it was opened with: scaling is one of the bookings."""
    if not booked:
        return f"the deposit of {deposit.amount}"
    changes = "".join(claims.signed(each.amount) for each in booked)
    return f"{deposit.amount}{changes} = {account.balance.amount}"


def held(valued: Valued) -> HeldThen:
    return HeldThen(
        trade_id=valued.trade_id,
        symbol=valued.symbol,
        side=valued.side,
        quantity=valued.quantity,
        open_price=valued.open_price,
        quote=valued.quote,
        price=valued.price,
        conversion=valued.conversion,
        profit=valued.profit.amount,
        arithmetic=evidence.valuation(valued),
    )


def marks(known: Marks) -> Iterator[MarkThen]:
    for name in known.__struct_fields__:
        yield mark(name, getattr(known, name))


def mark(name: str, it: Mark) -> MarkThen:
    return MarkThen(mark=name, amount=it.amount.amount, tick=it.tick, at=it.at)


def limit(
    floor: Breach, seen: RuleBreached, standing: Standing, counted: str
) -> LimitThen:
    view = limit_view(floor.limit, standing)
    observed, level = floor.observed, floor.floor
    return LimitThen(
        limit=view,
        evaluated=floor.limit.evaluated,
        anchor=mark(floor.limit.anchor_is(), floor.anchor),
        because=evidence.because(seen, floor, counted),
        arithmetic=(
            *evidence.floor(seen, floor),
            *evidence.observed(seen, floor.limit),
            f"{observed.amount} - {level.amount} = {(observed - level).amount}",
        ),
    )


def timers(account: Account) -> Iterator[TimerThen]:
    for timer, deadline in deadlines(account.phase, account.opened_at, account.record):
        kind = str(type(timer).__struct_config__.tag)
        yield TimerThen(rule=timer.id, kind=kind, next=deadline)


def verdicts(facts: Iterable[Told], partition: str) -> Iterator[VerdictThen]:
    for told in facts:
        found = verdict(told.fact)
        if found is not None:
            outcome, rules, arithmetic = found
            yield VerdictThen(
                outcome=outcome,
                at=told.fact.at,
                position=f"{partition}-{told.position}",
                rules=rules,
                arithmetic=arithmetic,
            )


def verdict(
    fact: AccountEvent,
) -> tuple[Outcome, tuple[str, ...], tuple[str, ...]] | None:
    match fact:
        case RuleBreached(breaches=breaches):
            is_hard = Verdict(breaches=breaches).is_hard
            return (
                "breached" if is_hard else "paused",
                tuple(each.limit.id for each in breaches),
                evidence.arithmetic(fact, breaches[0]),
            )
        case ObjectivesMet(reached=reached):
            told = (
                f"{each.observed.amount} >= {each.level.amount}" for each in reached
            )
            return "passed", tuple(each.target.id for each in reached), tuple(told)
        case AccountWarned(struck=struck) | AccountExpired(struck=struck):
            told = (
                f"{each.deadline.days} days since {each.deadline.since:{INSTANT}}"
                f" were over at {each.deadline.at:{INSTANT}}"
                for each in struck
            )
            return (
                "expired" if isinstance(fact, AccountExpired) else "warned",
                tuple(each.timer.id for each in struck),
                tuple(told),
            )
        case MarginCalled(margin=stood):
            return "called", (), evidence.margin(stood)
        case PositionClosed(margin=MarginStood() as stood):
            return "stopped_out", (), evidence.margin(stood)
        case AccountQuarantined(cause=cause):
            return "frozen", (), (f"judging it failed: {cause}",)
        case BreachAnnulled() | BreachConfirmed() | BreachDismissed():
            return REVIEWED[type(fact)], fact.rules, tuple(reviewed(fact))
        case _:
            return None


def reviewed(fact: ReviewEvent) -> Iterator[str]:
    """Each fill at a quote that does not count, at the last one that does."""
    if isinstance(fact, BreachAnnulled):
        for each in fact.restored:
            yield evidence.valuation(each.instead)
            instead = each.instead.profit
            told = f"{instead.amount}{claims.signed(-each.booked.amount)}"
            yield f"{told} = {each.correction.amount}"


def why_none(
    account: Account, standing: Standing, floors: Iterable[Breach]
) -> Iterator[str]:
    for each in floors:
        yield f"{each.limit.id}: {uncrossed(each, standing)}"
    if not account.phase.targets:
        yield "no target: the phase goes on until a limit is crossed"
    for goal in asked(account.phase, standing):
        yield f"{goal.rule}: asks for {goal.required}, has {goal.actual}"
    if account.positions:
        for target in account.phase.targets:
            if target.needs_flat:
                yield f"{target.id}: counts once no position is open"


def uncrossed(floor: Breach, standing: Standing) -> str:
    limit = floor.limit
    if limit.id in standing.paused:
        return "was crossed, and is silent until the day turns"
    if limit.is_crossed(standing, limit.floor(standing)):
        return "is crossed, which counts where the day ends, not before"
    view = limit_view(limit, standing)
    if not view.distance:
        return "is touched, which is allowed"
    return f"{view.distance} away"
