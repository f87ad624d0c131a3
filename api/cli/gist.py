"""A fact in a few words, for a line of `tradesense tail`; most need none."""

from collections.abc import Iterable
from typing import assert_never

from application.catalogue import Fact
from domain.account.events import (
    AccountEvent,
    AccountExpired,
    AccountObserved,
    AccountOpened,
    AccountQuarantined,
    AccountScaled,
    AccountWarned,
    BreachAnnulled,
    BreachConfirmed,
    BreachDismissed,
    CapitalEvent,
    FlowPosted,
    MarginCalled,
    MarginRestored,
    NegativeBalanceCleared,
    ObjectivesMet,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    OrderTriggered,
    PayoutHeld,
    PayoutReleased,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    PositionProtected,
    ReviewEvent,
    RuleBreached,
    Swap,
    SwapAccrued,
    SwapPosted,
)
from domain.account.order import Order
from domain.challenge.events import (
    ChallengeBreached,
    ChallengeExpired,
    ChallengePurchased,
    PhasePassed,
    PhaseStarted,
)
from domain.plan.events import PlanDrafted
from domain.rules.adjudicate import Breach
from domain.values.money import Money
from domain.venue.events import DayBoundaryPassed


def gist(fact: Fact) -> str:
    if isinstance(fact, AccountEvent):
        return of_account(fact)
    match fact:
        case ChallengePurchased():
            return f"{fact.plan_name}, {fact.deposit}"
        case PhaseStarted() | PhasePassed() | ChallengeBreached() | ChallengeExpired():
            return fact.phase
        case PlanDrafted(name=name, version=version):
            return f"{name} {version}"
        case DayBoundaryPassed(trading_day=day):
            return f"{day.zone} {day.turns_at}"
        case _:
            return ""


def of_account(fact: AccountEvent) -> str:  # noqa: C901, PLR0911, PLR0912 - a case an event
    match fact:
        case AccountOpened():
            return f"{fact.phase.name}, {money(fact.deposit)}"
        case PositionOpened(position=held):
            bought = f"{held.side} {held.quantity:f} {held.symbol} at {held.open_price}"
            return f"{bought}, balance {money(fact.balance)}"
        case PositionIncreased(deal=deal, position=held):
            more = f"{deal.side} {deal.quantity:f} {held.symbol} at {deal.price}"
            return f"{more}, now {held.quantity:f}, balance {money(fact.balance)}"
        case PositionClosed(fills=fills):
            sold = ", ".join(
                f"{each.closed.quantity:f} {each.closed.symbol} at {each.closed.price}"
                f" {each.closed.profit.amount:+}"
                for each in fills
            )
            return f"{fact.reason}: {sold}, balance {money(fact.balance)}"
        case RuleBreached(breaches=breaches):
            return ", ".join(map(crossed, breaches))
        case ObjectivesMet():
            return f"{fact.phase}, balance {money(fact.balance)}"
        case AccountWarned(struck=struck) | AccountExpired(struck=struck):
            return ", ".join(each.timer.id for each in struck)
        case SwapPosted() | SwapAccrued() | NegativeBalanceCleared():
            return of_money(fact)
        case MarginCalled(margin=it) | MarginRestored(margin=it):
            return f"equity {money(it.equity)} at a level of {money(it.level)}"
        case AccountQuarantined(cause=cause):
            return cause
        case AccountObserved(observations=observations):
            seen = f"{observations[0].sequence} to {observations[-1].sequence}"
            return f"{seen}, balance {money(fact.balance)}"
        case (
            OrderPlaced()
            | OrderChanged()
            | OrderTriggered()
            | OrderCancelled()
            | PositionProtected()
        ):
            return of_order(fact)
        case _:
            return of_house(fact)


def of_house(fact: CapitalEvent | ReviewEvent) -> str:
    match fact:
        case FlowPosted(kind=kind, amount=amount):
            return f"{kind} {amount.amount:+}, balance {money(fact.balance)}"
        case AccountScaled(deposit=deposit):
            return f"to {money(deposit)}, balance {money(fact.balance)}"
        case PayoutHeld(amount=amount):
            return money(amount)
        case PayoutReleased(payout_id=payout_id):
            return payout_id
        case BreachAnnulled() | BreachConfirmed() | BreachDismissed():
            return fact.reason
        case _:
            assert_never(fact)


def of_money(fact: SwapPosted | SwapAccrued | NegativeBalanceCleared) -> str:
    match fact:
        case SwapPosted(swaps=swaps):
            return f"{paid(swaps)}, balance {money(fact.balance)}"
        case SwapAccrued(swaps=swaps):
            return paid(swaps)
        case NegativeBalanceCleared(amount=amount):
            return money(amount)


def paid(swaps: Iterable[Swap]) -> str:
    return ", ".join(
        f"{each.quantity:f} {each.symbol} {each.amount.amount:+}" for each in swaps
    )


def of_order(
    fact: OrderPlaced
    | OrderChanged
    | OrderTriggered
    | OrderCancelled
    | PositionProtected,
) -> str:
    match fact:
        case OrderPlaced(order=order) | OrderChanged(order=order):
            return waiting(order)
        case OrderTriggered(order_id=order_id):
            return order_id
        case OrderCancelled(order_ids=order_ids):
            return f"{fact.reason}: {', '.join(order_ids)}"
        case PositionProtected():
            stop, target = fact.stop_loss, fact.take_profit
            trailing = f", trailing {fact.trailing}" if fact.trailing else ""
            return f"stop {stop or 'none'}, target {target or 'none'}{trailing}"
        case _:
            assert_never(fact)


def waiting(order: Order) -> str:
    prices = " ".join(str(p) for p in (order.stop_price, order.price) if p is not None)
    wanted = f"{order.side} {order.quantity:f} {order.symbol} {order.type}"
    return f"{wanted} {prices} {order.time_in_force}".replace("  ", " ")


def crossed(breach: Breach) -> str:
    measured, floor = breach.observed.amount, breach.floor
    limit = breach.limit
    return f"{limit.id} ({limit.effect}): {measured} at a floor of {money(floor)}"


def money(amount: Money) -> str:
    return f"{amount.amount} {amount.currency}"
