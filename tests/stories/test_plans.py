"""A plan is drafted in versions; one is on sale; what was sold never changes."""

from decimal import Decimal
from hashlib import sha256

import msgspec
import pytest
import rfc8785
from msgspec.structs import replace

from domain.plan.decider import (
    ActivatePlan,
    DraftPlan,
    Plan,
    PlanCommand,
    decide,
    evolve,
)
from domain.plan.errors import PlanNotActive, SizeNotOffered, VersionNotDrafted
from domain.plan.events import PlanActivated, PlanDrafted
from domain.rules.phase import Phase
from domain.rules.terms import Terms
from domain.rules.trading_terms import HOUSE_STANDARD
from tests.stories.challenges import (
    AT_NINE,
    EVALUATION,
    FUNDED,
    SIZE,
    VERIFICATION,
    terms,
)
from tests.stories.facts import DAILY_PAUSE, MAX_LOSS, THREE_DAYS, TRAILING, phase_with
from tests.stories.plans import document_of


def on_house_terms(*phases: Phase) -> Terms:
    return terms(*(replace(each, trading=HOUSE_STANDARD) for each in phases))


TWO_STEPS = on_house_terms(EVALUATION, VERIFICATION, FUNDED)
ONE_STEP = on_house_terms(EVALUATION, FUNDED)


def drafting(sold: Terms) -> DraftPlan:
    document = document_of("Two steps", (SIZE,), sold)
    return DraftPlan(plan_id="a-plan", document=document)


first, second = drafting(TWO_STEPS), drafting(ONE_STEP)


def activate(version: int | None) -> ActivatePlan:
    return ActivatePlan(plan_id="a-plan", version=version)


def after(*commands: PlanCommand) -> Plan:
    plan: Plan | None = None
    for command in commands:
        plan = evolve(plan, decide(command, plan, AT_NINE))
    assert plan is not None
    return plan


def test_a_draft_carries_its_terms_under_their_hash() -> None:
    drafted = decide(first, None, AT_NINE)
    assert isinstance(drafted, PlanDrafted)
    assert (drafted.version, drafted.terms) == (1, TWO_STEPS)
    assert drafted.terms_hash == TWO_STEPS.hash


def test_a_draft_is_not_on_sale() -> None:
    with pytest.raises(PlanNotActive):
        after(first).on_sale(SIZE.deposit)


def test_the_version_that_was_activated_is_sold() -> None:
    plan = after(first, second, activate(1))
    draft, size = plan.on_sale(Decimal(100_000))
    assert (draft.version, size) == (1, SIZE)
    replaced = after(first, second, activate(1), activate(2))
    assert replaced.on_sale(SIZE.deposit)[0].terms == ONE_STEP


@pytest.mark.parametrize("version", [0, 2, -1])
def test_only_what_was_drafted_goes_on_sale(version: int) -> None:
    with pytest.raises(VersionNotDrafted):
        decide(activate(version), after(first), AT_NINE)


def test_nothing_of_a_plan_that_does_not_exist_goes_on_sale() -> None:
    with pytest.raises(VersionNotDrafted):
        decide(activate(1), None, AT_NINE)


def test_a_size_that_is_not_offered_is_refused_with_those_that_are() -> None:
    with pytest.raises(SizeNotOffered, match="100000"):
        after(first, activate(1)).on_sale(Decimal(1))


def test_an_activation_says_what_and_when() -> None:
    wanted = PlanActivated(at=AT_NINE.at, plan_id="a-plan", version=1)
    assert decide(activate(1), after(first), AT_NINE) == wanted


ALL_KINDS = terms(phase_with(MAX_LOSS, TRAILING, DAILY_PAUSE, THREE_DAYS), FUNDED)


@pytest.mark.parametrize("sold", [TWO_STEPS, ONE_STEP, ALL_KINDS])
def test_the_hash_is_that_of_the_canonical_json(sold: Terms) -> None:
    canonical = rfc8785.dumps(msgspec.json.decode(msgspec.json.encode(sold)))
    assert sold.hash == f"sha256:{sha256(canonical).hexdigest()}"


def test_the_hash_of_known_terms_never_changes() -> None:
    """Sold before there were terms of trading, they say nothing of them."""
    assert (
        terms(EVALUATION, VERIFICATION, FUNDED).hash
        == "sha256:8e9179172422e77c5df95a5258b599ec684ab62f5879f350be39bb5b3072c5a0"
    )


def test_any_other_number_is_another_hash() -> None:
    other = replace(MAX_LOSS, allowance=replace(MAX_LOSS.allowance, value=Decimal(9)))
    assert terms(phase_with(other)).hash != terms(phase_with(MAX_LOSS)).hash


@pytest.mark.parametrize("phases", [(), (EVALUATION, EVALUATION)])
def test_phases_are_told_apart_by_name(phases: tuple[Phase, ...]) -> None:
    with pytest.raises(ValueError, match="phases"):
        terms(*phases)
