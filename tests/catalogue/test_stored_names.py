"""Names under which facts are stored. Add to this list; never change a line."""

import re

import msgspec
import pytest

from application.catalogue import FACTS, UnknownFact, decode
from tests.catalogue.shapes import FOLDER, file_of, shape_of

STORED_NAMES = [
    "account.opened/1",
    "account.position-opened/1",
    "account.position-increased/1",
    "account.position-closed/1",
    "account.rule-breached/1",
    "account.objectives-met/1",
    "account.warned/1",
    "account.expired/1",
    "account.quarantined/1",
    "account.observed/1",
    "account.swap-posted/1",
    "account.swap-accrued/1",
    "account.margin-called/1",
    "account.margin-restored/1",
    "account.negative-balance-cleared/1",
    "account.flow-posted/1",
    "account.scaled/1",
    "account.payout-held/1",
    "account.payout-released/1",
    "account.breach-annulled/1",
    "account.breach-confirmed/1",
    "account.breach-dismissed/1",
    "account.order-placed/1",
    "account.order-changed/1",
    "account.order-triggered/1",
    "account.order-cancelled/1",
    "account.position-protected/1",
    "challenge.purchased/1",
    "challenge.phase-started/1",
    "challenge.phase-passed/1",
    "challenge.funded/1",
    "challenge.passed/1",
    "challenge.breached/1",
    "challenge.expired/1",
    "challenge.reinstated/1",
    "plan.drafted/1",
    "plan.activated/1",
    "venue.opened/1",
    "venue.day-boundary-passed/1",
    "venue.clock-advanced/1",
    "venue.feed-gap/1",
    "venue.symbol-quarantined/1",
    "venue.symbol-released/1",
    "venue.instrument-listed/1",
    "venue.instrument-changed/1",
    "venue.judging-deferred/1",
    "venue.judging-caught-up/1",
    "parked.retried/1",
    "parked.skipped/1",
]


def test_a_stored_name_is_for_ever() -> None:
    assert list(FACTS) == STORED_NAMES


@pytest.mark.parametrize("name", STORED_NAMES)
def test_a_stored_name_says_of_what_and_which_shape(name: str) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+(-[a-z]+)*/[1-9]", name)


@pytest.mark.parametrize("name", STORED_NAMES)
def test_a_stored_shape_is_for_ever(name: str) -> None:
    kept = msgspec.json.decode(file_of(name).read_bytes())
    assert shape_of(name) == kept, "a fact that says something else has another name"


def test_every_shape_kept_has_its_fact() -> None:
    assert {file_of(name) for name in FACTS} == set(FOLDER.iterdir())


def test_an_unknown_name_is_not_guessed() -> None:
    with pytest.raises(UnknownFact):
        decode("account.opened/2", b"{}")
