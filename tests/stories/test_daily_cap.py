"""A day that has gained enough is closed as one that has lost enough."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.account.errors import AccountPaused
from domain.account.events import PositionClosed, PositionOpened, RuleBreached
from domain.account.evidence import arithmetic, floor_history
from domain.account.state import Status
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.daily_cap import DailyCap
from domain.rules.daily_loss import DayAnchor
from domain.rules.limit import Comparator, Effect, Evaluated, Measured
from tests.stories.facts import account_with, buy_gold, close_gold, gold_at
from tests.stories.story import DayOver, given

CAP = DailyCap(
    id="cap",
    allowance=Allowance(AmountBasis.SHARE_OF_DEPOSIT, Decimal(3)),
    comparator=Comparator.AT_OR_BELOW,
    measured=Measured.EQUITY,
    evaluated=Evaluated.EVERY_TICK,
    effect=Effect.PAUSE,
    measured_from=DayAnchor.EQUITY,
)
yesterday = (buy_gold, gold_at("2010"), close_gold, DayOver(), gold_at("1999"))  # 101k
today = given(account_with(CAP), *yesterday, buy_gold)


def test_a_day_that_began_at_101000_lies_between_98000_and_104000() -> None:
    today.when(gold_at("1970.01")).then_nothing()
    today.when(gold_at("1970")).then_breached_at("98000.00")
    today.when(gold_at("2029.99")).then_nothing()
    today.when(gold_at("2030")).then_breached_at("104000.00")


def test_either_side_closes_and_locks_until_the_day_turns() -> None:
    for bid in ("1970", "2030"):
        closed = today.when(gold_at(bid))
        closed.then(RuleBreached, PositionClosed)
        assert closed.account.status is Status.ACTIVE
        closed.when(buy_gold).then_refused(AccountPaused)
        closed.when(DayOver()).when(buy_gold).then(PositionOpened)


def test_where_touching_is_allowed_a_cent_more_closes() -> None:
    allowed = replace(CAP, comparator=Comparator.BELOW)
    story = given(account_with(allowed), *yesterday, buy_gold)
    story.when(gold_at("2030")).then_nothing()
    story.when(gold_at("2030.01")).then_breached_at("104000.00")


def test_the_evidence_of_a_gain_adds_where_that_of_a_loss_subtracts() -> None:
    gained = today.when(gold_at("2031")).then_breached_at("104000.00")
    (breach,) = gained.breaches
    assert arithmetic(gained, breach)[-3:] == (
        "100000.00 x 3 % = 3000.00",
        "101000.00 + 3000.00 = 104000.00",
        "104100.00 >= 104000.00",
    )
    assert [str(each.floor) for each in floor_history(gained, breach)] == [
        "103000.00",
        "104000.00",
    ]
    lost = today.when(gold_at("1969")).then_breached_at("98000.00")
    assert arithmetic(lost, lost.breaches[0])[-2:] == (
        "101000.00 - 3000.00 = 98000.00",
        "97900.00 <= 98000.00",
    )


def test_a_ceiling_above_the_days_own_peak_would_never_be_reached() -> None:
    with pytest.raises(ValueError, match="never"):
        replace(CAP, measured_from=DayAnchor.PEAK_EQUITY)
