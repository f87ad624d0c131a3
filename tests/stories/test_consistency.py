"""How much of the profit one day or one trade may make; each row is a firm's own."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.account.events import ObjectivesMet, PositionClosed
from domain.account.state import Status
from domain.rules.capped_days import CappedDays, DayOf
from domain.rules.consistency import Best, Consequence, Consistency, Excess, Whole
from domain.values.quote import Side
from tests.stories.days import closed, days, opened, stands, traded
from tests.stories.facts import TARGET, account_with, close, gold_at, trade, usd
from tests.stories.story import DayOver, Told, given

HALF = Consistency(
    id="rule",
    best=Best.CLOSING_DAY,
    whole=Whole.NET,
    percent=Decimal(50),
    excess=Excess.ABOVE,
    consequence=Consequence.BLOCKS_PASS,
)
TEN_PERCENT = replace(TARGET, percent=Decimal(10))


def share(percent: str, **other: object) -> Consistency:
    return replace(HALF, percent=Decimal(percent), **other)


def after(rule: Consistency, *profits: str) -> Told:
    return given(account_with(rule), *days(*profits)).told


def test_a_single_good_day_is_all_the_profit_and_two_equal_ones_are_half_each() -> None:
    """K01."""
    rule = replace(HALF, whole=Whole.POSITIVE)
    alone = given(account_with(rule, TEN_PERCENT), *days("5000"))
    assert stands(alone.told) == ("10000.00", "5000.00", False)
    assert alone.account.status is Status.ACTIVE
    both = given(alone.told, DayOver(), *opened("other")).when(
        closed("other", "5000")[0]
    )
    passing = both.when(closed("other", "5000")[1])
    passing.then(PositionClosed, ObjectivesMet)
    assert stands(passing.told) == ("10000.00", "10000.00", True)


def test_a_losing_day_makes_the_share_of_the_net_larger_than_that_of_good_days() -> (
    None
):
    """K02: 57.89 % of 9,500, and exactly half of 11,000."""
    profits = ("5500", "5500", "-1500")
    assert stands(after(HALF, *profits)) == ("11000.00", "9500.00", False)
    of_good_days = replace(HALF, whole=Whole.POSITIVE)
    assert stands(after(of_good_days, *profits)) == ("11000.00", "11000.00", True)


def test_where_touching_the_share_counts_the_very_share_is_too_much() -> None:
    """K03: 32.14 % and exactly 40 %."""
    rule = share("40", excess=Excess.AT_OR_ABOVE)
    assert stands(after(rule, "900", "900", "900", "100"))[2]
    exactly = after(rule, "1120", "840", "840")
    assert stands(exactly) == ("2800.01", "2800.00", False)
    assert stands(after(share("40"), "1120", "840", "840"))[2]


@pytest.mark.parametrize(
    ("profits", "is_met"),
    [
        (("600", "600", "600", "600", "600", "600", "400"), True),  # 15 %
        (("1200", "700", "700", "700", "700"), False),  # 30 %
        (("500", "500", "500", "500", "500", "500", "500", "500"), True),  # 12.5 %
    ],
)
def test_a_fifth_of_four_thousand_is_eight_hundred(
    profits: tuple[str, ...], *, is_met: bool
) -> None:
    """K04."""
    told = after(share("20"), *profits)
    assert (stands(told)[1], stands(told)[2]) == ("4000.00", is_met)


def test_one_trade_may_be_too_much_and_further_profit_makes_it_less() -> None:
    """K05: 2,500 of 10,000; then of 12,500, which is a fifth."""
    rule = share("20", best=Best.TRADE)
    trades = [each for n in range(4) for each in traded("2500", f"trade-{n}")]
    many = given(account_with(rule), *trades)
    assert stands(many.told) == ("12500.00", "10000.00", False)
    assert stands(given(many.told, *traded("2500", "fifth")).told)[2]


def test_a_week_with_one_small_loss() -> None:
    """K06: 620 of 3,129 is 19.81 %."""
    profits = ("518", "497", "508", "580", "620", "-100", "506")
    assert stands(after(share("20"), *profits)) == ("3100.00", "3129.00", True)


def test_the_best_day_says_how_much_profit_is_needed_beside_it() -> None:
    """K07: 1,500 is more than 40 % of 3,100, and 40 % of 3,750."""
    told = after(share("40"), "1100", "900", "-400", "1500")
    assert stands(told) == ("3750.00", "3100.00", False)


def test_the_same_share_of_even_days_is_kept() -> None:
    """K08: 600 of 2,000, of which 800 were allowed."""
    told = after(share("40"), "500", "550", "-50", "600", "400")
    assert stands(told) == ("1500.00", "2000.00", True)


def test_of_a_capped_day_only_the_cap_counts_towards_the_target() -> None:
    """K09: 320 counts as 200, so 500 count as 380."""
    cap = CappedDays(id="cap", percent=Decimal(40), counted=DayOf.CLOSING)
    target = replace(TARGET, percent=Decimal("0.5"))
    story = given(account_with(cap, target), *days("320", "100", "40", "22", "18"))
    assert stands(story.told, "target") == ("100500.00", "100380.00", False)
    assert story.account.balance == usd("100500.00")
    more = given(story.told, DayOver(), *opened("more"), closed("more", "120")[0])
    more.when(closed("more", "120")[1]).then_passed()


def test_the_needed_profit_is_rounded_up_so_that_the_share_is_never_more() -> None:
    """K10: 400 of 3,000 is 13.33 %; for 2,000 it takes 13,333.34."""
    rule = share("15")
    assert stands(after(rule, "400", *(["400"] * 6), "200"))[1:] == ("3000.00", True)
    assert stands(after(rule, "2000", "1000")) == ("13333.34", "3000.00", False)


def test_a_raised_target_is_reached_when_the_best_day_is_its_share() -> None:
    """K11: 3,000 were asked for; the first day brought them, and 6,000 pass."""
    rule = replace(HALF, consequence=Consequence.RAISES_TARGET)
    target = replace(TARGET, percent=Decimal(3))
    story = given(account_with(rule, target), *days("3000", "1000"))
    assert stands(story.told, "target") == ("106000.00", "104000.00", False)
    last = given(story.told, DayOver(), *opened("last"), closed("last", "2000")[0])
    passed = last.when(closed("last", "2000")[1]).then_passed()
    assert str(passed.reached[0].level.amount) == "106000.00"


def test_what_holds_back_a_payout_lets_a_phase_pass() -> None:
    """K12: a best day of 1,500 asks for 5,000 before anything is paid."""
    rule = share("30", consequence=Consequence.BLOCKS_PAYOUT)
    assert stands(after(rule, "1500", "1500"))[0::2] == ("5000.00", False)
    assert stands(after(rule, "1500", "1500", "1400", "600"))[2]
    alone = given(
        account_with(rule, TEN_PERCENT), *opened("a"), closed("a", "10000")[0]
    )
    alone.when(closed("a", "10000")[1]).then_passed()


@pytest.mark.parametrize("profits", [("-100",), ("500", "-500"), ("300", "-400")])
def test_without_profit_there_is_no_share_and_nothing_is_divided(
    profits: tuple[str, ...],
) -> None:
    """K13."""
    assert not stands(after(HALF, *profits))[2]
    assert not stands(given(account_with(HALF)).told)[2]


def test_profit_counts_on_the_closing_day_or_with_the_day_that_opened_the_trade() -> (
    None
):
    both = (*opened("a"), *opened("b"), *closed("a", "300"), DayOver())
    told = given(account_with(HALF), *both, *closed("b", "200")).told
    assert stands(told) == ("600.00", "500.00", False)
    by_opening = replace(HALF, best=Best.OPENING_DAY)
    told = given(account_with(by_opening), *both, *closed("b", "200")).told
    assert stands(told) == ("1000.00", "500.00", False)


def test_a_trade_is_one_result_however_often_it_is_closed_in_part() -> None:
    rule = replace(HALF, best=Best.TRADE, whole=Whole.POSITIVE)
    two_ounces = trade(Side.BUY, "0.02", trade_id="a")
    parts = (two_ounces, gold_at("2060"), close("a", "0.01"))
    story = given(account_with(rule), *traded("-50", "b"), gold_at("1999"), *parts)
    assert stands(story.told) == ("0.00", "0.00", False)  # it has not come to its end
    ended = given(story.told, gold_at("2040"), close("a")).told
    assert stands(ended) == ("200.00", "100.00", False)


@pytest.mark.parametrize(
    "wrong",
    [{"percent": Decimal(0)}, {"percent": Decimal(101)}, {"percent": Decimal("NaN")}],
)
def test_a_share_is_a_part_of_a_whole(wrong: dict[str, Decimal]) -> None:
    with pytest.raises(ValueError, match=r"not a|a share"):
        replace(HALF, **wrong)


def test_only_the_net_profit_raises_a_target() -> None:
    with pytest.raises(ValueError, match="net"):
        replace(HALF, whole=Whole.POSITIVE, consequence=Consequence.RAISES_TARGET)
