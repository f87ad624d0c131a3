"""What moved the capital of an account, as whoever decided it is answered."""

from decimal import Decimal

from msgspec import Struct

from domain.account.events import (
    AccountScaled,
    FlowPosted,
    PayoutHeld,
    PayoutReleased,
)
from domain.account.flow import FlowKind
from domain.account.state import Account

FlowEvent = FlowPosted | AccountScaled | PayoutHeld | PayoutReleased


class HeldView(Struct, frozen=True, kw_only=True):
    payout_id: str
    amount: Decimal


class FlowView(Struct, frozen=True, kw_only=True):
    """`amount` is what the balance gained; without one nothing was booked."""

    flow_id: str
    account_id: str
    kind: FlowKind
    amount: Decimal | None
    balance: Decimal  # after it, as all that follows
    deposit: Decimal
    capital: Decimal  # what profit is measured from
    held: tuple[HeldView, ...]  # payouts that wait to be approved
    terms_hash: str
    policy_version: int
    position: str
    version: int


def flow_view(
    event: FlowEvent, account: Account, position: str, version: int
) -> FlowView:
    flow_id, kind, amount = told(event)
    marks = account.marks
    return FlowView(
        flow_id=flow_id,
        account_id=account.account_id,
        kind=kind,
        amount=amount,
        balance=account.balance.amount,
        deposit=marks.deposit.amount.amount,
        capital=marks.capital.amount.amount,
        held=tuple(
            HeldView(payout_id=each.payout_id, amount=each.amount.amount)
            for each in account.held
        ),
        terms_hash=account.terms_hash,
        policy_version=account.policy_version,
        position=position,
        version=version,
    )


def told(event: FlowEvent) -> tuple[str, FlowKind, Decimal | None]:
    match event:
        case FlowPosted():
            return event.flow_id, event.kind, event.amount.amount
        case AccountScaled():
            return event.flow_id, FlowKind.SCALING, event.amount.amount
        case PayoutHeld() | PayoutReleased():
            return event.payout_id, FlowKind.PAYOUT, None
