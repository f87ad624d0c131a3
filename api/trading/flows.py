"""What the house does to the capital of an account: four kinds of flow, two of waiting.

Whoever may is an admin, alone. Where two have to agree, `decided_by` is the place.
"""

from typing import Annotated, Any, Final
from uuid import UUID, uuid5

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from msgspec import Meta, Struct
from msgspec.structs import replace

from api.conventions import DecimalText, IdInPath, IdText, PositiveText
from api.doors import only
from api.problems import Fault, Problem
from api.trading.asking import Asking
from application.caller import Caller, Role
from application.cases import CasePlan, phase_of
from application.gateway import Gateway
from application.views.flow import FlowView
from domain.account.commands import (
    FlowCommand,
    HoldPayout,
    PostFlow,
    ReleasePayout,
    ScaleAccount,
)
from domain.account.flow import FlowKind
from domain.rules.phase import MOST_RULES, Phase
from domain.rules.terms import ADJUDICATOR, Terms
from domain.values.money import Money

PAYOUTS: Final = UUID("2b9a2f52-6d0c-5c58-9a53-0d6a1c7e4f30")

Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        description="Kept for ever: name no person in it.",
    ),
]
CallerHere = NamedDependency[Caller]
GatewayHere = NamedDependency[SkipValidation[Gateway]]
AnyRequest = Request[Any, Any, Any]


class NewPayout(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="payout"
):
    """It is approved by this, and debited, once however often that is sent."""

    payout_id: IdText
    amount: PositiveText  # what leaves the account, the firm's share with it
    reason: Reason = "approved"


class NewCorrection(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="correction"
):
    amount: DecimalText  # below zero it is taken out
    reason: Reason


class NewCredit(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="credit"
):
    amount: PositiveText
    reason: Reason


class NewScaling(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="scaling"
):
    deposit: PositiveText
    reason: Reason
    rules: Annotated[tuple[dict[str, Any], ...], Meta(max_length=MOST_RULES)] | None = (
        None  # in the words of the rule cases; absent: the terms stay
    )


NewFlow = NewPayout | NewCorrection | NewCredit | NewScaling


class NewHold(Struct, frozen=True, forbid_unknown_fields=True):
    payout_id: IdText
    amount: PositiveText


class NewRelease(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


@post("/admin/accounts/{account_id:str}/flows", opt=dict(only(Role.ADMIN)))
async def post_flow(
    request: AnyRequest,
    account_id: IdInPath,
    data: JSONBody[NewFlow],
    caller: CallerHere,
    gateway: GatewayHere,
) -> Response[FlowView]:
    """Book it; balance and marks are moved before anything is judged."""
    asking = Asking(request, caller, data)
    phase, currency = gateway.terms_of(account_id)
    by, flow_id = decided_by(caller), asking.id_for("flow")
    natural_id: UUID | None = None
    command: FlowCommand
    if isinstance(data, NewScaling):
        anew = new_terms(data, phase, currency)
        command = ScaleAccount(
            flow_id=flow_id,
            deposit=money(data.deposit, currency, "deposit"),
            phase=anew.phases[0] if anew else None,
            terms_hash=anew.hash if anew else None,
            reason=data.reason,
            by=by,
        )
    else:
        amount = money(data.amount, currency, "amount")
        if isinstance(data, NewPayout):
            flow_id = data.payout_id
            natural_id = uuid5(PAYOUTS, f"{account_id}\n{flow_id}")
            amount = Money(-amount.amount, amount.currency)
        if not amount.amount:
            raise invalid("amount", "nothing is booked")
        command = PostFlow(
            flow_id=flow_id,
            kind=FlowKind(str(type(data).__struct_config__.tag)),
            amount=amount,
            reason=data.reason,
            by=by,
        )
    return await decided(asking, gateway, account_id, command, natural_id)


@post("/admin/accounts/{account_id:str}/payouts", opt=dict(only(Role.ADMIN)))
async def hold_payout(
    request: AnyRequest,
    account_id: IdInPath,
    data: JSONBody[NewHold],
    caller: CallerHere,
    gateway: GatewayHere,
) -> Response[FlowView]:
    """Hold what was asked for until it is approved or rejected; nothing is booked."""
    _, currency = gateway.terms_of(account_id)
    command = HoldPayout(
        payout_id=data.payout_id,
        amount=money(data.amount, currency, "amount"),
        by=decided_by(caller),
    )
    asking = Asking(request, caller, data)
    return await decided(asking, gateway, account_id, command)


@post(
    "/admin/accounts/{account_id:str}/payouts/{payout_id:str}/release",
    status_code=200,
    opt=dict(only(Role.ADMIN)),
)
async def release_payout(
    request: AnyRequest,
    account_id: IdInPath,
    payout_id: IdInPath,
    data: JSONBody[NewRelease],
    caller: CallerHere,
    gateway: GatewayHere,
) -> Response[FlowView]:
    """It is rejected or withdrawn: the amount is free again."""
    command = ReleasePayout(
        payout_id=payout_id, reason=data.reason, by=decided_by(caller)
    )
    asking = Asking(request, caller, data)
    return await decided(asking, gateway, account_id, command)


async def decided(
    asking: Asking,
    gateway: Gateway,
    account_id: str,
    command: FlowCommand,
    natural_id: UUID | None = None,
) -> Response[FlowView]:
    return await asking.answer(
        gateway,
        gateway.partition_of_account(account_id),
        f"account-{account_id}",
        command,
        natural_id=natural_id,
        by_house=True,
    )


def decided_by(caller: Caller) -> str:
    return caller.trader_id


def new_terms(data: NewScaling, phase: Phase, currency: str) -> Terms | None:
    """Under a hash of their own: the sale's terms stay what they were."""
    if data.rules is None:
        return None
    day = phase.trading_day
    plan = CasePlan(
        initial=data.deposit, reset=(day.zone, day.turns_at), rules=data.rules
    )
    try:
        anew = replace(phase, rules=phase_of(plan).rules)
    except (msgspec.ValidationError, ValueError) as error:
        raise invalid("rules", str(error)) from None
    return Terms(adjudicator=ADJUDICATOR, currency=currency, phases=(anew,))


def money(text: str, currency: str, field: str) -> Money:
    try:
        return Money.parse(text, currency)
    except ValueError as error:
        raise invalid(field, str(error)) from None


def invalid(field: str, reason: str) -> Problem:
    return Problem("invalid-request", errors=(Fault(field, reason),))
