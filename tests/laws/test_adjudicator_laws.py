"""Two readers of one page agree: our adjudicator and the naive one, case by case."""

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.cases import Case, adjudicate
from tests.laws.naive_adjudicator import adjudicated
from tests.laws.random_cases import random_case

ASSERTED = ("floors", "days", "required", "actual", "met")
SEEDS = range(10)
QUICK, FULL = 150, 10_000  # cases a seed


@pytest.mark.parametrize("seed", SEEDS)
def test_both_readers_come_to_the_same_verdicts(seed: int, *, is_full: bool) -> None:
    chance = Random(seed)  # noqa: S311 - made-up cases, no secrets
    for number in range(FULL if is_full else QUICK):
        both_agree(random_case(chance, f"{seed}-{number}"))


@given(st.randoms(use_true_random=False))
def test_no_case_can_be_made_up_on_which_they_differ(chance: Random) -> None:
    both_agree(random_case(chance, "made-up"))


def both_agree(told: dict[str, Any]) -> None:
    """On the verdicts, and on all that stands after every event."""
    naive = adjudicated(told)
    for event, seen in zip(told["events"], naive["seen"], strict=True):
        event |= {each: seen[each] for each in ASSERTED}
    judged = adjudicate(msgspec.convert(told, Case))
    assert [list(row) for row in judged.verdicts] == naive["verdicts"], told
    assert judged.assertions_failed == (), told


def test_the_made_up_cases_meet_every_kind_of_verdict() -> None:
    chance = Random(1)  # noqa: S311 - made-up cases, no secrets
    cases = [adjudicated(random_case(chance, str(n))) for n in range(500)]
    effects = {verdict[2] for case in cases for verdict in case["verdicts"]}
    labels = {verdict[0][0] for case in cases for verdict in case["verdicts"]}
    together = [
        case
        for case in cases
        if len({verdict[0] for verdict in case["verdicts"]}) < len(case["verdicts"])
    ]
    assert effects == {"hard", "pause", "pass", "warn", "expire"}
    assert labels == {"e", "r", "t"}  # at events, boundaries and timers
    assert len(together) > len(cases) / 20
