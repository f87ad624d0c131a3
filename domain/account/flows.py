"""How an account answers what moves its capital: payouts, corrections, scaling, credit.

A flow is never judged as a loss; what stands after it is. So a payout is refused that
would leave a floor crossed, and whoever corrects a booking has to live with the truth.
"""

from typing import Final

from domain.account.commands import (
    HoldPayout,
    PostFlow,
    ReleasePayout,
    ScaleAccount,
)
from domain.account.errors import (
    AccountBridged,
    FlowRefused,
    PayoutNotHeld,
    PayoutSettled,
    PayoutUncovered,
)
from domain.account.events import (
    AccountScaled,
    FlowPosted,
    PayoutHeld,
    PayoutReleased,
)
from domain.account.flow import FlowKind
from domain.account.state import Account, evolve
from domain.account.trading import trading
from domain.rules.adjudicate import at_instant
from domain.values.market import Moment
from domain.values.money import Money
from domain.values.refusal import Arithmetic

MOST_FLOWS: Final = 1_000  # of one account
MOST_HELD: Final = 100


def available(account: Account, moment: Moment) -> Money:
    """What a payout may still ask for: profit, less what the house has lent or holds.

    Open losses count and open gains do not.
    """
    standing = account.standing(moment.market)
    lower = min(standing.balance, standing.equity)
    lent = (each.amount for each in account.flows if each.kind is FlowKind.CREDIT)
    held = (each.amount for each in account.held)
    promised = sum([*lent, *held], Money.zero(account.currency))
    return lower - standing.deposit - promised


def hold_payout(command: HoldPayout, account: Account, moment: Moment) -> PayoutHeld:
    """Nothing is booked before it is approved."""
    trading(account)
    must_be_new(command.payout_id, account)
    if any(each.payout_id == command.payout_id for each in account.held):
        raise PayoutSettled(f"{command.payout_id} is held already")
    if len(account.held) >= MOST_HELD:
        raise FlowRefused(f"at most {MOST_HELD} payouts are held at a time")
    must_be_covered(command.amount, available(account, moment), moment)
    return PayoutHeld(
        at=moment.at,
        tick=moment.tick,
        payout_id=command.payout_id,
        amount=command.amount,
        by=command.by,
    )


def release_payout(
    command: ReleasePayout, account: Account, moment: Moment
) -> PayoutReleased:
    """It was withdrawn or rejected: also once the account has ended."""
    if all(each.payout_id != command.payout_id for each in account.held):
        raise PayoutNotHeld(command.payout_id)
    return PayoutReleased(
        at=moment.at,
        tick=moment.tick,
        payout_id=command.payout_id,
        reason=command.reason,
        by=command.by,
    )


def post_flow(command: PostFlow, account: Account, moment: Moment) -> FlowPosted:
    must_be_simulated(account)
    is_payout = command.kind is FlowKind.PAYOUT
    if is_payout:
        must_be_payable(command, account, moment)
    event = FlowPosted(
        at=moment.at,
        tick=moment.tick,
        flow_id=command.flow_id,
        kind=command.kind,
        amount=command.amount,
        balance=booked(account.balance, command.amount),
        reason=command.reason,
        by=command.by,
    )
    after = tried(account, event)
    if is_payout:
        must_leave_room(after, moment)
    return event


def scale_account(
    command: ScaleAccount, account: Account, moment: Moment
) -> AccountScaled:
    must_be_simulated(account)
    trading(account)
    deposit = account.marks.deposit.amount
    phase = command.phase or account.phase
    if phase.trading_day != account.phase.trading_day:
        raise FlowRefused("the day of an account turns as it always has")
    if phase.keeps_record and not account.phase.keeps_record:
        raise FlowRefused("nothing has kept the record that the new terms look at")
    if (command.deposit, phase) == (deposit, account.phase):
        raise FlowRefused("it would change nothing")
    event = AccountScaled(
        at=moment.at,
        tick=moment.tick,
        flow_id=command.flow_id,
        amount=command.deposit - deposit,
        deposit=command.deposit,
        balance=booked(account.balance, command.deposit - deposit),
        phase=command.phase,
        terms_hash=command.terms_hash or account.terms_hash,
        policy_version=account.policy_version + 1,
        reason=command.reason,
        by=command.by,
    )
    must_leave_room(tried(account, event), moment)
    return event


def must_be_simulated(account: Account) -> None:
    if account.bridge is not None:  # its platform tells of it with an observation
        raise AccountBridged(account.account_id)
    if len(account.flows) >= MOST_FLOWS:
        raise FlowRefused(f"at most {MOST_FLOWS} flows of one account")


def must_be_payable(command: PostFlow, account: Account, moment: Moment) -> None:
    """What was held for it is its own, and no other amount is paid then."""
    trading(account)
    must_be_new(command.flow_id, account)
    asked = -command.amount.amount
    paid, free = Money(asked, account.currency), available(account, moment)
    for held in account.held:
        if held.payout_id == command.flow_id:
            if held.amount != paid:
                raise FlowRefused(f"{held.amount.amount} is held for it, not {asked}")
            free += held.amount
    must_be_covered(paid, free, moment)


def must_be_new(payout_id: str, account: Account) -> None:
    """However often an approval comes, it debits once."""
    if any(
        each.flow_id == payout_id and each.kind is FlowKind.PAYOUT
        for each in account.flows
    ):
        raise PayoutSettled(payout_id)


def must_be_covered(asked: Money, free: Money, moment: Moment) -> None:
    if free < asked:
        raise PayoutUncovered(
            f"{free.amount} {free.currency} can be paid out",
            arithmetic("profit", free, asked, moment),
        )


def must_leave_room(after: Account, moment: Moment) -> None:
    standing = after.standing(moment.market)
    _, verdict = at_instant(after.phase, standing, moment.tick, moment.at)
    if verdict.breaches:
        crossed = verdict.breaches[0]
        raise PayoutUncovered(
            f"it would leave the floor of {crossed.limit.id} crossed",
            arithmetic(crossed.limit.id, crossed.floor, crossed.observed, moment),
        )
    if after.positions and standing.equity < after.margin:
        raise PayoutUncovered(
            "what is open needs it as margin",
            arithmetic("margin", after.margin, standing.equity, moment),
        )


def booked(balance: Money, amount: Money) -> Money:
    try:
        return balance + amount
    except ValueError as beyond:  # what no amount can hold
        raise FlowRefused(str(beyond)) from None


def tried(account: Account, event: FlowPosted | AccountScaled) -> Account:
    """Folding it later cannot fail: each mark holds what it comes to."""
    try:
        return evolve(account, event)
    except ValueError as beyond:
        raise FlowRefused(str(beyond)) from None


def arithmetic(rule: str, limit: Money, actual: Money, moment: Moment) -> Arithmetic:
    return Arithmetic(
        rule=rule,
        limit=str(limit.amount),
        actual=str(actual.amount),
        at=f"{moment.at:%Y-%m-%dT%H:%M:%S.%f}Z",
    )
