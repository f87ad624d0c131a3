"""Plans and challenges as the stories need them: two phases, then funded."""

from decimal import Decimal

from msgspec.structs import replace

from domain.challenge.decider import (
    ChallengeCommand,
    FailPhase,
    PassPhase,
    PurchaseChallenge,
    account_of,
    decide,
)
from domain.challenge.events import ChallengeEvent
from domain.challenge.state import Challenge, evolve
from domain.plan.events import PlanDrafted, Size
from domain.rules.phase import Phase
from domain.rules.terms import ADJUDICATOR, Terms
from domain.values.market import Market, Moment
from tests.stories.facts import MAX_LOSS, MONDAY, TARGET, phase_with

AT_NINE = Moment(MONDAY, 0, Market({}, {}, {}))
CHALLENGE = "01920000-0000-7000-8000-000000000001"
EVALUATION = replace(phase_with(MAX_LOSS, TARGET), name="evaluation")
VERIFICATION = replace(EVALUATION, name="verification")
FUNDED = replace(phase_with(MAX_LOSS), name="funded")
SIZE = Size(deposit=Decimal("100000.00"), price=Decimal("540.00"))


def terms(*phases: Phase) -> Terms:
    return Terms(adjudicator=ADJUDICATOR, currency="USD", phases=phases)


def draft(*phases: Phase, version: int = 1) -> PlanDrafted:
    sold = terms(*phases)
    return PlanDrafted(
        at=MONDAY,
        plan_id="a-plan",
        version=version,
        name="Two steps",
        sizes=(SIZE,),
        terms=sold,
        terms_hash=sold.hash,
    )


def purchase(plan: PlanDrafted, challenge_id: str = CHALLENGE) -> PurchaseChallenge:
    return PurchaseChallenge(
        challenge_id=challenge_id,
        order_id="an-order",
        trader_id="a-trader",
        venue_id="a-venue",
        plan=plan,
        size=SIZE,
        payment="paid",
    )


two_steps = purchase(draft(EVALUATION, VERIFICATION, FUNDED))


def passed(phase: str) -> PassPhase:
    return PassPhase(account_id=account_of(CHALLENGE, phase))


def failed(phase: str) -> FailPhase:
    return FailPhase(account_id=account_of(CHALLENGE, phase))


def after(*commands: ChallengeCommand) -> Challenge:
    challenge: Challenge | None = None
    for command in commands:
        for event in decide(command, challenge, AT_NINE):
            challenge = evolve(challenge, event)
    assert challenge is not None
    return challenge


def events_of(
    command: ChallengeCommand, challenge: Challenge | None
) -> tuple[ChallengeEvent, ...]:
    return decide(command, challenge, AT_NINE)
