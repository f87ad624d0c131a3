"""What a challenge is: the fold of its events."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

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
from domain.rules.terms import Terms


class Status(StrEnum):
    ACTIVE = "active"
    PASSED_ALL = "passed_all"
    FUNDED = "funded"
    BREACHED = "breached"
    EXPIRED = "expired"


class Stage(Struct, frozen=True, kw_only=True):
    """One phase that has begun, and how it stands."""

    name: str
    account_id: str
    status: str = "active"


class Challenge(Struct, frozen=True, kw_only=True):
    challenge_id: str
    order_id: str
    trader_id: str
    venue_id: str
    plan_id: str
    plan_version: int
    deposit: Decimal
    terms: Terms
    terms_hash: str
    purchased_at: datetime
    add_ons: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    status: Status = Status.ACTIVE

    @property
    def is_over(self) -> bool:
        return self.status not in {Status.ACTIVE, Status.FUNDED}

    @property
    def current(self) -> Stage:
        return self.stages[-1]


def evolve(challenge: Challenge | None, event: ChallengeEvent) -> Challenge:
    if challenge is None:
        assert isinstance(event, ChallengePurchased)
        return purchased(event)
    match event:
        case ChallengePurchased():
            return purchased(event)
        case PhaseStarted():
            stage = Stage(name=event.phase, account_id=event.account_id)
            return replace(challenge, stages=(*challenge.stages, stage))
        case PhasePassed():
            return replace(challenge, stages=ended(challenge.stages, "passed"))
        case ChallengeFunded():
            return replace(challenge, status=Status.FUNDED)
        case ChallengePassed():
            return replace(challenge, status=Status.PASSED_ALL)
        case ChallengeBreached():
            stages = ended(challenge.stages, "breached")
            return replace(challenge, stages=stages, status=Status.BREACHED)
        case ChallengeExpired():
            stages = ended(challenge.stages, "expired")
            return replace(challenge, stages=stages, status=Status.EXPIRED)
        case ChallengeReinstated():
            stages = ended(challenge.stages, "active")
            status = Status.FUNDED if event.is_funded else Status.ACTIVE
            return replace(challenge, stages=stages, status=status)
        case _:
            assert_never(event)


def purchased(event: ChallengePurchased) -> Challenge:
    return Challenge(
        challenge_id=event.challenge_id,
        order_id=event.order_id,
        trader_id=event.trader_id,
        venue_id=event.venue_id,
        plan_id=event.plan_id,
        plan_version=event.plan_version,
        deposit=event.deposit,
        terms=event.terms,
        terms_hash=event.terms_hash,
        purchased_at=event.at,
        add_ons=event.add_ons,
    )


def ended(stages: tuple[Stage, ...], status: str) -> tuple[Stage, ...]:
    return (*stages[:-1], replace(stages[-1], status=status))
