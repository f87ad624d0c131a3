"""Rows 7 and 8 of the contract: buy a challenge, and see how it goes."""

from typing import Annotated, Any, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from msgspec import Meta, Struct
from msgspec.structs import replace

from api.conventions import (
    CursorText,
    IdInPath,
    IdText,
    Limit,
    MinPosition,
    Page,
    PositiveText,
)
from api.doors import SIGNED_IN
from api.trading.asking import Asking, owner_for
from api.trading.reads import Reads, after, cursor_after
from application.caller import Caller
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION, Gateway
from application.payments import Payments
from application.views.challenge import ChallengeView
from domain.challenge.decider import PurchaseChallenge
from domain.plan.add_ons import chosen, price_with
from domain.plan.document import MOST_ADD_ONS
from projections.challenges import challenges_of

LIVE = "live"


class Payment(Struct, frozen=True, forbid_unknown_fields=True):
    method: Literal["dev"]


class Purchase(Struct, frozen=True, forbid_unknown_fields=True):
    plan_id: IdText
    deposit: PositiveText
    payment: Payment
    venue_id: IdText | None = None
    add_ons: Annotated[tuple[IdText, ...], Meta(max_length=MOST_ADD_ONS)] = ()
    plan_version: Annotated[int, Meta(ge=1)] | None = None  # that was looked at


@post("/challenges", opt=dict(SIGNED_IN))
async def buy_challenge(
    request: Request[Any, Any, Any],
    data: JSONBody[Purchase],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    payments: NamedDependency[SkipValidation[Payments]],
) -> Response[ChallengeView]:
    """Pay and begin; the account of the first phase is open when this answers."""
    asking = Asking(request, caller, data)
    venue_id = data.venue_id or LIVE
    partition = LIVE_PARTITION
    if venue_id != LIVE:
        gateway.symbols(venue_id, caller.trader_id)  # a stranger's sandbox is not found
        partition = gateway.partition_of_venue(venue_id)
    plan, size = gateway.on_sale(data.plan_id, data.deposit, data.plan_version)
    challenge_id, order_id = asking.id_for("challenge"), asking.id_for("order")
    purchase = PurchaseChallenge(
        challenge_id=challenge_id,
        order_id=order_id,
        trader_id=caller.trader_id,
        venue_id=venue_id,
        plan=plan,
        size=size,
        payment=None,
        add_ons=data.add_ons,
    )
    async with gateway.buying(caller.trader_id):
        if gateway.may_buy(purchase):  # else it is refused, and nobody has paid
            currency = plan.terms.currency
            price = price_with(size.price, chosen(plan.add_ons, data.add_ons), currency)
            payment = await payments.charge(
                order_id, price, currency, data.payment.method
            )
            purchase = replace(purchase, payment=payment)
        return await asking.answer(
            gateway, partition, f"challenge-{challenge_id}", purchase
        )


@get("/challenges", opt=dict(SIGNED_IN))
async def challenges(
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    min_position: MinPosition = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Page[ChallengeView]:
    """List mine, the newest first."""
    await reads.catch_up(SANDBOX_PARTITION, min_position)
    position = await reads.catch_up(LIVE_PARTITION, None)
    found = await challenges_of(
        reads.pool, caller.trader_id, after=after(cursor), limit=limit
    )
    items = tuple(
        gateway.challenge(row.challenge_id, caller.trader_id) for row in found.items
    )
    return Page(items=items, next=cursor_after(found), position=position)


@get("/challenges/{challenge_id:str}", opt=dict(SIGNED_IN))
async def one_challenge(
    challenge_id: IdInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    min_position: MinPosition = None,
) -> ChallengeView:
    await reads.reach(min_position)
    return gateway.challenge(challenge_id, owner_for(caller))
