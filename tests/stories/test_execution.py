"""How far a fill is from its quote, what carries it, and what may convert it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.account.errors import InsufficientMargin, MarketClosed
from domain.account.events import PositionClosed, PositionOpened, SwapPosted
from domain.account.execution import Execution, executed
from domain.rules.trading_terms import HOUSE_STANDARD, Latency, Slippage
from domain.values.instrument import Tier
from domain.values.market import QuoteStale
from domain.values.money import Money
from domain.values.quote import Side
from domain.venue.standard_instruments import EURUSD
from tests.stories.facts import FREE_MARKETS, MONDAY, close, trade, usd
from tests.stories.story import Clock, Quoted, Told, given
from tests.stories.trading import COSTLY, EURO, trading

BUY, SELL = Side.BUY, Side.SELL
QUOTED = Quoted("EURUSD", "1.09990", "1.10000")
ALWAYS_THREE = replace(HOUSE_STANDARD, slippage=Slippage(seed=1, weights=(0, 0, 0, 1)))
SOME = replace(
    HOUSE_STANDARD,
    slippage=Slippage(seed=7, weights=(70, 20, 10)),
    latency=Latency(seed=7, at_least=5, at_most=250),
)


@pytest.mark.parametrize(
    ("side", "opens", "closes"),
    [(BUY, "1.10003", "1.09987"), (SELL, "1.09987", "1.10003")],
)
def test_a_fill_slips_against_the_trader_both_ways(
    side: Side, opens: str, closes: str
) -> None:
    story = given(
        trading(terms=ALWAYS_THREE), QUOTED, trade(side, "1.00", "EURUSD", trade_id="e")
    )
    (held,) = story.account.positions
    assert held.open_price == Decimal(opens)
    assert held.execution == Execution(slipped=3)
    (fill,) = story.when(close("e")).then_closed("-16.00").fills
    assert fill.closed.price == Decimal(closes)
    assert fill.execution == Execution(slipped=3)


def test_the_same_order_slips_the_same_and_as_often_as_the_weights_say() -> None:
    drawn = [
        executed(BUY, Decimal("1.10000"), f"order-{number}", EURO, SOME)
        for number in range(2_000)
    ]
    again = [
        executed(BUY, Decimal("1.10000"), f"order-{number}", EURO, SOME)
        for number in range(2_000)
    ]
    assert drawn == again
    slipped = Counter(how.slipped for _, how in drawn if how is not None)
    assert [slipped[points] for points in range(3)] == [1429, 389, 182]
    late = [how.latency_ms for _, how in drawn if how is not None]
    assert (min(late), max(late)) == (5, 250)


def test_another_seed_draws_otherwise() -> None:
    assert SOME.slippage is not None
    other = replace(SOME, slippage=replace(SOME.slippage, seed=8))
    keys = [f"order-{number}" for number in range(100)]
    one, two = (
        [executed(BUY, Decimal(1), key, EURO, terms)[0] for key in keys]
        for terms in (SOME, other)
    )
    assert one != two


def test_latency_changes_no_price() -> None:
    late = replace(HOUSE_STANDARD, latency=SOME.latency)
    price, how = executed(BUY, Decimal("1.10000"), "an-order", EURO, late)
    assert price == Decimal("1.10000")
    assert how is not None
    assert how.latency_ms == 35


def test_no_slippage_makes_a_price_of_nothing() -> None:
    price, _ = executed(SELL, Decimal("0.00002"), "any", EURO, ALWAYS_THREE)
    assert price == EURO.point


TIERED = replace(
    EURO,
    tiers=(
        Tier(above=Decimal(5), leverage=50),
        Tier(above=Decimal(10), leverage=20),
    ),
)


@pytest.mark.parametrize(
    ("lots", "margin"),
    [
        (("5.00",), "5500.00"),
        (("5.01",), "5522.00"),  # a hundredth of a lot at 1:50
        (("12.00",), "27500.00"),  # 5 at 1:100, 5 at 1:50, 2 at 1:20
        (("5.00", "7.00"), "27500.00"),
        (("3.00", "4.00", "5.00"), "27500.00"),
    ],
)
def test_what_is_held_beyond_a_tier_carries_less(
    lots: tuple[str, ...], margin: str
) -> None:
    story = given(trading(listed=(TIERED,)), Quoted("EURUSD", "1.10000", "1.10000"))
    told = story.told
    for number, quantity in enumerate(lots):
        told = told.next(trade(BUY, quantity, "EURUSD", trade_id=str(number)))
    assert told.opened.margin == usd(margin)


def test_a_tier_refuses_what_the_first_leverage_would_carry() -> None:
    story = given(
        trading(deposit="20000", listed=(TIERED,)),
        Quoted("EURUSD", "1.10000", "1.10000"),
    )
    refused = story.when(trade(BUY, "12.00", "EURUSD")).then_refused(InsufficientMargin)
    assert refused.arithmetic is not None
    assert refused.arithmetic.actual == "27500.00"


def euro_account(terms_seconds: int | None) -> given:
    """T13: an account in euros, pounds in yen, and EURJPY between them."""
    terms = replace(HOUSE_STANDARD, conversion_stale_after=terms_seconds)
    told = trading(currency="EUR", terms=terms, listed=FREE_MARKETS)
    return given(
        told,
        Quoted("EURJPY", "163.25", "163.27"),
        Quoted("GBPJPY", "189.990", "190.000"),
    )


def test_a_yen_gain_of_a_euro_account_is_sold_at_the_ask() -> None:
    story = given(euro_account(None).told, trade(BUY, "0.40", "GBPJPY", trade_id="p"))
    gained = story.when(Quoted("GBPJPY", "190.600", "190.610"))
    (fill,) = gained.when(close("p")).then_closed("147.00").fills
    (leg,) = fill.closed.conversion
    assert (leg.quote.symbol, leg.price, leg.divides) == (
        "EURJPY",
        Decimal("163.27"),
        True,
    )


def test_what_converts_an_order_may_not_be_older_than_the_terms_say() -> None:
    later = given(
        euro_account(60).told,
        Clock(datetime(2026, 1, 5, 9, 1, tzinfo=UTC)),
        Quoted("GBPJPY", "190.590", "190.600"),
    )
    opened = given(later.told, trade(BUY, "0.40", "GBPJPY", trade_id="p"))
    stale = given(
        opened.told,
        Clock(datetime(2026, 1, 5, 9, 1, 1, tzinfo=UTC)),
        Quoted("GBPJPY", "190.600", "190.610"),
    )
    stale.when(trade(BUY, "0.40", "GBPJPY")).then_refused(QuoteStale)
    stale.when(close("p")).then_refused(QuoteStale)
    fresh = given(stale.told, Quoted("EURJPY", "163.25", "163.27"))
    fresh.when(close("p")).then(PositionClosed)


def test_what_the_rules_close_is_converted_at_the_last_quote_whatever_its_age() -> None:
    opened = given(
        euro_account(60).told,
        trade(BUY, "0.40", "GBPJPY", trade_id="p", stop_loss="189.000"),
        Clock(datetime(2026, 1, 5, 12, tzinfo=UTC)),
    )
    opened.when(Quoted("GBPJPY", "188.990", "189.000")).then(PositionClosed)


def test_a_stale_quote_or_a_closed_session_fills_nothing() -> None:
    """T14."""
    told = trading(listed=(EURUSD,))
    market = replace(told.moment.market, stale_after=timedelta(seconds=10))
    told = replace(told, moment=replace(told.moment, market=market))
    quoted = given(told, QUOTED)
    order = trade(BUY, "1.00", "EURUSD")
    quoted.when(order).then(PositionOpened)
    later = given(quoted.told, Clock(datetime(2026, 1, 5, 9, 0, 11, tzinfo=UTC)))
    later.when(order).then_refused(QuoteStale)
    saturday = given(quoted.told, Clock(datetime(2026, 1, 10, 9, tzinfo=UTC)))
    saturday.when(order).then_refused(MarketClosed)


def test_an_account_in_yen_is_exact_to_the_yen() -> None:
    """0.10 lots from 1.10000 to 1.10123: 12.30 dollars, sold for yen at the bid."""
    story = given(
        trading(deposit="10000000", currency="JPY", listed=FREE_MARKETS),
        Quoted("USDJPY", "150.123", "150.133"),
        Quoted("EURUSD", "1.09990", "1.10000"),
        trade(BUY, "0.10", "EURUSD", trade_id="e"),
        Quoted("EURUSD", "1.10123", "1.10133"),
    )
    closed = story.when(close("e"))
    closed.then_closed("1847")  # 12.30 x 150.123 = 1846.5129
    assert closed.account.balance == Money(Decimal(10_001_847), "JPY")


def test_the_same_orders_and_ticks_give_the_same_fills() -> None:
    def played() -> Told:
        told = trading(terms=SOME, listed=(COSTLY,)).next(QUOTED)
        for number in range(5):
            told = told.next(trade(BUY, "0.10", "EURUSD", trade_id=str(number)))
        told = told.next(Clock(datetime(2026, 1, 6, 9, tzinfo=UTC)))
        assert any(isinstance(each, SwapPosted) for each in told.events)
        for number in range(5):
            told = told.next(close(str(number)))
        return told

    assert played() == played()
    assert played().moment.at > MONDAY
