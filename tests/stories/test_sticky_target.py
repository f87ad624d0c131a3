"""Where the terms say so, a profit once reached stays reached; the account may not."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.account.events import ObjectivesMet, PositionClosed, PositionOpened
from domain.rules.profit_target import Basis
from domain.rules.sticky_target import StickyTarget
from tests.stories.facts import (
    DAILY_LOSS,
    THREE_DAYS,
    account_with,
    buy_gold,
    close,
    close_gold,
    gold_at,
    trade,
)
from tests.stories.story import DayOver, given

KEPT = StickyTarget(
    id="target", percent=Decimal(8), basis=Basis.CLOSED, needs_flat=True
)
rich = (buy_gold, gold_at("2080"), close_gold, DayOver())
poorer = (gold_at("1999"), buy_gold, gold_at("1990"), close_gold, DayOver())


def test_what_is_lost_after_it_was_reached_does_not_count() -> None:
    story = given(account_with(KEPT, THREE_DAYS), *rich, *poorer, buy_gold)
    passed = story.when(close_gold)
    passed.then(PositionClosed, ObjectivesMet)
    reached = passed.then_passed().reached[0]
    assert (str(reached.level.amount), str(reached.observed.amount)) == (
        "108000.00",
        "108000.00",
    )
    assert str(passed.account.balance.amount) == "106900.00"


def test_a_breach_still_ends_it() -> None:
    story = given(account_with(KEPT, THREE_DAYS, DAILY_LOSS), *rich, buy_gold)
    story.when(gold_at("1900")).then_breached_at("103000.00")


def test_a_flat_book_is_asked_for_when_it_is_reached_and_when_it_passes() -> None:
    other = trade(buy_gold.side, "0.01", trade_id="other")
    held = given(account_with(KEPT), other, buy_gold, gold_at("2100")).when(close_gold)
    held.then(PositionClosed)  # 110,000 closed, and something open
    lost = held.when(gold_at("1000")).when(close("other"))
    lost.then(PositionClosed, ObjectivesMet)  # 109,000, and nothing open
    waiting = given(account_with(KEPT, THREE_DAYS), *rich, *poorer)
    waiting.when(buy_gold).then(PositionOpened)


def test_an_open_gain_can_be_what_was_reached() -> None:
    by_equity = replace(KEPT, basis=Basis.EQUITY, needs_flat=False)
    story = given(account_with(by_equity, replace(THREE_DAYS, days=2)), buy_gold)
    lost = given(story.told, gold_at("2080"), gold_at("1999"), close_gold, DayOver())
    lost.when(buy_gold).then(PositionOpened, ObjectivesMet, PositionClosed)


def test_with_nothing_open_there_is_one_value_to_look_at() -> None:
    with pytest.raises(ValueError, match="closed"):
        replace(KEPT, basis=Basis.EQUITY)
