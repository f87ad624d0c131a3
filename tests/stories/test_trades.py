"""What a trade costs, holds and brings, to the cent: the worked cases of trading."""

from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from domain.account.events import CloseReason, ObjectivesMet, PositionClosed
from domain.values.money import Money
from domain.values.quote import Side
from domain.venue.standard_instruments import EURUSD
from tests.stories.facts import (
    GOLD,
    GOLD_IN_ITS_HOURS,
    TARGET,
    account_in,
    account_with,
    buy_gold,
    close,
    close_gold,
    gold_at,
    trade,
    usd,
)
from tests.stories.story import Quoted, given

BUY, SELL = Side.BUY, Side.SELL


def test_opening_takes_commission_margin_and_the_spread() -> None:
    costly = replace(EURUSD, commission_per_lot=Decimal("7.00"))
    quoted = Quoted("EURUSD", "1.09990", "1.10000")
    story = given(account_in("USD", costly), quoted)
    story = given(story.told, trade(BUY, "1.00", "EURUSD"))
    account, market = story.account, story.told.moment.market
    (held,) = account.positions
    assert held.open_price == Decimal("1.10000")
    assert held.commission == usd("7.00")
    assert held.profit(market, "USD") == usd("-10.00")
    assert account.margin == usd("1100.00")
    assert account.balance == usd("99993.00")
    assert account.equity(market) == usd("99983.00")
    assert account.equity(market) - account.margin == usd("98883.00")


def test_a_yen_gain_of_a_dollar_account_is_sold_at_the_ask() -> None:
    opened = given(
        account_in("USD"),
        Quoted("USDJPY", "150.000", "150.010"),
        trade(SELL, "0.50", "USDJPY"),
        Quoted("USDJPY", "149.490", "149.500"),
    )
    assert opened.account.margin == usd("500.00")  # 50,000 dollars, one for a hundred
    opened.when(close_gold).then_closed("167.22")


def test_a_yen_loss_is_bought_at_the_bid() -> None:
    story = given(
        account_in("USD"),
        Quoted("USDJPY", "150.000", "150.010"),
        trade(SELL, "0.50", "USDJPY"),
        Quoted("USDJPY", "150.480", "150.500"),
    )
    story.when(close_gold).then_closed("-166.14")  # 25,000 yen at 150.480


def test_gold() -> None:
    quoted = Quoted("XAUUSD", "2345.00", "2345.20")
    story = given(account_in("USD"), quoted, trade(BUY, "0.30"))
    story.when(Quoted("XAUUSD", "2350.50", "2350.70")).when(close_gold).then_closed(
        "159.00"
    )


def test_thirteen_ticks_of_two_futures() -> None:
    es = replace(
        GOLD,
        symbol="ES",
        base="ES",
        contract_size=Decimal(50),
        quantity_step=Decimal(1),
        quantity_min=Decimal(1),
    )
    story = given(
        account_in("USD", es), Quoted("ES", "4999.75", "5000.00"), trade(BUY, "2", "ES")
    )
    risen = story.when(Quoted("ES", "5003.25", "5003.50"))
    risen.when(close_gold).then_closed("325.00")


def test_a_euro_account_crosses_yen_into_euro() -> None:
    story = given(
        account_in("EUR"),
        Quoted("EURJPY", "163.25", "163.27"),
        Quoted("GBPJPY", "189.990", "190.000"),
        trade(BUY, "0.40", "GBPJPY"),
        Quoted("GBPJPY", "190.600", "190.610"),
    )
    closed = story.when(close_gold).then_closed("147.00")
    (leg,) = closed.fills[0].closed.conversion
    assert (leg.quote.symbol, leg.price) == ("EURJPY", Decimal("163.27"))
    assert leg.divides


def test_a_missing_pair_goes_by_way_of_the_dollar() -> None:
    story = given(
        account_in("EUR"),
        Quoted("EURUSD", "1.10000", "1.10010"),
        Quoted("USDCHF", "0.90000", "0.90010"),
        trade(BUY, "1.00", "USDCHF"),
        Quoted("USDCHF", "0.91000", "0.91010"),
    )
    closed = story.when(close_gold).then_closed("988.81")  # 990 francs
    assert [leg.quote.symbol for leg in closed.fills[0].closed.conversion] == [
        "USDCHF",
        "EURUSD",
    ]


