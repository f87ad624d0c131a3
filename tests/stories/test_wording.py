"""Rules in words leave out nothing that could surprise a trader."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from api.console.rendering import money, signed, tone
from api.console.wording import by_phase, rule
from application.standard_plans import ONE_STEP, SPRINT, TWO_STEP
from domain.rules.limit import Comparator, Effect, Evaluated, Measured


def test_a_usual_rule_is_short() -> None:
    daily, highest, target = SPRINT.terms.phases[0].rules
    assert rule(daily, "USD") == "1 % of the deposit below the day's opening balance"
    assert rule(highest, "USD") == "2 % of the deposit below the deposit"
    assert rule(target, "USD") == (
        "1 % of the deposit, in closed profit, with nothing open"
    )


def test_every_odd_choice_is_told() -> None:
    (daily, *_) = SPRINT.terms.phases[0].limits
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
    trailing = ONE_STEP.terms.phases[0].limits[1]
    assert rule(trailing, "USD") == (
        "6 % of the deposit below the highest balance at a day's end,"
        " never above the deposit"
    )


def test_limits_that_all_phases_share_are_told_once() -> None:
    names = [name for name, _ in by_phase(TWO_STEP.terms.phases)]
    assert names == ["in every phase", "evaluation", "verification", "funded"]


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
