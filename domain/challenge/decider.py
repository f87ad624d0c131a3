"""How a challenge answers: one phase after the other, a fresh account for each."""

from collections.abc import Sequence
from typing import assert_never
from uuid import UUID, uuid5

from msgspec import Struct

from domain.challenge.errors import (
    ChallengeNotBreached,
    ChallengeOver,
    NotPaid,
    NotTheCurrentAccount,
    RuleRefused,
)
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
from domain.challenge.state import Challenge, Status
from domain.plan.add_ons import chosen, compiled, price_with
from domain.plan.events import PlanDrafted, Size
from domain.rules.phase import Phase
from domain.values.market import Moment
from domain.values.money import Money
from domain.values.refusal import Arithmetic


class PurchaseChallenge(Struct, frozen=True, kw_only=True, tag=True):
    """What was on sale when the payment was confirmed; it binds for ever."""

    challenge_id: str
    order_id: str
    trader_id: str
    venue_id: str
    plan: PlanDrafted
    size: Size
    payment: str | None  # None: nothing was charged, since a rule would refuse it
    add_ons: tuple[str, ...] = ()


class PassPhase(Struct, frozen=True, kw_only=True, tag=True):
    account_id: str


class FailPhase(Struct, frozen=True, kw_only=True, tag=True):
    account_id: str
    is_expired: bool = False  # else breached


class ReinstatePhase(Struct, frozen=True, kw_only=True, tag=True):
    """The breach that ended it was annulled."""

    account_id: str


ChallengeCommand = PurchaseChallenge | PassPhase | FailPhase | ReinstatePhase


def decide(
    command: ChallengeCommand,
    challenge: Challenge | None,
    moment: Moment,
    held: Sequence[Money] = (),
) -> tuple[ChallengeEvent, ...]:
    """`held` are the deposits of the other challenges that the buyer is in."""
    match command:
        case PurchaseChallenge():
            if challenge is not None:
                raise ChallengeOver("a challenge is bought once")
            must_be_allowed(command, held, moment)
            bought = sale(command, moment)
            first = bought.terms.phases[0]
            return (bought, started(command.challenge_id, first, moment))
        case PassPhase():
            return pass_phase(at_stage(challenge, command.account_id), moment)
        case FailPhase():
            challenge = at_stage(challenge, command.account_id)
            stage = challenge.current
            failed = ChallengeExpired if command.is_expired else ChallengeBreached
            fact = failed(at=moment.at, phase=stage.name, account_id=stage.account_id)
            return (fact,)
        case ReinstatePhase():
            return (reinstated(challenge, command.account_id, moment),)
        case _:
            assert_never(command)


def at_stage(challenge: Challenge | None, account_id: str) -> Challenge:
    if challenge is None or challenge.current.account_id != account_id:
        raise NotTheCurrentAccount(account_id)
    if challenge.is_over:
        raise ChallengeOver(challenge.challenge_id)
    return challenge


def reinstated(
    challenge: Challenge | None, account_id: str, moment: Moment
) -> ChallengeReinstated:
    if challenge is None or challenge.current.account_id != account_id:
        raise NotTheCurrentAccount(account_id)
    if challenge.status is not Status.BREACHED:
        raise ChallengeNotBreached(challenge.challenge_id)
    stage = challenge.current
    has_targets = bool(challenge.terms.phase(stage.name).targets)
    return ChallengeReinstated(
        at=moment.at,
        phase=stage.name,
        account_id=account_id,
        is_funded=len(challenge.stages) > 1 and not has_targets,
    )


def must_be_allowed(
    command: PurchaseChallenge, held: Sequence[Money], moment: Moment
) -> None:
    """Asked before anything is charged, and again when it is bought."""
    plan = command.plan
    terms = compiled(plan.terms, chosen(plan.add_ons, command.add_ons))
    deposit = Money.rounded(command.size.deposit, terms.currency)
    for cap in [cap for phase in terms.phases for cap in phase.caps]:
        overrun = cap.overrun(held, deposit)
        if overrun is not None:
            raise RuleRefused(
                f"{overrun.limit} is the most that one person may hold",
                Arithmetic(
                    rule=cap.id,
                    limit=overrun.limit,
                    actual=overrun.actual,
                    at=f"{moment.at:%Y-%m-%dT%H:%M:%S.%f}Z",
                ),
            )


def sale(command: PurchaseChallenge, moment: Moment) -> ChallengePurchased:
    """Compile the plan's terms and the add-ons into the one policy that binds."""
    plan, size = command.plan, command.size
    if command.payment is None:
        raise NotPaid(command.order_id)
    add_ons = chosen(plan.add_ons, command.add_ons)
    terms = compiled(plan.terms, add_ons)
    return ChallengePurchased(
        at=moment.at,
        challenge_id=command.challenge_id,
        order_id=command.order_id,
        trader_id=command.trader_id,
        venue_id=command.venue_id,
        plan_id=plan.plan_id,
        plan_name=plan.name,
        plan_version=plan.version,
        deposit=size.deposit,
        price=price_with(size.price, add_ons, terms.currency),
        payment=command.payment,
        terms=terms,
        terms_hash=terms.hash,
        add_ons=tuple(each.id for each in add_ons),
    )


def pass_phase(challenge: Challenge, moment: Moment) -> tuple[ChallengeEvent, ...]:
    stage, phases = challenge.current, challenge.terms.phases
    passed = PhasePassed(at=moment.at, phase=stage.name, account_id=stage.account_id)
    if len(challenge.stages) == len(phases):
        return (passed, ChallengePassed(at=moment.at))
    following = phases[len(challenge.stages)]
    start = started(challenge.challenge_id, following, moment)
    if following.targets:
        return (passed, start)
    funded = ChallengeFunded(at=moment.at, account_id=start.account_id)
    return (passed, start, funded)


def started(challenge_id: str, phase: Phase, moment: Moment) -> PhaseStarted:
    account_id = account_of(challenge_id, phase.name)
    return PhaseStarted(at=moment.at, phase=phase.name, account_id=account_id)


def account_of(challenge_id: str, phase: str) -> str:
    """Derived, so that hearing of a passed phase twice opens one account."""
    return str(uuid5(UUID(challenge_id), phase))
