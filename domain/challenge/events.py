"""What has happened to a challenge. The terms sold travel in the first event."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from domain.rules.terms import Terms


class Event(Struct, frozen=True, kw_only=True):
    at: datetime


class ChallengePurchased(Event, frozen=True, kw_only=True, tag="challenge.purchased/1"):
    challenge_id: str
    order_id: str
    trader_id: str
    venue_id: str
    plan_id: str
    plan_name: str
    plan_version: int
    deposit: Decimal
    price: Decimal
    payment: str  # the provider's reference
    terms: Terms  # the plan's, with what the add-ons changed
    terms_hash: str
    add_ons: tuple[str, ...] = ()


class PhaseStarted(Event, frozen=True, kw_only=True, tag="challenge.phase-started/1"):
    phase: str
    account_id: str


class PhasePassed(Event, frozen=True, kw_only=True, tag="challenge.phase-passed/1"):
    phase: str
    account_id: str


class ChallengeFunded(Event, frozen=True, kw_only=True, tag="challenge.funded/1"):
    """The last evaluating phase is passed; what follows shares profit."""

    account_id: str


class ChallengePassed(Event, frozen=True, kw_only=True, tag="challenge.passed/1"):
    """Every phase is passed and the plan has none that is funded."""


class ChallengeBreached(Event, frozen=True, kw_only=True, tag="challenge.breached/1"):
    phase: str
    account_id: str


class ChallengeExpired(Event, frozen=True, kw_only=True, tag="challenge.expired/1"):
    """The account of a phase was not traded, or the phase not passed, in time."""

    phase: str
    account_id: str


class ChallengeReinstated(
    Event, frozen=True, kw_only=True, tag="challenge.reinstated/1"
):
    """The breach that ended it was annulled: its phase goes on."""

    phase: str
    account_id: str
    is_funded: bool  # past the last evaluating phase


ChallengeEvent = (
    ChallengePurchased
    | PhaseStarted
    | PhasePassed
    | ChallengeFunded
    | ChallengePassed
    | ChallengeBreached
    | ChallengeExpired
    | ChallengeReinstated
)
