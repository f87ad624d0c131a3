"""Rules in words leave out nothing that could surprise a trader."""

from decimal import Decimal
from typing import Any, Final

import msgspec
import pytest
from msgspec.structs import replace

from api.console.rendering import money, signed, tone
from api.console.wording import by_phase, rule
from domain.rules.daily_loss import DailyLoss
from domain.rules.limit import Comparator, Effect, Evaluated, Measured
from domain.rules.phase import Phase, Rule

USUAL: Final = {"cmp": "lt", "measured": "equity", "eval": "tick", "effect": "hard"}
DAILY: Final = {
    "kind": "daily",
    "id": "daily",
    "amount": ["pct_initial", "1"],
    "anchor": "balance",
    **USUAL,
}
STATIC: Final = {
    "kind": "max",
    "id": "max",
    "amount": ["pct_initial", "2"],
    "mode": "static",
    "hwm_on": None,
    "lock": None,
    **USUAL,
}
TRAILING: Final = STATIC | {"mode": "trail", "hwm_on": "eod_balance", "lock": "0"}
TARGET: Final = {
    "kind": "target",
    "id": "target",
    "pct": "1",
    "basis": "closed",
    "flat": True,
}


def read(**written: Any) -> Rule:
    found: Rule = msgspec.convert(written, Rule, strict=False)
    return found


def phase(name: str, *rules: dict[str, Any]) -> Phase:
    written = {"name": name, "reset": ["UTC", "00:00"], "rules": rules}
    return msgspec.convert(written, Phase, strict=False)


def test_a_usual_rule_is_short() -> None:
    told = [rule(read(**each), "USD") for each in (DAILY, STATIC, TARGET)]
    assert told == [
        "1 % of the deposit below the day's opening balance",
        "2 % of the deposit below the deposit",
        "1 % of the deposit, in closed profit, with nothing open",
    ]


def test_every_odd_choice_is_told() -> None:
    daily = read(**DAILY)
    assert isinstance(daily, DailyLoss)
    odd = replace(
        daily,
        comparator=Comparator.AT_OR_BELOW,
        measured=Measured.LOWER_OF_BOTH,
        evaluated=Evaluated.END_OF_DAY,
        effect=Effect.PAUSE,
    )
    assert rule(odd, "USD").endswith(
        "touching it counts, balance counts too, judged at the day's end,"
        " pauses until the next day"
    )


def test_a_trailing_floor_says_what_it_follows_and_where_it_stops() -> None:
    assert rule(read(**TRAILING), "USD") == (
        "2 % of the deposit below the highest balance at a day's end,"
        " never above the deposit"
    )


def test_limits_that_all_phases_share_are_told_once() -> None:
    shared = (phase("evaluation", DAILY, TARGET), phase("funded", DAILY))
    assert [name for name, _ in by_phase(shared)] == [
        "in every phase",
        "evaluation",
        "funded",
    ]
    differing = (phase("evaluation", DAILY, TARGET), phase("funded", STATIC))
    assert [name for name, _ in by_phase(differing)] == ["evaluation", "funded"]


@pytest.mark.parametrize(
    ("amount", "shown", "told"),
    [
        ("-1234.5", "\N{MINUS SIGN}1,234.50", "down"),
        ("-0.004", "0.00", "flat"),
        ("0.005", "0.00", "flat"),
        ("7", "+7.00", "up"),
    ],
)
def test_a_number_has_its_sign_and_its_tone(amount: str, shown: str, told: str) -> None:
    assert (signed(Decimal(amount)), tone(Decimal(amount))) == (shown, told)
    assert money(Decimal(amount)).removeprefix("+") == shown.removeprefix("+")
