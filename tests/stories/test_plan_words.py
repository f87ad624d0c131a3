"""Each rule has its words; what they say in numbers is what the rules themselves do."""

from decimal import Decimal
from enum import EnumMeta
from typing import Any, get_args

import pytest
from msgspec.structs import fields

from application.plan_documents import TEMPLATES, template
from domain.plan.content import Content
from domain.plan.decider import said_once
from domain.plan.explanation import PlanTold, RuleTold, explain
from domain.plan.rule_words import WORDS
from domain.plan.sentences import SENTENCES
from domain.plan.worked import WORKED
from domain.rules.phase import Rule
from tests.stories.plans import (
    DAILY,
    DAYS,
    GREEN,
    IDLE,
    MAX_LOSS,
    SHARE,
    TARGET,
    TIME,
    TRAILING,
    document,
    phase,
)

EVERY_RULE = get_args(Rule)


def plan(*rules: dict[str, Any], **rest: Any) -> Content:
    return said_once(document(phase(*rules), **rest))


def told(*rules: dict[str, Any], **rest: Any) -> RuleTold:
    """Of the last rule of the only phase."""
    return explain(plan(*rules, **rest)).phases[0].rules[-1]


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_every_rule_has_words_a_sentence_and_an_example(rule: type[Rule]) -> None:
    assert rule in WORDS
    assert rule in SENTENCES
    assert rule in WORKED


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_every_term_has_words_and_every_choice_its_readings(rule: type[Rule]) -> None:
    terms = WORDS[rule].terms
    written = {field.encode_name: field for field in fields(rule)}
    assert set(terms) == set(written) - {"id"}
    for name, term in terms.items():
        kinds = get_args(written[name].type) or (written[name].type,)
        is_choice = type(None) in kinds or any(
            kind is bool or isinstance(kind, EnumMeta) for kind in kinds
        )
        assert (term.left_out is not None) is is_choice, name


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_every_value_of_a_choice_has_its_phrase(rule: type[Rule]) -> None:
    for field in fields(rule):
        for kind in get_args(field.type) or (field.type,):
            values: list[Any] = list(kind) if isinstance(kind, EnumMeta) else []
            for value in values:
                assert WORDS[rule].terms[field.encode_name].says(value, "USD")


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_explained(name: str) -> None:
    content = said_once(template(name))
    for size in content.sizes:
        whole: PlanTold = explain(content, size.deposit)
        assert whole.terms_hash == content.terms.hash
        assert [each.name for each in whole.phases] == [
            each.name for each in content.terms.phases
        ]
        for each in whole.phases:
            assert all(rule.example for rule in each.rules)


def test_a_floor_that_may_be_touched_and_one_that_may_not() -> None:
    assert told(MAX_LOSS).example[0] == (
        "Opened with 100,000.00 USD, the floor is 90,000.00 USD."
        " Equity of 90,000.00 USD is allowed, 89,999.99 USD is a breach."
    )
    assert told(MAX_LOSS | {"cmp": "le"}).example[0] == (
        "Opened with 100,000.00 USD, the floor is 90,000.00 USD."
        " Equity of 90,000.00 USD is a breach."
    )


@pytest.mark.parametrize(
    ("followed", "within", "next_day"),
    [
        ("equity", "rises to 94,000.00 USD", "stays at 94,000.00 USD"),
        ("balance", "rises to 92,000.00 USD", "stays at 92,000.00 USD"),
        ("eod_balance", "stays at 90,000.00 USD", "rises to 92,000.00 USD"),
    ],
)
def test_a_floor_moves_with_what_it_follows_and_when(
    followed: str, within: str, next_day: str
) -> None:
    example = told(TRAILING | {"hwm_on": followed}).example
    assert example[1] == (
        "If equity rises to 104,000.00 USD within the day, with 102,000.00 USD in the"
        f" balance, the floor {within}."
    )
    assert example[2].endswith(f"the next day's floor {next_day}.")


def test_a_locked_floor_says_where_it_stops() -> None:
    example = told(TRAILING | {"lock": "100"}).example
    assert example[-1].endswith("the floor stops at 100,100.00 USD.")


def test_the_day_begins_with_the_higher_of_both() -> None:
    example = told(MAX_LOSS, DAILY | {"anchor": "max"}).example
    assert example[2].endswith("the next day's floor rises to 97,000.00 USD.")


