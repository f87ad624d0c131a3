"""A pause closes what is open and lets nothing in until the day turns."""

from datetime import datetime

from msgspec.structs import replace

from domain.account.errors import AccountPaused
from domain.account.events import (
    CloseReason,
    ObjectivesMet,
    PositionClosed,
    PositionOpened,
    RuleBreached,
)
from domain.account.state import Status
from domain.rules.limit import Evaluated
from domain.rules.max_loss import Follows
from tests.stories.facts import (
    DAILY_PAUSE,
    GOLD_IN_ITS_HOURS,
    MAX_LOSS,
    TARGET,
    TRAILING,
    account_with,
    buy_gold,
    close_gold,
    gold_at,
    trade,
    usd,
)
from tests.stories.story import Clock, DayOver, given

account = account_with(DAILY_PAUSE, MAX_LOSS)
paused = given(account, buy_gold, gold_at("1949"))


def test_it_closes_positions_once_and_says_why_once() -> None:
    story = given(account, buy_gold).when(gold_at("1949"))
    story.then(RuleBreached, PositionClosed)
    assert story.then_closed("-5100.00").reason is CloseReason.LIQUIDATION
    assert story.account.status is Status.ACTIVE
    story.when(gold_at("1940")).then_nothing()


def test_nothing_is_let_in_until_the_boundary() -> None:
    paused.when(buy_gold).then_refused(AccountPaused)
    paused.when(close_gold).then_refused(AccountPaused)
    paused.when(DayOver()).when(buy_gold).then(PositionOpened)


def test_the_new_day_hangs_its_floor_below_the_new_balance() -> None:
    story = paused.when(DayOver()).when(buy_gold)  # 94,900, bought at 1950
    story.when(gold_at("1901")).then_nothing()  # 90,000: its own floor is 89,900
    breached = story.when(gold_at("1899.99")).then_breached_at("90000.00", "89900.00")
    assert [each.limit.id for each in breached.breaches] == ["max", "pause"]


def test_of_two_floors_crossed_together_the_hard_one_ends_the_account() -> None:
    story = given(account, buy_gold).when(gold_at("1800"))
    story.then_breached_at("95000.00", "90000.00")
    assert story.account.status is Status.BREACHED


def test_what_the_closed_market_left_open_is_filled_at_its_first_quote() -> None:
    friday = Clock(datetime.fromisoformat("2026-01-09T20:00:00Z"))
    opens = datetime.fromisoformat("2026-01-11T23:00:00Z")  # midnight in Prague too
    rising = (buy_gold, gold_at("2010"), close_gold, buy_gold, gold_at("1955"))
    story = given(
        account_with(DAILY_PAUSE, gold=GOLD_IN_ITS_HOURS), friday, gold_at("1999")
    )
    for item in rising:  # 1,000 gained; 5,600 floating, allowed until midnight
        story = given(story.told, item)
    night = story.when(DayOver())
    night.then(RuleBreached)
    assert [each.trade_id for each in night.account.positions] == ["gold"]
    sunday = night.when(Clock(opens))
    sunday.then(RuleBreached, RuleBreached)  # each new day finds it below its floor
    first = sunday.when(gold_at("1990"))
    first.then(PositionClosed)
    first.then_closed("-2100.00")
    assert first.account.balance == usd("98900.00")


def test_a_new_trade_of_the_next_day_is_not_closed_with_the_old_one() -> None:
    other = trade(buy_gold.side, "0.10", trade_id="other")
    story = paused.when(DayOver()).when(other).when(gold_at("1950"))
    assert [each.trade_id for each in story.account.positions] == ["other"]


def test_the_gain_that_a_pause_realises_may_be_all_that_was_missing() -> None:
    trailing = replace(TRAILING, effect=DAILY_PAUSE.effect, follows=Follows.EQUITY)
    story = given(account_with(trailing, TARGET), buy_gold, gold_at("2200"))
    story.when(gold_at("2099.99")).then(RuleBreached, PositionClosed, ObjectivesMet)
    assert story.when(gold_at("2099.99")).account.status is Status.PASSED


def test_found_at_the_end_of_a_day_it_ends_with_it() -> None:
    limit = replace(DAILY_PAUSE, evaluated=Evaluated.END_OF_DAY)
    story = given(account_with(limit), buy_gold, gold_at("1940")).when(DayOver())
    story.then(RuleBreached, PositionClosed)
    story.when(buy_gold).then(PositionOpened)