def test_a_quote_that_only_converts_is_a_decision_instant_too() -> None:
    story = given(
        account_in("EUR"),
        Quoted("EURJPY", "163.25", "163.27"),
        Quoted("GBPJPY", "189.990", "190.000"),
        trade(BUY, "0.40", "GBPJPY"),
    )
    assert story.account.symbols(story.told.moment.market) == {"GBPJPY", "EURJPY"}


def test_a_part_closed_gives_back_its_share_of_the_margin() -> None:
    story = given(account_with(), buy_gold, gold_at("2010"), close(quantity="0.30"))
    (left,) = story.account.positions
    assert (left.quantity, left.opened_quantity) == (Decimal("0.70"), Decimal("1.00"))
    assert (left.margin, left.realised) == (usd("7000.00"), usd("300.00"))
    story.when(close_gold).then_closed("700.00")
    assert story.when(close_gold).account.balance == usd("101000.00")


def test_parts_bring_together_what_the_whole_would() -> None:
    story = given(account_with(), buy_gold, gold_at("1234.56"))
    whole = story.when(close_gold).account.balance
    for _ in range(3):
        story = given(story.told, close(quantity="0.33"))
    assert story.when(close_gold).account.balance == whole


def test_a_stop_fills_at_the_tick_that_reaches_it() -> None:
    stopped = trade(BUY, "1.00", stop_loss="1990")
    story = given(account_with(), stopped)
    story.when(gold_at("1990.01")).then_nothing()
    closed = story.when(gold_at("1990")).then_closed("-1000.00")
    assert closed.reason is CloseReason.STOP_LOSS


def test_a_gap_fills_a_stop_at_the_market_not_at_the_stop() -> None:
    quoted = Quoted("EURUSD", "1.09490", "1.09500")
    story = given(
        account_in("USD"), quoted, trade(BUY, "1.00", "EURUSD", stop_loss="1.0850")
    )
    gap = story.when(Quoted("EURUSD", "1.08200", "1.08210"))
    assert gap.then_closed("-1300.00").reason is CloseReason.STOP_LOSS


def test_a_gap_fills_a_target_at_the_better_price() -> None:
    story = given(account_with(), trade(BUY, "1.00", take_profit="2050"))
    closed = story.when(gold_at("2070")).then_closed("7000.00")
    assert closed.reason is CloseReason.TAKE_PROFIT


def test_a_short_is_stopped_and_satisfied_at_the_ask() -> None:
    story = given(
        account_with(), trade(SELL, "1.00", stop_loss="2010", take_profit="1990")
    )
    story.when(gold_at("2008.99")).then_nothing()
    story.when(gold_at("2009")).then_closed("-1100.00")  # asked 2010, sold at 1999
    story.when(gold_at("1989.01")).then_nothing()
    story.when(gold_at("1989")).then_closed("900.00")


def test_a_stop_reached_in_a_closed_market_waits_for_its_first_quote() -> None:
    saturday, sunday = (
        datetime.fromisoformat(each)
        for each in ("2026-01-10T12:00:00Z", "2026-01-11T23:00:00Z")
    )
    stopped = trade(BUY, "1.00", stop_loss="1990")
    story = given(account_with(gold=GOLD_IN_ITS_HOURS), stopped)
    closed = story.when(gold_at("1980", saturday))
    closed.then_nothing()
    closed.when(gold_at("1995", sunday)).then_nothing()
    closed.when(gold_at("1985", sunday)).then_closed("-1500.00")


def test_one_exit_is_filled_once() -> None:
    story = given(account_with(), trade(BUY, "1.00", stop_loss="1990"), gold_at("1980"))
    story.when(gold_at("1970")).then_nothing()


def test_fills_come_before_rules() -> None:
    """A stop that fills at the tick of a pass: what is flat and rich has passed."""
    story = given(account_with(TARGET), trade(BUY, "1.00", take_profit="2080"))
    story.when(gold_at("2080")).then(PositionClosed, ObjectivesMet)


def test_a_dollar_account_that_trades_euro_needs_no_conversion() -> None:
    story = given(
        account_in("USD"),
        Quoted("EURUSD", "1.10000", "1.10010"),
        trade(BUY, "1.00", "EURUSD"),
    )
    held = story.account.positions[0].valued(story.told.moment.market, "USD")
    assert (held.conversion, held.profit) == ((), Money.parse("-10.00", "USD"))
