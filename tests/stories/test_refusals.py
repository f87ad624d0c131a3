"""What an account does not let in, and why."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from domain.account.errors import (
    AccountClosed,
    InsufficientMargin,
    MarketClosed,
    QuantityRefused,
    StopRefused,
    TradeNotOpen,
)
from domain.account.events import PositionClosed, PositionOpened
from domain.values.market import QuoteStale, UnknownSymbol
from domain.values.quote import Side
from domain.values.refusal import Arithmetic
from tests.stories.facts import (
    GOLD,
    GOLD_IN_ITS_HOURS,
    MONDAY,
    account_in,
    account_with,
    buy_gold,
    close,
    close_gold,
    gold_at,
    opening,
    trade,
)
from tests.stories.story import Clock, Quoted, Told, given

BUY, SELL = Side.BUY, Side.SELL
SATURDAY = Clock(datetime.fromisoformat("2026-01-10T12:00:00Z"))


def test_margin_is_carried_to_the_cent_and_refused_with_its_arithmetic() -> None:
    story = given(account_with())  # at 2000, one for twenty: 10,000 a lot
    story.when(trade(BUY, "10.00")).then(PositionOpened)
    refused = story.when(trade(BUY, "10.01")).then_refused(InsufficientMargin)
    assert refused.arithmetic == Arithmetic(
        rule="free_margin",
        limit="100000.00",
        actual="100100.00",
        at="2026-01-05T09:00:00.000000Z",
    )


def test_free_margin_is_what_equity_leaves_beside_the_margin_held() -> None:
    story = given(account_with(), trade(BUY, "5.00"), gold_at("1899"))  # 49,500 left
    other = trade(BUY, "0.01", trade_id="other")
    story.when(other).then_refused(InsufficientMargin)


def test_a_closed_market_trades_nothing() -> None:
    story = given(account_with(gold=GOLD_IN_ITS_HOURS), buy_gold, SATURDAY)
    story.when(trade(BUY, "1.00", trade_id="other")).then_refused(MarketClosed)
    story.when(close_gold).then_refused(MarketClosed)


def test_a_stale_quote_is_no_price() -> None:
    told = Told.beginning(MONDAY, (GOLD,), stale_after=timedelta(seconds=10))
    story = given(told, opening(), gold_at("1999"))
    just = story.when(Clock(MONDAY + timedelta(seconds=10)))
    just.when(buy_gold).then(PositionOpened)
    late = story.when(Clock(MONDAY + timedelta(seconds=10, microseconds=1)))
    late.when(buy_gold).then_refused(QuoteStale)


def test_what_was_never_quoted_cannot_be_traded() -> None:
    story = given(account_in("USD"))
    story.when(buy_gold).then_refused(QuoteStale)
    story.when(trade(BUY, "1.00", "NOPE")).then_refused(UnknownSymbol)


def test_what_cannot_be_converted_cannot_be_opened() -> None:
    """A euro account needs a way from yen to euro before it buys pounds for yen."""
    story = given(account_in("EUR"), Quoted("GBPJPY", "189.990", "190.000"))
    story.when(trade(BUY, "0.40", "GBPJPY")).then_refused(QuoteStale)


@pytest.mark.parametrize("quantity", ["0.005", "0.015", "100.01", "0.001"])
def test_a_quantity_is_whole_steps_between_two_bounds(quantity: str) -> None:
    given(account_with()).when(trade(BUY, quantity)).then_refused(QuantityRefused)


@pytest.mark.parametrize("quantity", ["1.01", "0.005"])
def test_no_more_is_closed_than_is_open_and_no_odd_part_of_it(quantity: str) -> None:
    story = given(account_with(), buy_gold)
    story.when(close(quantity=quantity)).then_refused(QuantityRefused)


def test_all_but_less_than_the_smallest_order_may_be_closed() -> None:
    story = given(account_with(), buy_gold).when(close(quantity="0.99"))
    story.then(PositionClosed)
    story.when(close(quantity="0.01")).then(PositionClosed)


@pytest.mark.parametrize(
    ("side", "stop_loss", "take_profit"),
    [  # the market: 1999 to 2000
        (BUY, "1999", None),
        (BUY, "2100", None),
        (BUY, None, "1999"),
        (BUY, None, "1900"),
        (SELL, "2000", None),
        (SELL, "1900", None),
        (SELL, None, "2000"),
        (SELL, None, "2100"),
    ],
)
def test_a_stop_that_would_fill_at_once_is_refused(
    side: Side, stop_loss: str | None, take_profit: str | None
) -> None:
    order = trade(side, "1.00", stop_loss=stop_loss, take_profit=take_profit)
    given(account_with()).when(order).then_refused(StopRefused)


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_stop_a_point_away_is_let_in(side: Side) -> None:
    closing = Decimal(1999) if side is BUY else Decimal(2000)
    low, high = str(closing - GOLD.point), str(closing + GOLD.point)
    stop, target = (low, high) if side is BUY else (high, low)
    order = trade(side, "1.00", stop_loss=stop, take_profit=target)
    given(account_with()).when(order).then(PositionOpened)


def test_a_trade_is_closed_once() -> None:
    story = given(account_with(), buy_gold, close_gold)
    story.when(close_gold).then_refused(TradeNotOpen)
    story.when(close("nobody")).then_refused(TradeNotOpen)


def test_an_account_is_opened_once() -> None:
    given(account_with()).when(opening()).then_refused(AccountClosed)


@pytest.mark.parametrize("number", ["0", "-1", "NaN", "1e20", "0.00000000001"])
def test_an_order_of_no_size_cannot_be_written_down(number: str) -> None:
    with pytest.raises(ValueError, match="number"):
        trade(BUY, number)
    with pytest.raises(ValueError, match="number"):
        trade(BUY, "1", stop_loss=number)
