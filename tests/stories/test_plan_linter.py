"""What a firm leaves open is refused, with the place, the reason and both readings."""

from typing import Any

import msgspec
import pytest

from application.plan_documents import TEMPLATES, template
from domain.plan.document import PlanDocument
from domain.plan.findings import Finding, Severity, errors, warnings
from domain.plan.linter import lint
from domain.plan.reading import read
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
    written,
)

EVALUATION = phase(DAILY, MAX_LOSS, TARGET, DAYS)
FUNDED = phase(DAILY, MAX_LOSS, name="funded")
TWO_SIZES = [
    {"deposit": "50000", "price": "300"},
    {"deposit": "100000", "price": "540"},
]


def findings_in(*rules: dict[str, Any], **rest: Any) -> tuple[Finding, ...]:
    """Of a plan with one phase."""
    return lint(document(phase(*rules, **rest)))


def without(rule: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: each for name, each in rule.items() if name not in names}


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_says_one_thing(name: str) -> None:
    assert lint(template(name)) == ()


def test_a_plan_that_says_one_thing_passes() -> None:
    assert lint(document(EVALUATION, FUNDED)) == ()


@pytest.mark.parametrize(
    ("rule", "left_out"),
    [
        *((DAILY, name) for name in ("cmp", "measured", "eval", "effect", "anchor")),
        *((TRAILING, name) for name in ("mode", "hwm_on", "lock", "cmp")),
        *((TARGET, name) for name in ("basis", "flat")),
        *((GREEN, name) for name in ("counted", "ended")),
        *((SHARE, name) for name in ("best", "of", "cmp", "effect")),
        (TIME, "from"),
        *((IDLE, name) for name in ("activity", "warn", "from")),
    ],
)
def test_a_choice_that_is_left_out_has_two_readings(
    rule: dict[str, Any], left_out: str
) -> None:
    (found,) = findings_in(without(rule, left_out))
    assert found.field == f"phases[0].rules[0].{left_out}"
    assert found.severity is Severity.ERROR
    one, other = found.readings
    assert one != other


def test_a_floor_that_never_moves_need_not_say_what_it_follows() -> None:
    spelt_out = MAX_LOSS | {"hwm_on": None, "lock": None}
    short, long = (document(phase(each)) for each in (MAX_LOSS, spelt_out))
    one, other = read(short).content, read(long).content
    assert one is not None
    assert one == other


def test_the_day_turns_at_a_place() -> None:
    for reset in (None, "00:00", ["00:00"]):
        (found,) = findings_in(MAX_LOSS, reset=reset)
        assert found.field == "phases[0].reset"


@pytest.mark.parametrize(
    ("zone", "reading"),
    [
        ("UTC+3", "Etc/GMT-3"),
        ("GMT+2", "Etc/GMT-2"),
        ("EST", "America/New_York"),
        ("CET", "Europe/Prague"),
        ("GMT", "Europe/London"),
        ("Europe/Pragu", "Europe/Prague"),
        ("Mars/Base", "UTC"),
        ("Etc/GMT-44", "Etc/GMT-4"),
    ],
)
def test_a_zone_that_names_no_place_is_refused(zone: str, reading: str) -> None:
    (found,) = errors(findings_in(MAX_LOSS, reset=[zone, "17:00"]))
    assert found.field == "phases[0].reset[0]"
    assert zone in found.reason
    assert any(reading in each for each in found.readings)


def test_a_fixed_offset_is_doubted_and_not_refused() -> None:
    (doubt,) = findings_in(MAX_LOSS, reset=["Etc/GMT-3", "00:00"])
    assert (doubt.field, doubt.severity) == ("phases[0].reset[0]", Severity.WARNING)
    assert doubt.readings[0] == "3 hours ahead of UTC, summer and winter"
    assert findings_in(MAX_LOSS, reset=["Etc/GMT-3", "00:00"], fixed_offset=True) == ()


