"""What a buyer adds is a named delta; plan and deltas make one policy for ever."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from domain.challenge.decider import PurchaseChallenge
from domain.challenge.events import ChallengePurchased
from domain.plan.add_ons import chosen, compiled, price_with
from domain.plan.content import Content
from domain.plan.decider import DraftPlan, decide
from domain.plan.errors import AddOnNotOffered, PlanAmbiguous
from domain.plan.events import PlanDrafted
from domain.plan.findings import Finding, errors
from domain.plan.linter import lint
from domain.plan.reading import read
from domain.rules.daily_loss import DailyLoss
from domain.rules.max_loss import MaxLoss
from tests.stories.challenges import AT_NINE, events_of, purchase
from tests.stories.plans import (
    DAILY,
    DAYS,
    GREEN,
    IDLE,
    MAX_LOSS,
    TARGET,
    document,
    phase,
)

EVALUATION = phase(DAILY, MAX_LOSS, TARGET, DAYS)
FUNDED = phase(DAILY, MAX_LOSS, name="funded")


def add_on(name: str, *changes: tuple[str, Any], **rest: Any) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "price": ["pct", "10"],
        "changes": [{"at": at, "to": to} for at, to in changes],
    } | rest


NO_DAYS = add_on("no-days", ("phases[evaluation].rules[days]", None))
WIDER = add_on(
    "wider",
    ("phases[evaluation].rules[daily].amount", ["pct_initial", "6"]),
    ("phases[funded].rules[daily].amount", ["pct_initial", "6"]),
    price=["abs", "25"],
)
LONDON = add_on("london", ("phases[funded].reset", ["Europe/London", "00:00"]))
IDLE_LESS = add_on("idle", ("phases[funded].rules[idle]", IDLE), price=["abs", "-40"])
ALL = (NO_DAYS, WIDER, LONDON, IDLE_LESS)


def content(*add_ons: dict[str, Any]) -> Content:
    document_ = document(EVALUATION, FUNDED, add_ons=[*add_ons])
    assert errors(lint(document_)) == ()
    found = read(document_).content
    assert found is not None
    return found


def refused(*add_ons: dict[str, Any]) -> tuple[Finding, ...]:
    return errors(lint(document(EVALUATION, FUNDED, add_ons=[*add_ons])))


def sold(*add_ons: dict[str, Any]) -> PlanDrafted:
    document_ = document(EVALUATION, FUNDED, add_ons=[*add_ons])
    drafted = decide(DraftPlan(plan_id="a-plan", document=document_), None, AT_NINE)
    assert isinstance(drafted, PlanDrafted)
    return drafted


def bought(command: PurchaseChallenge) -> ChallengePurchased:
    first = events_of(command, None)[0]
    assert isinstance(first, ChallengePurchased)
    return first


def test_without_add_ons_the_plans_own_terms_are_sold() -> None:
    plan = sold(*ALL)
    sale = bought(purchase(plan))
    assert (sale.terms, sale.terms_hash) == (plan.terms, plan.terms_hash)
    assert (sale.price, sale.add_ons) == (Decimal("540.00"), ())


def test_what_is_changed_dropped_and_added_is_in_the_terms_of_the_sale() -> None:
    command = replace(purchase(sold(*ALL)), add_ons=("idle", "wider", "no-days"))
    sale = bought(command)
    assert sale.add_ons == ("no-days", "wider", "idle")
    evaluation, funded = sale.terms.phases
    assert [rule.id for rule in evaluation.rules] == ["daily", "max", "target"]
    assert [rule.id for rule in funded.rules] == ["daily", "max", "idle"]
    daily = funded.rules[0]
    assert isinstance(daily, DailyLoss)
    assert daily.allowance.value == 6
    assert sale.terms_hash == sale.terms.hash != command.plan.terms_hash


def test_a_term_of_a_phase_changes_too() -> None:
    sale = bought(replace(purchase(sold(LONDON)), add_ons=("london",)))
    zones = [each.trading_day.zone for each in sale.terms.phases]
    assert zones == ["Europe/Prague", "Europe/London"]


def test_the_order_in_which_they_are_named_makes_no_difference() -> None:
    plan = content(*ALL)
    hashes = {
        compiled(plan.terms, chosen(plan.add_ons, ids)).hash
        for ids in permutations([each["id"] for each in ALL])
    }
    assert len(hashes) == 1


def test_each_price_is_of_the_plans_own_and_rounded_by_itself() -> None:
    plan = content(*ALL)
    both = chosen(plan.add_ons, ["no-days", "wider"])
    assert price_with(Decimal(540), both, "USD") == Decimal("619.00")
    less = chosen(plan.add_ons, ["idle"])
    assert price_with(Decimal(540), less, "USD") == Decimal("500.00")


@pytest.mark.parametrize("ids", [["magic"], ["wider", "wider"], ["no-days", ""]])
def test_only_what_is_offered_is_sold_and_each_once(ids: list[str]) -> None:
    with pytest.raises(AddOnNotOffered):
        bought(replace(purchase(sold(*ALL)), add_ons=tuple(ids)))


def test_what_excludes_each_other_is_not_sold_together() -> None:
    places = [each["at"] for each in WIDER["changes"]]
    much = add_on("much", *((at, ["pct_initial", "8"]) for at in places))
    plan = content(WIDER, much | {"excludes": ["wider"]})
    for ids in (["wider"], ["much"]):
        assert chosen(plan.add_ons, ids)
    with pytest.raises(AddOnNotOffered, match="much is not sold with wider"):
        chosen(plan.add_ons, ["wider", "much"])


def test_two_that_change_the_same_place_are_refused_with_both_readings() -> None:
    at = "phases[evaluation].rules[daily].amount"
    six, seven = (
        add_on(name, (at, ["pct_initial", value]))
        for name, value in (("six", "6"), ("seven", "7"))
    )
    (found,) = refused(six, seven)
    assert found.field == "add_ons[1].changes[0].at"
    assert found.readings == (
        "six counts: ['pct_initial', '6']",
        "seven counts: ['pct_initial', '7']",
    )


def test_one_that_drops_what_another_changes_is_refused() -> None:
    gone = add_on("gone", ("phases[funded].rules[daily]", None))
    (found,) = refused(WIDER, gone)
    assert found.field == "add_ons[1].changes[0].at"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (add_on("x", ("phases[nowhere].rules[max]", None)), "changes[0].at"),
        (add_on("x", ("phases[funded].rules[nothing]", None)), "changes[0].at"),
        (add_on("x", ("phases[funded].rules[max].colour", "red")), "changes[0].at"),
        (add_on("x", ("phases[funded].rules[max].id", "min")), "changes[0].at"),
        (add_on("x", ("phases[funded].name", "mine")), "changes[0].at"),
        (add_on("x", ("phases[funded]", None)), "changes[0].at"),
        (add_on("x", ("currency", "EUR")), "changes[0].at"),
        (add_on("x", ("phases[funded].rules[new]", IDLE)), "changes[0].at"),
        (
            add_on("x", ("phases[funded].rules[max].amount", ["pct_initial", "10"])),
            "",
        ),
        (
            add_on("x", *(("phases[evaluation].rules[target].pct", n) for n in "67")),
            "changes[1].at",
        ),
        (NO_DAYS | {"excludes": ["nothing"]}, "excludes[0]"),
        (NO_DAYS | {"excludes": ["no-days"]}, "excludes[0]"),
        (NO_DAYS | {"price": ["pct", "0.001"]}, "price"),
        (NO_DAYS | {"price": ["abs", "-540.01"]}, "price"),
    ],
)
def test_an_add_on_that_is_not_clear_is_refused(
    wrong: dict[str, Any], field: str
) -> None:
    (found,) = refused(wrong)
    assert found.field == f"add_ons[0]{'.' * bool(field)}{field}"


def test_a_rule_that_is_added_leaves_nothing_open_either() -> None:
    bare = {name: each for name, each in GREEN.items() if name != "counted"}
    (found,) = refused(add_on("x", ("phases[evaluation].rules[green]", bare)))
    assert found.field == "add_ons[0].changes[0].to.counted"


def test_what_only_two_of_them_together_contradict_is_found() -> None:
    """A lower target alone and more profitable days alone are fine."""
    less = add_on("less", ("phases[evaluation].rules[target].pct", "2"))
    more = add_on("more", ("phases[evaluation].rules[green]", GREEN | {"n": 5}))
    assert refused(less) == refused(more) == ()
    (found,) = refused(less, more)
    assert found.field == "add_ons[1]"
    assert "with less and more, phases[0].rules[4].n" in found.reason
    assert refused(less, more | {"excludes": ["less"]}) == ()


def test_a_plan_with_an_unclear_add_on_is_not_drafted() -> None:
    with pytest.raises(PlanAmbiguous) as no:
        sold(NO_DAYS | {"excludes": ["nothing"]})
    assert [each.field for each in no.value.findings] == ["add_ons[0].excludes[0]"]


def test_ids_are_told_apart() -> None:
    (found,) = refused(NO_DAYS, WIDER | {"id": "No-Days"})
    assert found.field == "add_ons[1].id"


def test_a_value_that_no_term_can_have_is_a_fault() -> None:
    change = ("phases[funded].rules[max].cmp", "below")
    reading = read(document(EVALUATION, FUNDED, add_ons=[add_on("x", change)]))
    (fault,) = reading.faults
    assert fault.path == "add_ons[0].changes"
    assert fault.reason.startswith("phases[1].rules[1].cmp: ")


def test_a_floor_that_begins_to_move_says_what_it_follows() -> None:
    trailing = MAX_LOSS | {"mode": "trail", "hwm_on": "eod_balance", "lock": "0"}
    plan = content(add_on("trail", ("phases[funded].rules[max]", trailing)))
    terms = compiled(plan.terms, plan.add_ons)
    rule = terms.phase("funded").rules[1]
    assert isinstance(rule, MaxLoss)
    assert rule.lock == 0
