"""What another version changes is told place by place, and for whom it is kinder."""

from typing import Any

import pytest

from application.plan_documents import TEMPLATES, template
from domain.plan.content import Content
from domain.plan.decider import said_once
from domain.plan.difference import Difference, ForTrader, differences
from tests.stories.plans import (
    DAILY,
    DAYS,
    MAX_LOSS,
    SHARE,
    TARGET,
    TRAILING,
    document,
    phase,
)

KINDER, STRICTER, OTHER = ForTrader.KINDER, ForTrader.STRICTER, ForTrader.OTHER
EVALUATION = phase(DAILY, MAX_LOSS, TARGET, DAYS)
FUNDED = phase(DAILY, MAX_LOSS, name="funded")


def plan(*phases: Any, **rest: Any) -> Content:
    return said_once(document(*(phases or (EVALUATION, FUNDED)), **rest))


def changed(*phases: Any, **rest: Any) -> tuple[Difference, ...]:
    return differences(plan(), plan(*phases, **rest))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_plan_does_not_differ_from_itself(name: str) -> None:
    content = said_once(template(name))
    assert differences(content, content) == ()


def test_a_smaller_allowance_is_told_with_what_it_was() -> None:
    daily = DAILY | {"amount": ["pct_initial", "4"]}
    (found,) = changed(phase(daily, MAX_LOSS, TARGET, DAYS), FUNDED)
    assert found == Difference(
        field="phases[evaluation].rules[daily].amount",
        says="In evaluation, daily loss (daily), the allowance: 4 % of the deposit;"
        " before: 5 % of the deposit.",
        for_trader=STRICTER,
    )


@pytest.mark.parametrize(
    ("rule", "change", "for_trader"),
    [
        (DAILY, {"cmp": "le"}, STRICTER),
        (DAILY, {"measured": "min"}, STRICTER),
        (DAILY, {"eval": "eod"}, KINDER),
        (DAILY, {"effect": "pause"}, KINDER),
        (DAILY, {"anchor": "equity"}, OTHER),
        (DAILY, {"amount": ["abs", "6000"]}, OTHER),
        (TRAILING, {"lock": "0"}, KINDER),
        (TRAILING, {"hwm_on": "eod_balance"}, OTHER),
        (TARGET, {"pct": "7"}, KINDER),
        (TARGET, {"flat": False}, KINDER),
        (DAYS, {"n": 5}, STRICTER),
        (SHARE, {"pct": "30"}, STRICTER),
        (SHARE, {"cmp": "ge"}, STRICTER),
    ],
    ids=str,
)
def test_each_change_is_kinder_stricter_or_depends(
    rule: dict[str, Any], change: dict[str, Any], for_trader: ForTrader
) -> None:
    base = [TARGET] if rule is not TARGET else []
    before, after = (plan(phase(*base, each)) for each in (rule, rule | change))
    (found,) = differences(before, after)
    assert found.field.endswith(f"rules[{rule['id']}].{next(iter(change))}")
    assert found.for_trader is for_trader
    (back,) = differences(after, before)
    if for_trader is not OTHER:
        assert {found.for_trader, back.for_trader} == {KINDER, STRICTER}


def test_a_floor_that_begins_to_move_is_stricter_wherever_it_stops() -> None:
    trailing = TRAILING | {"hwm_on": "eod_balance", "lock": "0"}
    found = changed(EVALUATION, phase(DAILY, trailing, name="funded"))
    assert [(each.field.rpartition(".")[2], each.for_trader) for each in found] == [
        ("mode", STRICTER),
        ("hwm_on", OTHER),
        ("lock", OTHER),
    ]


def test_a_rule_that_is_gone_and_one_that_is_new_are_told_whole() -> None:
    gone, new = changed(phase(DAILY, MAX_LOSS, TARGET, SHARE), FUNDED)
    assert (gone.field, gone.for_trader) == ("phases[evaluation].rules[days]", KINDER)
    assert (new.field, new.for_trader) == ("phases[evaluation].rules[share]", STRICTER)
    assert "Positions have to be opened on 4 days or more" in gone.says
    assert "limited to 40 %" in new.says


def test_a_rule_of_another_kind_is_another_rule() -> None:
    counted = DAYS | {"kind": "trading_days", "counted": "held"}
    found = changed(phase(DAILY, MAX_LOSS, TARGET, counted), FUNDED)
    assert [each.for_trader for each in found] == [KINDER, STRICTER]


def test_phases_sizes_prices_and_names_are_told() -> None:
    second = phase(MAX_LOSS, TARGET, name="verification")
    late = FUNDED | {"reset": ["Europe/Prague", "01:00"]}
    sizes = [{"deposit": "100000", "price": "500"}, {"deposit": "9000", "price": "1"}]
    found = changed(EVALUATION, second, late, sizes=sizes, name="Three steps")
    assert [each.field for each in found] == [
        "name",
        "sizes[9000]",
        "sizes[100000].price",
        "phases[verification]",
        "phases[funded].reset",
    ]
    assert found[2].for_trader is KINDER
    assert found[3].says == "verification is new, as phase 2."
    assert found[4].says == (
        "In funded the day turns at 01:00 in Europe/Prague, no longer at 00:00 in"
        " Europe/Prague."
    )


def test_another_order_of_phases_is_told() -> None:
    one, two = (phase(MAX_LOSS, TARGET, name=name) for name in ("one", "two"))
    (found,) = differences(plan(one, two), plan(two, one))
    assert found.says == "The phases come in another order: two, one."


def test_what_is_offered_beside_is_told_by_what_it_does() -> None:
    def with_days(price: str, to: Any) -> Content:
        change = {"at": "phases[evaluation].rules[days].n", "to": to}
        days = {"id": "d", "name": "Days", "price": ["pct", price], "changes": [change]}
        return plan(EVALUATION, FUNDED, add_ons=[days])

    before, after = with_days("10", 3), with_days("20", 2)
    assert [each.field for each in differences(before, after)] == [
        "add_ons[d].price",
        "add_ons[d].changes",
    ]
    assert "2 days; before: 4 days" in differences(before, after)[1].says
    (gone,) = differences(before, plan())
    assert gone.says == "Days (d) is no longer offered."