SAME_ID = DAILY | {"id": "max"}
ALMOST = DAILY | {"id": "MAX"}
HALF_PERCENT = ["pct_initial", "0.5"]
WEEKLY = DAILY | {"id": "week", "kind": "weekly", "week": "mon"}
CAP = DAILY | {"id": "cap", "kind": "daily_cap", "effect": "pause"}
STICKY = TARGET | {"kind": "sticky_target"}


@pytest.mark.parametrize(
    ("rules", "field", "reason"),
    [
        ([MAX_LOSS, SAME_ID], "rules[1].id", "max is the name of"),
        ([MAX_LOSS, ALMOST], "rules[1].id", "MAX is the name of"),
        ([MAX_LOSS | {"amount": "5"}], "rules[0].amount", "an amount of what"),
        ([MAX_LOSS | {"amount": ["5"]}], "rules[0].amount", "an amount of what"),
        ([MAX_LOSS | {"amount": ["pct", "5"]}], "rules[0].amount[0]", "per cent of"),
        ([TARGET, TIME | {"after": 30}], "rules[1].after", "which days"),
        (
            [MAX_LOSS | {"amount": ["pct_anchor", "6"]}],
            "rules[0].amount[0]",
            "which is the deposit for ever",
        ),
        (
            [DAILY | {"anchor": "initial", "amount": ["pct_anchor", "5"]}],
            "rules[0].amount[0]",
            "which is the deposit for ever",
        ),
        ([MAX_LOSS | {"hwm_on": "equity"}], "rules[0].hwm_on", "never moves"),
        ([MAX_LOSS | {"lock": "0"}], "rules[0].lock", "never moves"),
        ([TRAILING | {"hwm_on": None}], "rules[0].hwm_on", "follows nothing"),
        (
            [MAX_LOSS | {"amount": ["pct_initial", "100"]}],
            "rules[0].amount",
            "the floor is 0.00 USD",
        ),
        (
            [MAX_LOSS | {"amount": ["abs", "0.001"]}],
            "rules[0].amount[1]",
            "no whole number",
        ),
        (
            [TRAILING | {"amount": ["pct_anchor", "0.000001"], "cmp": "le"}],
            "rules[0].amount",
            "crossed at the opening",
        ),
        ([MAX_LOSS | {"effect": "pause"}], "rules[0].effect", "still crossed"),
        (
            [DAILY | {"effect": "pause", "eval": "eod"}],
            "rules[0].effect",
            "decided when the day turns",
        ),
        ([TRAILING | {"lock": "-10000"}], "rules[0].lock", "begins at"),
        ([TRAILING | {"lock": "8000.01"}, TARGET], "rules[0].lock", "above the target"),
        ([TRAILING | {"lock": "0.005"}], "rules[0].lock", "no whole number"),
        (
            [DAILY | {"amount": ["pct_initial", "10.01"]}, MAX_LOSS],
            "rules[0].amount",
            "the daily loss allows 10,010.00 USD, the max loss 10,000.00 USD",
        ),
        (
            [WEEKLY | {"amount": HALF_PERCENT}, DAILY],
            "rules[1].amount",
            "the daily loss allows 5,000.00 USD, the weekly loss 500.00 USD",
        ),
        (
            [DAILY, DAILY | {"id": "other", "amount": HALF_PERCENT}],
            "rules[1].amount",
            "says the same as daily",
        ),
        ([WEEKLY, WEEKLY | {"id": "w2", "week": "sun"}], "rules[1].week", "different"),
        ([CAP | {"anchor": "trail_equity"}], "rules[0].anchor", "never reached"),
        ([STICKY | {"basis": "equity"}], "rules[0].flat", "equity is the balance"),
        (
            [TARGET, GREEN | {"amount": ["pct_anchor", "1"]}],
            "rules[1].amount[0]",
            "no anchor",
        ),
        ([TARGET, TARGET | {"id": "more"}], "rules[1]", "more than one profit target"),
        ([TARGET, DAYS, DAYS | {"id": "d", "n": 5}], "rules[2].n", "the same days"),
        (
            [TARGET | {"pct": "1.99"}, GREEN],
            "rules[1].n",
            "4 days bring at least 2,000.00 USD, and the target is 1,990.00 USD",
        ),
        (
            [TARGET, SHARE | {"effect": "raise_target", "of": "positive"}],
            "rules[1].of",
            "net profit",
        ),
        (
            [TARGET, SHARE | {"effect": "block_payout"}],
            "rules[1].effect",
            "nothing is paid out",
        ),
        ([MAX_LOSS, SHARE], "rules[1].effect", "never passed"),
        ([MAX_LOSS, TIME], "rules[1]", "never passed in time"),
        (
            [TARGET, DAYS | {"n": 33}, TIME],
            "rules[1].n",
            "33 days are needed, and time leaves 30 days",
        ),
        (
            [TARGET, SHARE | {"pct": "3"}, TIME],
            "rules[1].pct",
            "needs 34 days, and time leaves 30 days",
        ),
        ([TARGET, TIME, TIME | {"id": "t"}], "rules[2]", "more than one time limit"),
        ([IDLE | {"warn": None, "from": "warning"}], "rules[0].from", "never comes"),
        (
            [IDLE | {"after": ["elapsed", 15]}],
            "rules[0].after",
            "ends after 15 days and warns after 15",
        ),
        (
            [{"id": "all", "kind": "allocation", "cap": "99999.99", "accounts": None}],
            "rules[0].cap",
            "above the cap",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(
    rules: list[dict[str, Any]], field: str, reason: str
) -> None:
    (found,) = errors(findings_in(*rules))
    assert found.field == f"phases[0].{field}"
    assert reason in found.reason
    assert len(set(found.readings)) == 2


@pytest.mark.parametrize(
    "rules",
    [
        [DAILY | {"amount": ["pct_initial", "10"]}, MAX_LOSS],
        [TRAILING | {"lock": "8000"}, TARGET],
        [TRAILING | {"lock": "-9999.99"}],
        [MAX_LOSS | {"amount": ["pct_initial", "99.99"]}],
        [TARGET | {"pct": "2"}, GREEN],
        [TARGET, DAYS | {"n": 32}, TIME],
        [DAILY, DAILY | {"id": "soft", "amount": HALF_PERCENT, "effect": "pause"}],
        [IDLE | {"warn": None}],
        [IDLE | {"from": "warning", "after": ["elapsed", 15]}],
        [MAX_LOSS, SHARE | {"effect": "block_payout"}, GREEN],
        [{"id": "all", "kind": "allocation", "cap": "100000", "accounts": 1}],
    ],
)
def test_what_stands_just_on_the_right_side_passes(rules: list[Any]) -> None:
    assert errors(findings_in(*rules)) == ()


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ([TARGET], "phases[0].rules"),
        ([MAX_LOSS | {"amount": ["pct_initial", "0.05"]}], "phases[0].rules[0].amount"),
        ([TRAILING | {"eval": "eod"}], "phases[0].rules[0].eval"),
        ([CAP | {"effect": "hard"}], "phases[0].rules[0].effect"),
        (
            [MAX_LOSS, TARGET, TIME, IDLE | {"after": ["elapsed", 60]}],
            "phases[0].rules[3].after",
        ),
    ],
)
def test_what_is_only_strange_is_doubted(rules: list[Any], field: str) -> None:
    found = findings_in(*rules)
    assert errors(found) == ()
    assert any(each.field.startswith(field) for each in warnings(found))


def test_a_phase_that_never_ends_is_the_last() -> None:
    (found,) = lint(document(FUNDED, EVALUATION))
    assert found.field == "phases[0]"
    assert "evaluation is never reached" in found.reason


def test_phases_are_in_the_order_of_their_numbers() -> None:
    steps = [phase(MAX_LOSS, TARGET, name=f"step {number}") for number in (2, 1)]
    (found,) = lint(document(*steps, FUNDED))
    assert found.field == "phases[1].name"
    assert found.readings[1] == "as numbered: step 1, then step 2"


@pytest.mark.parametrize("name", ["evaluation", "Evaluation"])
def test_phases_have_names_of_their_own(name: str) -> None:
    (found,) = lint(document(EVALUATION, EVALUATION | {"name": name}))
    assert found.field == "phases[1].name"


def test_a_size_is_on_sale_once() -> None:
    twice = [*TWO_SIZES, {"deposit": "50000.00", "price": "310"}]
    (found,) = lint(document(EVALUATION, sizes=twice))
    assert found.field == "sizes[2].deposit"
    assert found.readings == ("it costs 300 USD", "it costs 310 USD")


@pytest.mark.parametrize(
    ("deposit", "field", "readings"),
    [
        ("10001", "phases[0].rules[0].amount[1]", ("333.36 USD", "333.37 USD")),
        ("10000.005", "sizes[0].deposit", ("10,000.00 USD", "10,000.01 USD")),
    ],
)
def test_amounts_are_whole_cents(
    deposit: str, field: str, readings: tuple[str, str]
) -> None:
    odd = MAX_LOSS | {"amount": ["pct_initial", "3.3333"]}
    sizes = [{"deposit": deposit, "price": "99.50"}]
    found = lint(document(phase(odd), sizes=sizes))
    assert (found[0].field, found[0].readings) == (field, readings)


def test_yen_have_no_cents() -> None:
    sizes = [{"deposit": "1000000", "price": "9900.50"}]
    (found,) = lint(document(phase(MAX_LOSS), sizes=sizes, currency="JPY"))
    assert (found.field, found.readings) == (
        "sizes[0].price",
        ("9,900 JPY", "9,901 JPY"),
    )


def test_one_amount_for_several_sizes_is_doubted() -> None:
    of_money = TRAILING | {"amount": ["abs", "2500"], "lock": "100"}
    found = lint(document(phase(of_money), sizes=TWO_SIZES))
    assert [each.field for each in found] == [
        "phases[0].rules[0].amount",
        "phases[0].rules[0].lock",
    ]
    assert errors(found) == ()


def test_what_can_be_read_is_judged_beside_what_cannot() -> None:
    open_choice = phase(without(MAX_LOSS, "cmp"), TARGET)
    pausing = phase(MAX_LOSS | {"effect": "pause"}, name="funded")
    found = lint(document(open_choice, pausing))
    assert [each.field for each in found] == [
        "phases[0].rules[0].cmp",
        "phases[1].rules[0].effect",
    ]


def test_several_things_are_told_together() -> None:
    found = findings_in(without(DAILY, "cmp", "anchor"), without(TARGET, "flat"))
    assert [each.field.rpartition(".")[2] for each in found] == [
        "cmp",
        "anchor",
        "flat",
    ]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"phases": [{"reset": ["UTC", "00:00"], "rules": []}]}, "phases[0].name"),
        ({"phases": [{"name": "a", "reset": ["UTC", "00:00"]}]}, "phases[0].rules"),
        ({"phases": [phase(1)]}, "phases[0].rules[0]"),  # type: ignore[arg-type]
        ({"phases": [phase({"kind": "max"})]}, "phases[0].rules[0].id"),
        ({"phases": [phase(MAX_LOSS, reset=["UTC"] * 3)]}, "phases[0].reset"),
        ({"phases": [phase(MAX_LOSS, colour="red")]}, "phases[0].colour"),
        ({"phases": [phase(MAX_LOSS, fixed_offset=1)]}, "phases[0].fixed_offset"),
        ({"phases": [phase(MAX_LOSS, reset=["Z" * 65, "00:00"])]}, "phases[0].reset"),
        ({"phases": [phase(without(DAILY, "amount"))]}, "phases[0].rules[0].amount"),
        ({"phases": [phase(without(TARGET, "pct"))]}, "phases[0].rules[0].pct"),
        ({"phases": [phase(DAYS | {"n": 0})]}, "phases[0].rules[0]"),
        ({"phases": [phase(TARGET | {"pct": 0.1})]}, "phases[0].rules[0].pct"),
        ({"currency": "XXX"}, "currency"),
    ],
)
def test_what_no_plan_can_say_is_a_fault(change: dict[str, Any], path: str) -> None:
    reading = read(msgspec.convert(written(EVALUATION) | change, PlanDocument))
    assert reading.content is None
    assert path in [each.path for each in reading.faults]
