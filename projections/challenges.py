"""A row a challenge: what was sold, and how far it has come."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, get_args

from msgspec import Struct
from msgspec.structs import replace

from application.views.challenge import ChallengeView
from domain.challenge.events import (
    ChallengeBreached,
    ChallengeEvent,
    ChallengeExpired,
    ChallengeFunded,
    ChallengePassed,
    ChallengePurchased,
    ChallengeReinstated,
    PhasePassed,
    PhaseStarted,
)
from domain.challenge.state import Status
from projections.asking import Pool, Slice, fetch_one, fetch_slice
from projections.table import Projection, Rows, Table, Wanted, says
from projections.told import Told


class Challenge(Struct, frozen=True):
    challenge_id: Annotated[str, says("The challenge: the evaluation that was bought")]
    order_id: Annotated[str, says("The order by which it was bought")]
    trader_id: Annotated[str, says("Whose it is; the person is kept elsewhere")]
    venue_id: Annotated[str, says("live, or a sandbox")]
    plan_id: Annotated[str, says("The plan it was sold from")]
    plan_name: Annotated[str, says("That plan's name at the sale")]
    plan_version: Annotated[int, says("That plan's version at the sale")]
    terms_hash: Annotated[str, says("Of the terms sold, which bind for ever")]
    currency: Annotated[str, says("Of deposit and price")]
    deposit: Annotated[Decimal, says("The size that was bought")]
    price: Annotated[Decimal, says("What it cost")]
    add_ons: Annotated[tuple[str, ...], says("What was chosen beside the plan")]
    phase: Annotated[str, says("The phase begun last")]
    account_id: Annotated[str, says("The account of that phase")]
    status: Annotated[Status, says("active, passed_all, funded, breached or expired")]
    purchased_at: Annotated[datetime, says("Engine time of the sale")]
    ended_at: Annotated[
        datetime | None, says("When it was passed, breached or expired")
    ]
    partition: Annotated[str, says("Where its events are stored")]
    position: Annotated[int, says("Of its latest event in that partition")]
    version: Annotated[int, says("Of its stream at that event")]


TABLE = Table(
    "challenges",
    Challenge,
    key="challenge_id",
    comment="A row a challenge: what was sold, and how far it has come",
    indexes=("(trader_id, purchased_at, challenge_id)",),
    fillfactor=80,
)


def wanted(page: Sequence[Told]) -> Wanted:
    return Wanted(frozenset(each.subject for each in page))


def fold(rows: Rows[Challenge], told: Told) -> None:
    fact = told.fact
    if isinstance(fact, ChallengePurchased):
        rows.put(fact.challenge_id, purchased(told, fact))
    elif isinstance(fact, ChallengeEvent):
        challenge = rows.get(told.subject)
        assert challenge is not None, "a challenge begins with its sale"
        seen = replace(challenge, position=told.position, version=told.version)
        rows.put(challenge.challenge_id, after(seen, fact))


def after(challenge: Challenge, fact: ChallengeEvent) -> Challenge:
    match fact:
        case PhaseStarted():
            return replace(challenge, phase=fact.phase, account_id=fact.account_id)
        case ChallengeFunded():
            return replace(challenge, status=Status.FUNDED)
        case ChallengePassed():
            return replace(challenge, status=Status.PASSED_ALL, ended_at=fact.at)
        case ChallengeBreached():
            return replace(challenge, status=Status.BREACHED, ended_at=fact.at)
        case ChallengeExpired():
            return replace(challenge, status=Status.EXPIRED, ended_at=fact.at)
        case ChallengeReinstated():
            status = Status.FUNDED if fact.is_funded else Status.ACTIVE
            return replace(challenge, status=status, ended_at=None)
        case PhasePassed() | ChallengePurchased():
            return challenge


def purchased(told: Told, fact: ChallengePurchased) -> Challenge:
    return Challenge(
        challenge_id=fact.challenge_id,
        order_id=fact.order_id,
        trader_id=fact.trader_id,
        venue_id=fact.venue_id,
        plan_id=fact.plan_id,
        plan_name=fact.plan_name,
        plan_version=fact.plan_version,
        terms_hash=fact.terms_hash,
        currency=fact.terms.currency,
        deposit=fact.deposit,
        price=fact.price,
        add_ons=fact.add_ons,
        phase="",  # its first phase starts in the same transaction
        account_id="",
        status=Status.ACTIVE,
        purchased_at=fact.at,
        ended_at=None,
        partition=told.partition,
        position=told.position,
        version=told.version,
    )


CHALLENGES = Projection(TABLE, get_args(ChallengeEvent), wanted, fold)

SELECT = """
    SELECT challenge_id, order_id, plan_id, plan_version, terms_hash, venue_id, deposit,
        add_ons, phase, status, account_id, purchased_at,
        (SELECT coalesce(json_agg(json_build_object(
                    'name', phase, 'account_id', account_id, 'status', status
                ) ORDER BY number), '[]')
         FROM read.phases AS stage WHERE stage.challenge_id = challenges.challenge_id
        ) AS phases,
        partition || '-' || position AS position, version
    FROM read.challenges
"""
AFTER = """
    AND (purchased_at, challenge_id) < (
        SELECT purchased_at, challenge_id FROM read.challenges
        WHERE challenge_id = %(after)s
    )
"""
NEWEST_FIRST = " ORDER BY purchased_at DESC, challenge_id DESC LIMIT %(limit)s"


async def challenges_of(
    pool: Pool, trader_id: str, *, after: str | None = None, limit: int
) -> Slice[ChallengeView]:
    """List a trader's challenges, the newest first."""
    query = SELECT + " WHERE trader_id = %(of)s" + (AFTER if after else "")
    given = {"of": trader_id, "after": after}
    return await fetch_slice(
        pool,
        query + NEWEST_FIRST,
        given,
        ChallengeView,
        limit=limit,
        key="challenge_id",
    )


async def challenge(pool: Pool, challenge_id: str) -> ChallengeView | None:
    query = SELECT + " WHERE challenge_id = %(challenge_id)s"
    return await fetch_one(pool, query, {"challenge_id": challenge_id}, ChallengeView)