def test_a_cap_has_two_sides_and_a_week_its_own_floor() -> None:
    cap = DAILY | {"id": "cap", "kind": "daily_cap", "effect": "pause"}
    assert told(cap).example[-1] == (
        "On the first day the ceiling is 105,000.00 USD: with equity of 105,000.01 USD"
        " the other side is crossed."
    )
    week = DAILY | {"id": "week", "kind": "weekly", "week": "mon"}
    assert told(week).example[-1].endswith("floor rises to 97,000.00 USD.")


def test_a_target_is_touched_and_asks_for_what_it_says() -> None:
    assert told(MAX_LOSS, TARGET).example == (
        (
            "On a deposit of 100,000.00 USD it is reached with a balance of"
            " 108,000.00 USD; 107,999.99 USD is not enough."
        ),
        "With 108,000.00 USD and a position still open it is not reached yet.",
    )
    loose = TARGET | {"basis": "equity", "flat": False}
    assert len(told(MAX_LOSS, loose).example) == 1
    sticky = TARGET | {"kind": "sticky_target", "flat": False}
    assert told(MAX_LOSS, sticky).example[-1] == (
        "If 100,000.00 USD is left of that later, it still counts as reached."
    )


@pytest.mark.parametrize(
    ("counted", "day", "held"),
    [("closed", 4, 1), ("completed", 4, 1), ("held", 4, 4), ("filled", 4, 2)],
)
def test_firms_count_days_in_their_own_ways(counted: str, day: int, held: int) -> None:
    days = DAYS | {"kind": "trading_days", "counted": counted}
    example = told(MAX_LOSS, TARGET, days).example
    assert example[0].endswith(f"it is met on day {day}.")
    assert example[1].endswith(f"makes {held} of them.")


def test_a_profitable_day_counts_from_its_amount_on() -> None:
    assert told(TARGET, GREEN).example[0] == (
        "On a deposit of 100,000.00 USD a day that brings 500.00 USD counts, one that"
        " brings 499.99 USD does not."
    )
    netted = told(TARGET, GREEN | {"counted": "closed_net"}).example
    assert netted[-1].endswith("when that day ends, it does not count.")


@pytest.mark.parametrize(
    ("change", "needed"),
    [({}, "7,500.00 USD"), ({"cmp": "ge"}, "7,500.01 USD"), ({"pct": "80"}, "3,750")],
)
def test_a_best_day_needs_profit_beside_it(change: dict[str, str], needed: str) -> None:
    example = told(TARGET, SHARE | change).example
    assert f"and {needed}" in example[0]
    assert example[0].endswith("it is met." if "pct" in change else "it is not met.")


def test_a_raised_target_says_how_far() -> None:
    raising = SHARE | {"effect": "raise_target", "pct": "30"}
    example = told(TARGET, raising).example
    assert example[-1] == "Until then the target stands at 110,000.00 USD."


def test_a_capped_day_counts_in_part() -> None:
    capped = {"id": "cap", "kind": "capped_days", "pct": "40", "counted": "closed"}
    assert told(TARGET, capped).example == (
        "A first day that brings the whole 8,000.00 USD counts as 3,200.00 USD.",
    )


def test_timers_say_their_instants() -> None:
    assert told(TARGET, TIME).example[0] == (
        "Where that was on Monday 2026-01-05 at 12:00:00 UTC, it expires on Wednesday"
        " 2026-02-04 at 23:00:00 UTC unless the phase is passed before."
    )
    assert told(MAX_LOSS, IDLE | {"warn": None}).example == (
        "It expires on Wednesday 2026-02-04 at 13:00:00 UTC.",
    )


def test_a_cap_on_what_one_person_holds_is_counted_out() -> None:
    cap = {"id": "all", "kind": "allocation", "cap": "250000", "accounts": None}
    assert told(MAX_LOSS, cap).example == (
        "Of challenges over 100,000.00 USD, 2 may be held at a time.",
    )


def test_the_examples_are_of_the_size_that_is_asked_for() -> None:
    sizes = [{"deposit": each, "price": "9"} for each in ("10000", "50000")]
    content = plan(MAX_LOSS, sizes=sizes)
    assert explain(content).deposit == "10,000.00 USD"
    assert explain(content, Decimal(50_000)).deposit == "50,000.00 USD"
