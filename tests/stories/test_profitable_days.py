"""A day counts when it has brought enough; which day a profit belongs to is a term."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.profitable_days import Attributed, ProfitableDays
from tests.stories.days import closed, days, opened, stands, traded
from tests.stories.facts import account_with, gold_at, usd
from tests.stories.story import DayOver, Item, given

HALF_A_PERCENT = Allowance(AmountBasis.SHARE_OF_DEPOSIT, Decimal("0.5"))
THREE = ProfitableDays(
    id="rule",
    days=3,
    amount=HALF_A_PERCENT,  # 500 of 100,000
    counted=Attributed.CLOSING,
    ended=False,
)


def after(rule: ProfitableDays, *history: Item, deposit: str = "100000.00") -> str:
    told = account_with(rule, deposit=usd(deposit))
    return stands(given(told, *history).told)[1]


def test_counted_by_opening_a_profit_of_tuesday_belongs_to_mondays_trade() -> None:
    """Y03: 0.3 % closed on Monday and 0.2 % on Tuesday, both opened on Monday."""
    monday = (*opened("a"), *opened("b"), *closed("a", "300"))
    tuesday = (DayOver(), *closed("b", "200"))
    by_opening = replace(THREE, counted=Attributed.OPENING)
    assert after(by_opening, *monday) == "0"
    assert after(by_opening, *monday, *tuesday) == "1"
    assert after(THREE, *monday, *tuesday) == "0"


@pytest.mark.parametrize("how", [Attributed.CLOSING, Attributed.CLOSING_NET])
def test_a_gain_held_for_three_days_makes_one_day_the_one_that_closes_it(
    how: Attributed,
) -> None:
    """Y04: 1.5 % of 100,000."""
    held = (*opened("a"), gold_at("3500"), DayOver(), DayOver())
    rule = replace(THREE, counted=how)
    assert after(rule, *held) == "0"
    assert after(rule, *held, *closed("a", "1500")) == "1"


def test_what_floats_in_loss_at_the_days_end_is_taken_off() -> None:
    """Y05: 600 closed, 150 lost in what is open: 450 is less than 500."""
    day = (*opened("open"), *traded("600", "a"), gold_at("1850"))
    net = replace(THREE, counted=Attributed.CLOSING_NET)
    assert after(net, *day) == after(net, *day, DayOver()) == "0"
    assert after(THREE, *day, DayOver()) == "1"
    better = (*day, gold_at("1900"))  # 100 lost
    assert after(net, *better) == after(net, *better, DayOver()) == "1"


def test_a_floating_gain_adds_nothing() -> None:
    day = (*opened("open"), *traded("450", "a"), gold_at("2400"))
    net = replace(THREE, counted=Attributed.CLOSING_NET)
    assert after(net, *day) == after(net, *day, DayOver()) == "0"


def test_a_cent_less_is_no_winning_day() -> None:
    """Y06."""
    amount = Allowance(AmountBasis.ABSOLUTE, Decimal(150))
    rule = replace(THREE, amount=amount)
    assert after(rule, *days("149.99"), deposit="50000.00") == "0"
    assert after(rule, *days("150.00"), deposit="50000.00") == "1"


def test_where_a_day_has_to_be_over_it_counts_at_its_boundary() -> None:
    rule = replace(THREE, ended=True)
    assert after(rule, *days("500")) == "0"
    assert after(rule, *days("500"), DayOver()) == "1"
    assert after(THREE, *days("500")) == "1"
    assert after(THREE, *days("500"), *traded("-1", "late")) == "0"


def test_a_days_profit_has_no_anchor_to_be_a_share_of() -> None:
    with pytest.raises(ValueError, match="anchor"):
        replace(
            THREE, amount=replace(HALF_A_PERCENT, basis=AmountBasis.SHARE_OF_ANCHOR)
        )
