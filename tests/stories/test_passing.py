"""A phase is passed by a profit over enough trading days, as its terms count both."""

from datetime import datetime

from msgspec.structs import replace

from domain.account.errors import AccountClosed
from domain.account.events import (
    ObjectivesMet,
    PositionClosed,
    PositionOpened,
    RuleBreached,
)
from domain.account.state import Status
from domain.rules.profit_target import Basis
from tests.stories.facts import (
    DAILY_LOSS,
    DAILY_PAUSE,
    MAX_LOSS,
    TARGET,
    THREE_DAYS,
    TRAILING,
    account_with,
    buy_gold,
    close,
    close_gold,
    gold_at,
    trade,
    usd,
)
from tests.stories.story import Clock, DayOver, given

account = account_with(MAX_LOSS, TARGET)
a_day = (buy_gold, close_gold, DayOver())


def at(instant: str) -> Clock:
    return Clock(datetime.fromisoformat(instant))


def test_touching_the_target_passes() -> None:
    story = given(account, buy_gold, gold_at("2080")).when(close_gold)
    story.then(PositionClosed, ObjectivesMet)
    passed = story.then_passed()
    assert (passed.phase, passed.balance) == ("evaluation", usd("108000.00"))
    assert story.account.status is Status.PASSED


def test_a_cent_less_does_not() -> None:
    ounce = trade(buy_gold.side, "0.01")
    small = account_with(TARGET, deposit=usd("1000.00"))
    given(small, ounce, gold_at("2079.99")).when(close_gold).then(PositionClosed)
    given(small, ounce, gold_at("2080")).when(close_gold).then_passed()


def test_an_open_gain_is_not_a_closed_one() -> None:
    given(account, buy_gold).when(gold_at("2500")).then_nothing()


def test_an_open_position_holds_the_pass_back() -> None:
    other = trade(buy_gold.side, "0.01", trade_id="other")
    story = given(account, buy_gold, other, gold_at("2090")).when(close_gold)
    story.then(PositionClosed)
    story.when(close("other")).then_passed()


def test_a_target_of_equity_passes_at_the_tick_and_closes_what_is_open() -> None:
    target = replace(TARGET, basis=Basis.EQUITY, needs_flat=False)
    story = given(account_with(target), buy_gold)
    story.when(gold_at("2079.99")).then_nothing()
    reached = story.when(gold_at("2080"))
    reached.then(ObjectivesMet, PositionClosed)
    assert reached.account.balance == usd("108000.00")


def test_a_passed_account_trades_no_more() -> None:
    story = given(account, buy_gold, gold_at("2080"), close_gold)
    story.when(buy_gold).then_refused(AccountClosed)


def test_a_breach_beats_a_pass() -> None:
    """The trail has followed a gain; closing above the target finds it crossed."""
    target = replace(TARGET, needs_flat=False)
    pausing = replace(TRAILING, effect=DAILY_PAUSE.effect)
    for trail, kinds in (
        (TRAILING, (RuleBreached, PositionClosed)),
        (pausing, (RuleBreached, PositionClosed, ObjectivesMet)),
    ):
        story = given(account_with(trail, target), buy_gold, gold_at("2300"))
        story.when(gold_at("2190")).then(*kinds)


def test_luck_needs_one_day_the_phase_asks_for_three() -> None:
    story = given(account_with(TARGET, THREE_DAYS), *a_day, *a_day)
    held = story.when(gold_at("2090")).when(buy_gold).when(gold_at("2200"))
    held.when(close_gold).then_passed()
    early = given(account_with(TARGET, THREE_DAYS), *a_day, buy_gold, gold_at("2200"))
    early.when(close_gold).then(PositionClosed)


def test_the_trading_day_turns_in_prague_not_in_utc() -> None:
    story = given(account_with(TARGET), at("2026-01-05T22:59:59.999999Z"), buy_gold)
    assert story.account.days_traded == {datetime(2026, 1, 5).date()}  # noqa: DTZ001
    midnight = story.when(at("2026-01-05T23:00:00Z"))
    other = midnight.when(trade(buy_gold.side, "0.01", trade_id="other"))
    assert len(other.account.days_traded) == 2


def test_a_position_held_overnight_adds_no_day() -> None:
    story = given(account_with(THREE_DAYS), buy_gold, DayOver(), DayOver())
    assert len(story.account.days_traded) == 1


def test_a_target_once_reached_too_early_can_still_be_lost() -> None:
    story = given(account_with(DAILY_LOSS, TARGET, THREE_DAYS), buy_gold)
    rich = story.when(gold_at("2080")).when(close_gold)
    rich.then(PositionClosed)
    lost = rich.when(buy_gold).when(gold_at("1900"))
    lost.then_breached_at("95000.00")


def test_days_alone_are_no_target_and_pass_nothing() -> None:
    one_day = replace(THREE_DAYS, days=1)
    given(account_with(one_day)).when(buy_gold).then(PositionOpened)
