"""A netting book: one position of a symbol, added to, taken from and turned round."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.account.commands import OpenPosition
from domain.account.errors import InsufficientMargin, StopRefused
from domain.account.events import (
    CloseReason,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    RuleBreached,
    SwapPosted,
)
from domain.account.evidence import valuation
from domain.rules.trading_terms import HOUSE_STANDARD, Book, CommissionDue
from domain.values.money import MINOR_UNIT, Money
from domain.values.quote import Side
from tests.stories.facts import FREE_MARKETS, MAX_LOSS, close, trade, usd
from tests.stories.story import DayOver, Quoted, Told, given
from tests.stories.trading import COSTLY, EURO, trading

BUY, SELL = Side.BUY, Side.SELL
NETTING = replace(HOUSE_STANDARD, book=Book.NETTING)


def at(price: str) -> Quoted:
    return Quoted("EURUSD", price, price)


def order(
    side: Side, quantity: str, name: str, *, stop_loss: str | None = None
) -> OpenPosition:
    return trade(side, quantity, "EURUSD", trade_id=name, stop_loss=stop_loss)


def two_bought(told: Told | None = None) -> given:
    return given(
        told or trading(terms=NETTING),
        at("1.1000"),
        order(BUY, "1.00", "one"),
        at("1.1020"),
        order(BUY, "1.00", "two"),
    )


def test_what_is_added_has_the_average_price() -> None:
    story = two_bought()
    (held,) = story.account.positions
    assert (held.trade_id, held.quantity, held.open_price) == (
        "one",
        Decimal("2.00"),
        Decimal("1.10100"),
    )
    assert [type(each) for each in story.told.events] == [PositionIncreased]
    (event,) = story.told.events
    assert isinstance(event, PositionIncreased)
    assert event.deal.order_id == "order-of-two"
    assert event.deal.price == Decimal("1.1020")
    assert story.account.margin == usd("2202.00")


def test_what_is_taken_is_closed_and_beyond_it_turned_round() -> None:
    """T05: +300.00 with 0.5 left; then -50.00, and short 0.5 at 1.1000."""
    taken = two_bought().when(at("1.1030")).when(order(SELL, "1.50", "three"))
    taken.then(PositionClosed)
    closed = taken.then_closed("300.00")
    assert closed.reason is CloseReason.NETTED
    assert closed.order is not None
    assert closed.order.order_id == "order-of-three"
    (held,) = taken.account.positions
    assert (held.trade_id, held.side, held.quantity) == ("one", BUY, Decimal("0.50"))
    turned = taken.when(at("1.1000")).when(order(SELL, "1.00", "four"))
    turned.then(PositionClosed, PositionOpened)
    turned.then_closed("-50.00")
    (held,) = turned.account.positions
    assert (held.trade_id, held.side, held.quantity, held.open_price) == (
        "four",
        SELL,
        Decimal("0.50"),
        Decimal("1.1000"),
    )
    assert turned.account.balance == usd("100250.00")
    assert turned.account.margin == usd("550.00")


def test_as_much_as_is_open_closes_it() -> None:
    flat = two_bought().when(order(SELL, "2.00", "three"))
    flat.then(PositionClosed)
    flat.then_closed("200.00")
    assert flat.account.positions == ()


def test_it_closes_by_its_own_name_too() -> None:
    story = two_bought().when(close("one", "0.50"))
    story.then_closed("50.00")
    story.when(close("one")).then_closed("150.00")


def test_other_symbols_stay_as_they_are() -> None:
    story = given(
        trading(terms=NETTING, listed=FREE_MARKETS),
        at("1.1000"),
        Quoted("GBPUSD", "1.30000", "1.30000"),
        order(BUY, "1.00", "one"),
    )
    story.when(trade(SELL, "1.00", "GBPUSD", trade_id="pound")).then(PositionOpened)


def test_parts_of_an_odd_average_bring_whole_cents_and_no_cent_is_lost() -> None:
    """Three lots for 330,100.00: a third of that is no whole cent."""
    story = given(
        trading(terms=NETTING),
        at("1.1000"),
        order(BUY, "1.00", "one"),
        at("1.1005"),
        order(BUY, "2.00", "two"),
        at("1.1010"),
    )
    (held,) = story.account.positions
    assert held.open_price == Decimal("1.1003333333")
    told, profits = story.told, []
    for number in range(3):
        told = told.next(order(SELL, "1.00", f"sell-{number}"))
        (closed,) = told.events
        assert isinstance(closed, PositionClosed)
        profits.append(closed.fills[0].closed.profit)
    assert profits == [usd("66.67"), usd("66.66"), usd("66.67")]
    assert told.opened.balance == usd("100200.00")


def test_the_evidence_is_of_what_was_paid_not_of_an_average() -> None:
    told = two_bought(trading(MAX_LOSS, terms=NETTING)).told
    breached = given(told).when(at("1.05099"))
    breached.then(RuleBreached, PositionClosed)
    (held,) = breached.then_breached_at("90000.00").positions
    assert (
        valuation(held) == "(2.00 x 100000 x 1.05099 - 220200.000000) = -10002.00 USD"
    )


def test_the_stop_of_the_latest_order_holds() -> None:
    story = given(
        trading(terms=NETTING),
        at("1.1000"),
        order(BUY, "1.00", "one", stop_loss="1.0900"),
    )
    moved = story.when(order(BUY, "1.00", "two", stop_loss="1.0950"))
    assert moved.account.positions[0].stop_loss == Decimal("1.0950")
    left = moved.when(order(BUY, "1.00", "three"))
    assert left.account.positions[0].stop_loss == Decimal("1.0950")
    stopped = left.when(at("1.0950"))
    assert stopped.then_closed("-1500.00").reason is CloseReason.STOP_LOSS


def test_a_stop_of_what_only_takes_is_not_looked_at() -> None:
    story = two_bought()
    nonsense = order(SELL, "1.00", "three", stop_loss="1.0000")  # below a short
    story.when(nonsense).then(PositionClosed)
    story.when(replace(nonsense, quantity=Decimal(3))).then_refused(StopRefused)


def test_what_cannot_turn_round_does_not_close_either() -> None:
    story = given(
        trading(deposit="1200", terms=NETTING), at("1.1000"), order(BUY, "1.00", "one")
    )
    story.when(order(SELL, "3.00", "two")).then_refused(InsufficientMargin)
    turned = story.when(order(SELL, "2.00", "two"))
    turned.then(PositionClosed, PositionOpened)  # the margin of the long is free again


def test_each_deal_pays_for_its_own_lots() -> None:
    story = given(
        trading(terms=NETTING, listed=(COSTLY,)),
        at("1.1000"),
        order(BUY, "1.00", "one"),
    )
    added = story.when(order(BUY, "0.50", "two"))
    assert added.account.balance == usd("99989.50")
    turned = added.when(order(SELL, "2.00", "three"))
    assert turned.account.balance == usd("99986.00")  # half a lot was opened


def test_swap_is_of_all_that_is_open() -> None:
    story = given(
        trading(terms=NETTING, listed=(COSTLY,)),
        at("1.1000"),
        order(BUY, "1.00", "one"),
        order(BUY, "1.00", "two"),
    )
    night = story.when(DayOver())
    (posted,) = (each for each in night.events if isinstance(each, SwapPosted))
    assert [each.amount for each in posted.swaps] == [usd("-13.00")]


TRADES = (
    (BUY, "1.00", "1.10000"),
    (BUY, "2.00", "1.10070"),
    (SELL, "0.70", "1.10130"),
    (BUY, "0.33", "1.09990"),
    (SELL, "3.10", "1.09870"),
    (SELL, "0.40", "1.09810"),
    (BUY, "0.87", "1.09930"),
)


@pytest.mark.parametrize("currency", ["USD", "JPY"])
def test_both_books_bring_the_same(currency: str) -> None:
    """Of the same deals at the same prices, while what converts them stands still."""
    first = Quoted("USDJPY", "150.000", "150.000")
    told = trading(
        currency=currency,
        deposit="10000000",
        terms=NETTING,
        listed=(replace(EURO, leverage=100), *FREE_MARKETS[3:4]),
    ).next(first)
    hedged = trading(
        currency=currency,
        deposit="10000000",
        listed=(replace(EURO, leverage=100), *FREE_MARKETS[3:4]),
    ).next(first)
    for number, (side, quantity, price) in enumerate(TRADES):
        told = told.next(at(price)).next(order(side, quantity, str(number)))
        hedged = hedged.next(at(price)).next(order(side, quantity, str(number)))
    told, hedged = told.next(at("1.09900")), hedged.next(at("1.09900"))
    for each in told.opened.positions:
        told = told.next(close(each.trade_id))
    for each in hedged.opened.positions:
        hedged = hedged.next(close(each.trade_id))
    assert told.opened.positions == hedged.opened.positions == ()
    difference = (told.opened.balance - hedged.opened.balance).amount
    # nothing is converted in dollars; elsewhere each fill is rounded by itself
    rounded = 0 if currency == "USD" else len(TRADES)
    assert abs(difference) <= rounded * MINOR_UNIT[currency]


def test_commission_on_close_is_of_what_is_closed() -> None:
    terms = replace(NETTING, commission=CommissionDue.ON_CLOSE)
    story = given(
        trading(terms=terms, listed=(COSTLY,)),
        at("1.1000"),
        order(BUY, "1.00", "one"),
        order(BUY, "1.00", "two"),
    )
    assert story.account.balance == usd("100000.00")
    taken = story.when(order(SELL, "0.50", "three"))
    assert taken.account.balance == usd("99996.50")
    turned = taken.when(order(SELL, "2.50", "four"))
    assert turned.account.balance == Money(Decimal("99986.00"), "USD")
    assert turned.account.positions[0].due == usd("7.00")
