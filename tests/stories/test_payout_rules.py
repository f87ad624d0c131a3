"""What payouts and scaling will ask of the rules: days that won, floors that move."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.max_loss import Follows
from domain.rules.profitable_days import Attributed, ProfitableDays
from tests.stories.days import days, stands
from tests.stories.facts import (
    DAILY_LOSS,
    MAX_LOSS,
    TRAILING,
    account_with,
    buy_gold,
    gold_at,
    usd,
)
from tests.stories.story import DayOver, given

FIVE_WINNING_DAYS = ProfitableDays(
    id="rule",
    days=5,
    amount=Allowance(AmountBasis.ABSOLUTE, Decimal(150)),
    counted=Attributed.CLOSING,
    ended=True,
)


def test_five_winning_days_are_counted_where_no_target_is_asked_for() -> None:
    """P04: what is then paid out, and the floor after it, payouts will say."""
    told = account_with(FIVE_WINNING_DAYS, deposit=usd("50000.00"))
    four = given(told, *days("150", "150", "-20", "150", "149.99", "150"), DayOver())
    assert stands(four.told) == ("5", "4", False)
    fifth = given(four.told, *days("400"), DayOver())
    assert stands(fifth.told) == ("5", "5", True)
    assert not fifth.account.is_over


@pytest.mark.parametrize(
    ("deposit", "daily", "most"),
    [("400000.00", "380000.00", "360000.00"), ("500000.00", "475000.00", "450000.00")],
)
def test_a_larger_deposit_carries_larger_limits(
    deposit: str, daily: str, most: str
) -> None:
    """P06: 5 % and 10 % of 500,000 are 25,000 and 50,000."""
    told = account_with(DAILY_LOSS, MAX_LOSS, deposit=usd(deposit))
    story = given(told, buy_gold)
    story.when(gold_at("1")).then_breached_at(daily, most)


def test_eight_percent_below_a_mark_of_125000_and_of_100000() -> None:
    """P08: which mark a payout leaves behind, payouts will say."""
    share = Allowance(AmountBasis.SHARE_OF_ANCHOR, Decimal(8))
    limit = replace(TRAILING, follows=Follows.EQUITY, allowance=share)
    fresh = given(account_with(limit), buy_gold)
    fresh.when(gold_at("1")).then_breached_at("92000.00")
    risen = given(account_with(limit), buy_gold, gold_at("2250"))
    risen.when(gold_at("1")).then_breached_at("115000.00")
