"""Row 22 of the contract: what another platform reports of a bridge account."""

from datetime import UTC
from typing import Annotated, Any, Final

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from msgspec import Meta, Struct

from api.conventions import DecimalText, IdInPath, Instant
from api.doors import SIGNED_IN
from api.problems import Fault, Problem
from api.trading.asking import Asking
from application.caller import Caller, Role
from application.gateway import Gateway
from application.views.observed import ObservedView
from domain.account.commands import ObserveAccount
from domain.rules.course import Observation, ObservedClose
from domain.values.exact import exact

MOST_OBSERVATIONS: Final = 1_000
MOST_CLOSES: Final = 100  # that one observation may tell
YEARS: Final = range(1970, 2200)


class NewClose(Struct, frozen=True, forbid_unknown_fields=True):
    """A close, for rules that look at days and trades."""

    opened_at: Instant  # that of an observation with `opened`
    profit: DecimalText
    result: DecimalText | None = None  # of the whole trade, once nothing is left


class NewObservation(Struct, frozen=True, forbid_unknown_fields=True):
    """How the account stands there. Without an amount nothing has changed."""

    sequence: Annotated[int, Meta(ge=1, le=10**15)]
    at: Instant
    balance: DecimalText | None = None
    equity: DecimalText | None = None  # absent: the balance
    flat: bool | None = None  # absent: when balance and equity are the same
    opened: bool = False
    closed: Annotated[tuple[NewClose, ...], Meta(max_length=MOST_CLOSES)] = ()
    flow: DecimalText | None = None  # of the balance: what came or went by no trade


class NewObservations(Struct, frozen=True, forbid_unknown_fields=True):
    observations: Annotated[
        tuple[NewObservation, ...], Meta(min_length=1, max_length=MOST_OBSERVATIONS)
    ]


@post("/accounts/{account_id:str}/observations", status_code=200, opt=dict(SIGNED_IN))
async def observe(
    request: Request[Any, Any, Any],
    account_id: IdInPath,
    data: JSONBody[NewObservations],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
) -> Response[ObservedView]:
    """Judge them by their sequence; what was sent before changes nothing.

    The owner may send them, and so may the bridge and the house.
    """
    observations = tuple(
        observation(each, f"observations[{place}]")
        for place, each in enumerate(data.observations)
    )
    return await Asking(request, caller, data).answer(
        gateway,
        gateway.partition_of_account(account_id),
        f"account-{account_id}",
        ObserveAccount(observations=observations),
        by_house=caller.has(Role.BRIDGE, Role.ADMIN),
    )


def observation(sent: NewObservation, path: str) -> Observation:
    if sent.at.year not in YEARS:
        raise Problem(
            "invalid-request", errors=(Fault(f"{path}.at", "beyond all bounds"),)
        )
    return Observation(
        sequence=sent.sequence,
        at=sent.at.astimezone(UTC),
        balance=exact(sent.balance) if sent.balance else None,
        equity=exact(sent.equity) if sent.equity else None,
        flat=sent.flat,
        opened=sent.opened,
        closed=tuple(
            ObservedClose(
                opened_at=each.opened_at.astimezone(UTC),
                profit=exact(each.profit),
                result=exact(each.result) if each.result else None,
            )
            for each in sent.closed
        ),
        flow=exact(sent.flow) if sent.flow else None,
    )
