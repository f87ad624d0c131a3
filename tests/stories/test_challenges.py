"""One phase after the other, a fresh account for each, and a breach ends it all."""

from uuid import UUID, uuid5

import pytest

from domain.challenge.errors import ChallengeOver, NotTheCurrentAccount
from domain.challenge.events import (
    ChallengeBreached,
    ChallengeFunded,
    ChallengePassed,
    ChallengePurchased,
    PhasePassed,
    PhaseStarted,
)
from domain.challenge.state import Status
from tests.stories.challenges import (
    CHALLENGE,
    EVALUATION,
    FUNDED,
    VERIFICATION,
    after,
    draft,
    events_of,
    failed,
    passed,
    purchase,
    two_steps,
)
from tests.stories.facts import MONDAY


def account(phase: str) -> str:
    return str(uuid5(UUID(CHALLENGE), phase))


def test_a_purchase_takes_the_terms_along_and_starts_the_first_phase() -> None:
    bought, started = events_of(two_steps, None)
    assert isinstance(bought, ChallengePurchased)
    assert (bought.terms, bought.terms_hash) == (
        two_steps.plan.terms,
        two_steps.plan.terms_hash,
    )
    assert started == PhaseStarted(
        at=MONDAY, phase="evaluation", account_id=account("evaluation")
    )


def test_a_passed_phase_starts_the_next_on_a_fresh_account() -> None:
    assert events_of(passed("evaluation"), after(two_steps)) == (
        PhasePassed(at=MONDAY, phase="evaluation", account_id=account("evaluation")),
        PhaseStarted(
            at=MONDAY, phase="verification", account_id=account("verification")
        ),
    )


def test_the_last_evaluating_phase_leads_to_a_funded_account() -> None:
    *_, started, funded = events_of(
        passed("verification"), after(two_steps, passed("evaluation"))
    )
    assert isinstance(started, PhaseStarted)
    assert funded == ChallengeFunded(at=MONDAY, account_id=account("funded"))
    whole = after(two_steps, passed("evaluation"), passed("verification"))
    assert whole.status is Status.FUNDED
    assert [stage.status for stage in whole.stages] == ["passed", "passed", "active"]


def test_without_a_funded_phase_the_challenge_is_passed() -> None:
    single = after(purchase(draft(EVALUATION)))
    assert events_of(passed("evaluation"), single)[-1] == ChallengePassed(at=MONDAY)
    whole = after(purchase(draft(EVALUATION)), passed("evaluation"))
    assert (whole.status, whole.is_over) == (Status.PASSED_ALL, True)


@pytest.mark.parametrize("steps", [(), ("evaluation",), ("evaluation", "verification")])
def test_a_breach_ends_it_in_any_phase(steps: tuple[str, ...]) -> None:
    phases = EVALUATION, VERIFICATION, FUNDED
    current = phases[len(steps)].name
    challenge = after(two_steps, *(passed(step) for step in steps))
    assert events_of(failed(current), challenge) == (
        ChallengeBreached(at=MONDAY, phase=current, account_id=account(current)),
    )
    over = after(two_steps, *(passed(step) for step in steps), failed(current))
    assert (over.status, over.stages[-1].status) == (Status.BREACHED, "breached")
    for again in (passed(current), failed(current)):
        with pytest.raises(ChallengeOver):
            events_of(again, over)


def test_hearing_of_a_pass_twice_opens_one_account() -> None:
    challenge = after(two_steps, passed("evaluation"))
    with pytest.raises(NotTheCurrentAccount):
        events_of(passed("evaluation"), challenge)


def test_a_late_breach_of_a_passed_account_ends_nothing() -> None:
    challenge = after(two_steps, passed("evaluation"))
    with pytest.raises(NotTheCurrentAccount):
        events_of(failed("evaluation"), challenge)


def test_what_was_never_bought_moves_nowhere() -> None:
    with pytest.raises(NotTheCurrentAccount):
        events_of(passed("evaluation"), None)


def test_a_challenge_is_bought_once() -> None:
    with pytest.raises(ChallengeOver):
        events_of(two_steps, after(two_steps))


def test_accounts_of_two_challenges_never_meet() -> None:
    other = "01920000-0000-7000-8000-000000000002"
    first, second = after(two_steps), after(purchase(two_steps.plan, other))
    assert first.current.account_id != second.current.account_id
