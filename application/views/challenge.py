"""A challenge as its buyer sees it."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from domain.challenge.state import Challenge, Stage, Status


class ChallengeView(Struct, frozen=True, kw_only=True):
    challenge_id: str
    order_id: str
    plan_id: str
    plan_version: int
    terms_hash: str
    venue_id: str
    deposit: Decimal
    add_ons: tuple[str, ...]
    phase: str
    status: Status
    account_id: str  # of the current phase
    phases: tuple[Stage, ...]
    purchased_at: datetime
    position: str
    version: int


def challenge_view(challenge: Challenge, position: str, version: int) -> ChallengeView:
    return ChallengeView(
        challenge_id=challenge.challenge_id,
        order_id=challenge.order_id,
        plan_id=challenge.plan_id,
        plan_version=challenge.plan_version,
        terms_hash=challenge.terms_hash,
        venue_id=challenge.venue_id,
        deposit=challenge.deposit,
        add_ons=challenge.add_ons,
        phase=challenge.current.name,
        status=challenge.status,
        account_id=challenge.current.account_id,
        phases=challenge.stages,
        purchased_at=challenge.purchased_at,
        position=position,
        version=version,
    )
