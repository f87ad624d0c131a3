"""Each choice of the terms hangs its floor below a mark of its own."""

from dataclasses import dataclass

import pytest
from msgspec.structs import fields, replace

from domain.rules.daily_loss import DayAnchor
from domain.rules.limit import Limit
from domain.rules.marks import Mark, Marks
from domain.rules.max_loss import Follows
from domain.rules.weekly_loss import WeekAnchor
from tests.stories.facts import DAILY_LOSS, MAX_LOSS, MONDAY, TRAILING, usd
from tests.stories.standings import standing
from tests.stories.test_weekly_loss import WEEKLY

# All different, so that no mark can be taken for another.
APART = Marks(
    **{
        each.name: Mark(usd(f"{1_000 + 10 * place}.00"), place, MONDAY)
        for place, each in enumerate(fields(Marks))
    }
)


@dataclass(frozen=True)
class Choice:
    limit: Limit
    marks: tuple[str, ...]  # of two the higher
    says: str


def daily(anchor: DayAnchor, says: str, *marks: str) -> Choice:
    return Choice(replace(DAILY_LOSS, measured_from=anchor), marks, says)


def weekly(anchor: WeekAnchor, says: str, *marks: str) -> Choice:
    return Choice(replace(WEEKLY, measured_from=anchor), marks, says)


def trailing(follows: Follows, says: str, *marks: str) -> Choice:
    return Choice(replace(TRAILING, follows=follows), marks, says)


CHOICES = (
    daily(DayAnchor.BALANCE, "the day turned with a balance of", "day_balance"),
    daily(DayAnchor.EQUITY, "the day turned with an equity of", "day_equity"),
    daily(
        DayAnchor.HIGHER_OF_BOTH,
        "the day turned; the higher of balance and equity was",
        "day_balance",
        "day_equity",
    ),
    daily(DayAnchor.DEPOSIT, "deposit", "deposit"),
    daily(DayAnchor.PEAK_EQUITY, "the day's highest equity was", "day_peak_equity"),
    weekly(WeekAnchor.BALANCE, "the week turned with a balance of", "week_balance"),
    weekly(WeekAnchor.EQUITY, "the week turned with an equity of", "week_equity"),
    weekly(
        WeekAnchor.HIGHER_OF_BOTH,
        "the week turned; the higher of balance and equity was",
        "week_balance",
        "week_equity",
    ),
    weekly(WeekAnchor.DEPOSIT, "deposit", "deposit"),
    weekly(WeekAnchor.PEAK_EQUITY, "the week's highest equity was", "week_peak_equity"),
    Choice(MAX_LOSS, ("deposit",), "deposit"),
    trailing(Follows.BALANCE, "the highest balance was", "peak_balance"),
    trailing(Follows.EQUITY, "the highest equity was", "peak_equity"),
    trailing(
        Follows.HIGHER_OF_BOTH,
        "the highest of both was",
        "peak_balance",
        "peak_equity",
    ),
    trailing(
        Follows.CLOSE_BALANCE,
        "the highest balance at a day's end was",
        "close_balance",
    ),
    trailing(
        Follows.CLOSE_HIGHER_OF_BOTH,
        "the highest of both at a day's end was",
        "close_balance",
        "close_equity",
    ),
)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.says)
def test_an_anchor_is_its_own_mark_and_says_so(choice: Choice) -> None:
    assert choice.limit.anchor_is() == choice.says
    for highest in choice.marks:
        mark = Mark(usd("9000.00"), 77, MONDAY)
        marks = replace(APART, **{highest: mark})
        stands = standing("1000.00", marks=marks)
        assert choice.limit.anchor(stands) is mark
        allowance = choice.limit.allowance.in_money(stands.deposit, mark.amount)
        assert choice.limit.floor(stands) == mark.amount - allowance


def test_no_choice_is_left_out() -> None:
    kinds = [type(choice.limit).__name__ for choice in CHOICES]
    assert kinds.count("DailyLoss") == len(DayAnchor)
    assert kinds.count("WeeklyLoss") == len(WeekAnchor)
    assert kinds.count("MaxLoss") == len(Follows) + 1
