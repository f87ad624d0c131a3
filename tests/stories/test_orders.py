"""What waits for its price: at which quote it fills, at what, and when it is gone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.account.commands import (
    CloseAll,
    ClosePositionBy,
    PlaceOrder,
    ProtectPosition,
)
from domain.account.errors import (
    AccountPaused,
    InsufficientMargin,
    NotOpposite,
    OrderNotWorking,
    OrderRefused,
    Outdated,
    PriceRefused,
    QuantityRefused,
    StopRefused,
    TooManyOrders,
    TradeNotOpen,
)
from domain.account.events import (
    CancelReason,
    CloseReason,
    ObjectivesMet,
    OpenReason,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    OrderTriggered,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    RuleBreached,
)
from domain.account.order import MOST_ORDERS, OrderType, TimeInForce
from domain.rules.trading_terms import HOUSE_STANDARD, Book, Slippage
from domain.values.market import QuoteStale
from domain.values.quote import Side
from domain.values.refusal import Refused
from tests.stories.facts import (
    DAILY_PAUSE,
    GOLD_IN_ITS_HOURS,
    MAX_LOSS,
    MONDAY,
    TARGET,
    account_with,
    buy_gold,
    close_gold,
    gold_at,
    trade,
    usd,
)
from tests.stories.orders import (
    buy_limit,
    buy_stop,
    cancel,
    change,
    order,
    sell_limit,
    sell_stop,
)
from tests.stories.story import Asked, Clock, DayOver, Quoted, Told, given
from tests.stories.trading import trading

BUY, SELL = Side.BUY, Side.SELL
LATER = MONDAY + timedelta(hours=1)
IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)
LASTING = (TimeInForce.GTC, TimeInForce.DAY)
account = account_with()  # gold at 1999 to 2000


def opened(asked: Asked) -> PositionOpened:
    (fill,) = (e for e in asked.events if isinstance(e, PositionOpened))
    return fill


def gone(asked: Asked) -> OrderCancelled:
    (cancelled,) = (e for e in asked.events if isinstance(e, OrderCancelled))
    return cancelled


# -- types, sides and prices ---------------------------------------------------


@pytest.mark.parametrize(
    ("placed", "almost", "reached", "price"),
    [
        (buy_limit("1990.00"), "1989.01", "1989", "1990"),
        (sell_limit("2010.00"), "2009.99", "2010", "2010"),
        (buy_stop("2010.00"), "2008.99", "2009", "2010"),
        (sell_stop("1990.00"), "1990.01", "1990", "1990"),
    ],
)
def test_it_fills_at_the_quote_that_touches_its_price(
    placed: PlaceOrder, almost: str, reached: str, price: str
) -> None:
    """A buy is filled by the ask, a sell by the bid."""
    story = given(account, placed, gold_at(almost))
    assert not story.account.positions
    fill = opened(story.when(gold_at(reached)))
    assert fill.position.open_price == Decimal(price)
    assert fill.position.order_id == "an-order"
    assert fill.position.trade_id == "trade-of-an-order"
    assert fill.reason is OpenReason(placed.type)


@pytest.mark.parametrize(
    ("placed", "gap", "price"),
    [
        (buy_limit("1990.00"), "1970", "1971"),  # better than it asked for
        (sell_limit("2010.00"), "2030", "2030"),
        (buy_stop("2010.00"), "2030", "2031"),  # the first price there is
        (sell_stop("1990.00"), "1970", "1970"),
    ],
)
def test_across_a_gap_it_fills_at_the_first_price_there_is(
    placed: PlaceOrder, gap: str, price: str
) -> None:
    fill = opened(given(account, placed).when(gold_at(gap)))
    assert fill.position.open_price == Decimal(price)


@pytest.mark.parametrize("lasts", TimeInForce)
@pytest.mark.parametrize("side", Side)
def test_a_market_order_fills_at_once(side: Side, lasts: TimeInForce) -> None:
    ends = LATER if lasts is TimeInForce.GTD else None
    placed = order(side, OrderType.MARKET, lasts=lasts, expires_at=ends)
    asked = given(account).when(placed)
    asked.then(OrderPlaced, PositionOpened)
    price = "2000" if side is BUY else "1999"
    assert opened(asked).position.open_price == Decimal(price)
    assert not asked.account.orders


@pytest.mark.parametrize("lasts", [*LASTING, *IMMEDIATE])
@pytest.mark.parametrize(
    ("placed", "price"), [(buy_limit, "2000.00"), (sell_limit, "1999.00")]
)
def test_a_limit_whose_price_is_there_fills_at_once(
    placed: object, price: str, lasts: TimeInForce
) -> None:
    assert callable(placed)
    asked = given(account).when(placed(price, lasts=lasts))
    asked.then(OrderPlaced, PositionOpened)
    assert opened(asked).position.open_price == Decimal(price)


@pytest.mark.parametrize("lasts", IMMEDIATE)
@pytest.mark.parametrize(
    "placed",
    [
        ("limit", BUY, ("1999.99",)),
        ("limit", SELL, ("1999.01",)),
        ("stop", BUY, ("2000.01",)),
        ("stop_limit", SELL, ("1998.99", "1998.50")),
    ],
)
def test_what_cannot_be_filled_immediately_is_cancelled_at_once(
    placed: tuple[str, Side, tuple[str, ...]], lasts: TimeInForce
) -> None:
    kind, side, prices = placed
    asked = given(account).when(order(side, OrderType(kind), *prices, lasts=lasts))
    asked.then(OrderPlaced, OrderCancelled)
    assert gone(asked).reason is CancelReason.UNFILLED
    assert not asked.account.orders


def test_a_stop_limit_waits_as_a_limit_from_when_its_stop_is_reached() -> None:
    placed = order(BUY, OrderType.STOP_LIMIT, "2010.00", "2005.00")
    woken = given(account, placed).when(gold_at("2009"))  # asked 2010
    woken.then(OrderTriggered)
    assert woken.account.orders[0].is_triggered
    assert not woken.when(gold_at("2004.01")).events  # asked 2005.01
    fill = opened(woken.when(gold_at("2004")))
    assert fill.position.open_price == Decimal(2005)


def test_a_stop_limit_whose_limit_is_there_fills_in_the_same_tick() -> None:
    placed = order(BUY, OrderType.STOP_LIMIT, "2010.00", "2015.00")
    asked = given(account, placed).when(gold_at("2012"))
    asked.then(OrderTriggered, PositionOpened)
    assert opened(asked).position.open_price == Decimal(2013)


def test_a_stop_limit_is_not_filled_beyond_its_limit() -> None:
    placed = order(SELL, OrderType.STOP_LIMIT, "1990.00", "1985.00")
    asked = given(account, placed).when(gold_at("1980"))
    asked.then(OrderTriggered)
    asked.when(gold_at("1985")).then(PositionOpened)


# -- how long it waits ---------------------------------------------------------


def test_a_day_order_ends_with_the_trading_day_of_its_account() -> None:
    story = given(account, buy_limit("1990.00", lasts=TimeInForce.DAY))
    midnight_in_prague = MONDAY.replace(hour=23)
    assert story.account.orders[0].expires_at == midnight_in_prague
    asked = story.when(DayOver())
    asked.then(OrderCancelled)
    assert gone(asked).reason is CancelReason.EXPIRED
    assert not asked.when(gold_at("1980")).events


def test_an_order_good_till_a_date_is_gone_at_that_instant() -> None:
    placed = buy_limit("1990.00", lasts=TimeInForce.GTD, expires_at=LATER)
    story = given(account, placed)
    in_time = LATER - timedelta(microseconds=1)
    story.when(gold_at("1989", in_time)).then(PositionOpened)
    story.when(gold_at("1989", LATER)).then(OrderCancelled)
    story.when(Clock(LATER)).then(OrderCancelled)


def test_an_order_does_not_end_before_it_begins() -> None:
    placed = buy_limit("1990.00", lasts=TimeInForce.GTD, expires_at=MONDAY)
    given(account).when(placed).then_refused(OrderRefused)


# -- changed and cancelled -----------------------------------------------------


def test_a_changed_order_waits_for_its_new_price() -> None:
    asked = given(account, buy_limit("1990.00")).when(change(price="1980.00"))
    asked.then(OrderChanged)
    assert asked.account.orders[0].version == 2
    assert not asked.when(gold_at("1985")).events
    asked.when(gold_at("1979")).then(PositionOpened)


def test_a_limit_changed_to_where_the_price_is_fills_at_once() -> None:
    asked = given(account, buy_limit("1990.00")).when(change(price="2000.00"))
    asked.then(OrderChanged, PositionOpened)


def test_whoever_knows_an_older_version_changes_nothing() -> None:
    story = given(account, buy_limit("1990.00"), change(price="1980.00", seen=1))
    story.when(change(price="1970.00", seen=1)).then_refused(Outdated)
    story.when(change(price="1970.00", seen=2)).then(OrderChanged)


def test_what_an_order_lacks_is_not_changed_into_it() -> None:
    story = given(account, buy_stop("2010.00"))
    story.when(change(price="1970.00")).then_refused(OrderRefused)
    story.when(change(expires_at=LATER)).then_refused(OrderRefused)
    day = story.when(change(time_in_force=TimeInForce.DAY))
    assert day.account.orders[0].expires_at == MONDAY.replace(hour=23)
    dated = day.when(change(time_in_force=TimeInForce.GTD, expires_at=LATER))
    assert dated.account.orders[0].expires_at == LATER
    free = dated.when(change(time_in_force=TimeInForce.GTC))
    assert free.account.orders[0].expires_at is None


def test_a_cancelled_order_never_fills() -> None:
    asked = given(account, buy_limit("1990.00")).when(cancel())
    asked.then(OrderCancelled)
    assert gone(asked).reason is CancelReason.TRADER
    assert not asked.when(gold_at("1980")).events
    asked.when(cancel()).then_refused(OrderNotWorking)
    asked.when(change(price="1980.00")).then_refused(OrderNotWorking)


# -- what goes with its fill ---------------------------------------------------


def test_stop_and_target_of_an_order_become_those_of_its_trade() -> None:
    placed = buy_limit("1990.00", stop_loss="1980.00", take_profit="2000.00")
    filled = given(account, placed, gold_at("1989"))
    (held,) = filled.account.positions
    assert (held.stop_loss, held.take_profit) == (Decimal(1980), Decimal(2000))
    stopped = filled.when(gold_at("1980"))
    stopped.then(PositionClosed)
    assert stopped.then_closed("-1000.00").reason is CloseReason.STOP_LOSS
    won = filled.when(gold_at("2000"))
    assert won.then_closed("1000.00").reason is CloseReason.TAKE_PROFIT
    for after in (stopped, won):  # exactly one exit: nothing of the other is left
        assert not after.when(gold_at("1980")).events
        assert not after.when(gold_at("2000")).events


def test_a_gap_through_entry_and_stop_costs_the_spread() -> None:
    placed = buy_limit("1990.00", stop_loss="1985.00")
    asked = given(account, placed).when(gold_at("1970"))
    asked.then(PositionOpened, PositionClosed)
    asked.then_closed("-100.00")
    assert not asked.account.positions


def test_when_one_of_two_linked_orders_fills_the_other_is_gone() -> None:
    story = given(
        account,
        buy_limit("1990.00", name="below"),
        buy_stop("2010.00", name="above", oco="below"),
    )
    for bid, filled, lost in (("1989", "below", "above"), ("2009", "above", "below")):
        asked = story.when(gold_at(bid))
        asked.then(PositionOpened, OrderCancelled)
        assert opened(asked).position.order_id == filled
        assert gone(asked).order_ids == (lost,)
        assert gone(asked).reason is CancelReason.OCO
        assert not asked.account.orders


def test_of_two_linked_orders_that_one_quote_reaches_one_fills() -> None:
    """A quote whose spread has opened in both directions."""
    story = given(
        account,
        sell_stop("1990.00", name="below"),
        buy_stop("2005.00", name="above", oco="below"),
    )
    wide = Quoted("XAUUSD", "1980", "2020")
    asked = story.when(wide)
    asked.then(PositionOpened, OrderCancelled)
    assert opened(asked).position.order_id == "above"  # five dollars away, not nine


def test_a_linked_order_that_is_cancelled_leaves_the_other() -> None:
    story = given(
        account,
        buy_limit("1990.00", name="below"),
        buy_stop("2010.00", name="above", oco="below"),
        cancel("below"),
    )
    story.when(gold_at("2009")).then(PositionOpened)


def test_two_are_linked_and_no_third() -> None:
    story = given(
        account,
        buy_limit("1990.00", name="below"),
        buy_stop("2010.00", name="above", oco="below"),
    )
    third = buy_limit("1980.00", name="third", oco="below")
    story.when(third).then_refused(OrderRefused)
    unknown = buy_limit("1980.00", name="third", oco="nobody")
    story.when(unknown).then_refused(OrderNotWorking)


# -- many at one quote ---------------------------------------------------------


def test_what_the_price_met_first_happens_first() -> None:
    story = given(
        account,
        sell_stop("1985.00", name="deep"),
        sell_stop("1995.00", name="shallow"),
        buy_limit("1991.00", name="between"),
    )
    asked = story.when(gold_at("1980"))
    fills = [e.position.order_id for e in asked.events if isinstance(e, PositionOpened)]
    assert fills == ["shallow", "between", "deep"]  # 4, 9 and 14 dollars away


def test_what_stands_equally_far_goes_in_the_order_of_its_placing() -> None:
    story = given(
        account, *(sell_stop("1995.00", name=name) for name in ("c", "a", "b"))
    )
    asked = story.when(gold_at("1980"))
    fills = [e.position.order_id for e in asked.events if isinstance(e, PositionOpened)]
    assert fills == ["c", "a", "b"]


def test_an_exit_frees_the_margin_for_an_entry_that_the_price_met_later() -> None:
    """A lot of gold holds 10,000 of a deposit of 25,000."""
    story = given(
        account_with(deposit=usd("25000.00")),
        sell_stop("1990.00", quantity="2.00"),
        trade(BUY, "1.00", stop_loss="1995.00"),
    )
    story.when(gold_at("1985")).then(PositionClosed, PositionOpened)


# -- what ends all orders ------------------------------------------------------


def test_a_breach_cancels_all_orders_before_it_liquidates() -> None:
    story = given(
        account_with(MAX_LOSS), buy_gold, buy_limit("1500.00", quantity="0.10")
    )
    asked = story.when(gold_at("1899.99"))
    asked.then(RuleBreached, OrderCancelled, PositionClosed)
    assert gone(asked).reason is CancelReason.BREACH
    assert not asked.account.orders


def test_a_pause_cancels_all_orders_and_takes_no_new_ones() -> None:
    story = given(account_with(DAILY_PAUSE), buy_gold, buy_limit("1500.00"))
    asked = story.when(gold_at("1949.99"))
    asked.then(RuleBreached, OrderCancelled, PositionClosed)
    assert gone(asked).reason is CancelReason.PAUSE
    asked.when(buy_limit("1500.00")).then_refused(AccountPaused)
    asked.when(DayOver()).when(buy_limit("1500.00")).then(OrderPlaced)


def test_a_pass_cancels_all_orders() -> None:
    """They do not keep a book from being flat: only what is open does."""
    story = given(account_with(TARGET), buy_gold, buy_limit("1500.00"), gold_at("2080"))
    asked = story.when(close_gold)
    asked.then(PositionClosed, ObjectivesMet, OrderCancelled)
    assert gone(asked).reason is CancelReason.PASS


# -- what is let in ------------------------------------------------------------


@pytest.mark.parametrize(
    ("placed", "why"),
    [
        (buy_stop("2000.00"), StopRefused),  # reached already
        (sell_stop("1999.00"), StopRefused),
        (order(BUY, OrderType.STOP_LIMIT, "1999.00", "2005.00"), StopRefused),
        (buy_limit("1990.001"), PriceRefused),
        (buy_limit("1990.00", quantity="0.001"), QuantityRefused),
        (buy_limit("1990.00", stop_loss="1990.00"), StopRefused),
        (buy_limit("1990.00", take_profit="1990.00"), StopRefused),
        (sell_limit("2010.00", stop_loss="2010.00"), StopRefused),
        (buy_limit("1990.00", quantity="60.00"), InsufficientMargin),
    ],
)
def test_what_contradicts_the_market_does_not_wait(
    placed: PlaceOrder, why: type[Refused]
) -> None:
    given(account).when(placed).then_refused(why)


def test_an_order_that_the_margin_does_not_carry_when_its_price_comes() -> None:
    """What was free when it was placed holds another trade by then."""
    story = given(
        account_with(deposit=usd("25000.00")),
        buy_limit("1990.00", quantity="2.00"),
        trade(BUY, "1.00"),
    )
    asked = story.when(gold_at("1989"))
    asked.then(OrderCancelled)
    assert gone(asked).reason is CancelReason.MARGIN
    arithmetic = gone(asked).arithmetic
    assert arithmetic is not None
    assert (arithmetic.limit, arithmetic.actual) == ("13900.00", "19900.00")


def test_so_many_orders_wait_and_no_more() -> None:
    told = account
    for number in range(MOST_ORDERS):
        told = told.next(buy_limit("1500.00", quantity="0.01", name=str(number)))
    given(told).when(buy_limit("1500.00", name="more")).then_refused(TooManyOrders)


def test_nothing_fills_before_a_market_that_opens_again_is_quoted() -> None:
    friday = MONDAY + timedelta(days=4)
    told = account_with(gold=GOLD_IN_ITS_HOURS).next(gold_at("1999", friday))
    story = given(told, buy_limit("1990.00"))
    sunday_night = friday.replace(hour=23) + timedelta(days=2, minutes=30)
    story = given(story.told, Clock(sunday_night))
    story.when(buy_limit("1990.00", name="new")).then_refused(QuoteStale)
    story.when(gold_at("1980")).then(PositionOpened)


def test_an_account_that_waits_follows_the_symbols_of_its_orders() -> None:
    story = given(account, buy_limit("1990.00"))
    market = story.told.moment.market
    assert story.account.followed(market) == {"XAUUSD"}
    assert given(story.told, cancel()).account.followed(market) == frozenset()


# -- open trades ---------------------------------------------------------------


def test_a_trailing_stop_follows_and_never_goes_back() -> None:
    """T11, in gold: fifty behind 2000, then 2060, then 2030."""
    protect = ProtectPosition(trade_id="gold", trailing=Decimal("50.00"))
    story = given(account, buy_gold, gold_at("2000"), protect)
    levels = [held_stop(story.told)]
    for bid in ("2060", "2030"):
        story = given(story.told, gold_at(bid))
        levels.append(held_stop(story.told))
    assert levels == [Decimal("1950.00"), Decimal("2010.00"), Decimal("2010.00")]
    story.when(gold_at("2010.01")).then_nothing()
    closed = story.when(gold_at("2010")).then_closed("1000.00")
    assert closed.reason is CloseReason.STOP_LOSS


def test_a_short_trails_the_ask() -> None:
    protect = ProtectPosition(trade_id="gold", trailing=Decimal("50.00"))
    story = given(account, trade(SELL, "1.00"), protect, gold_at("1949"))
    assert held_stop(story.told) == Decimal("2000.00")  # above an ask of 1950
    story.when(gold_at("1999")).then(PositionClosed)


def test_a_stop_that_is_nearer_than_the_trail_stays() -> None:
    protect = ProtectPosition(
        trade_id="gold", stop_loss=Decimal("1990.00"), trailing=Decimal("50.00")
    )
    story = given(account, buy_gold, protect)
    assert held_stop(story.told) == Decimal("1990.00")
    assert held_stop(given(story.told, gold_at("2041")).told) == Decimal("1991.00")


def test_protections_are_taken_away_and_others_stay() -> None:
    held = trade(BUY, "1.00", stop_loss="1900", take_profit="2100")
    away = ProtectPosition(trade_id="gold", stop_loss=None)
    story = given(account, held, away)
    (position,) = story.account.positions
    assert (position.stop_loss, position.take_profit) == (None, Decimal(2100))
    story.when(ProtectPosition(trade_id="gold", seen=1)).then_refused(Outdated)
    story.when(ProtectPosition(trade_id="other")).then_refused(TradeNotOpen)
    beyond = ProtectPosition(trade_id="gold", stop_loss=Decimal(1999))
    story.when(beyond).then_refused(StopRefused)


def test_opposite_trades_close_each_other_at_their_own_prices() -> None:
    story = given(
        account,
        trade(BUY, "1.00", trade_id="long"),
        gold_at("2010"),
        trade(SELL, "0.40", trade_id="short"),
    )
    asked = story.when(ClosePositionBy(trade_id="long", by="short"))
    closed = asked.then_closed("400.00", "0.00")  # 0.40 from 2000 to 2010
    assert closed.reason is CloseReason.CLOSE_BY
    (left,) = asked.account.positions
    assert (left.trade_id, left.quantity) == ("long", Decimal("0.60"))
    story.when(ClosePositionBy(trade_id="long", by="long")).then_refused(NotOpposite)


def test_closing_all_closes_and_cancels_together() -> None:
    story = given(
        account, buy_gold, trade(SELL, "0.40", trade_id="short"), buy_limit("1900.00")
    )
    asked = story.when(CloseAll())
    asked.then(PositionClosed, OrderCancelled)
    asked.then_closed("-100.00", "-40.00")
    assert gone(asked).reason is CancelReason.TRADER
    asked.when(CloseAll()).then_refused(TradeNotOpen)
    given(account, buy_limit("1900.00")).when(CloseAll()).then(OrderCancelled)


def held_stop(told: Told) -> Decimal | None:
    (held,) = told.opened.positions
    return held.stop_loss


# -- on terms of trading -------------------------------------------------------


def test_in_a_netting_book_an_order_adds_takes_and_turns_round() -> None:
    terms = replace(HOUSE_STANDARD, book=Book.NETTING)
    story = given(
        trading(terms=terms),
        eurusd_at("1.1000"),
        trade(BUY, "1.00", "EURUSD", trade_id="held"),
        limit(BUY, "1.0990", name="more"),
        limit(SELL, "1.1010", name="less", quantity="3.00"),
    )
    added = story.when(eurusd_at("1.0990"))
    added.then(PositionIncreased)
    turned = added.when(eurusd_at("1.1010"))
    turned.then(PositionClosed, PositionOpened)
    assert not turned.account.orders
    (held,) = turned.account.positions
    assert (held.trade_id, held.side, held.quantity) == (
        "trade-of-less",
        SELL,
        Decimal("1.00"),
    )


def test_a_limit_and_a_target_slip_no_further_than_their_price() -> None:
    """Five points against the trader, always; but the quote is at the price itself."""
    always = Slippage(seed=1, weights=(0, 0, 0, 0, 0, 1))
    terms = replace(HOUSE_STANDARD, slippage=always)
    placed = order(
        BUY, OrderType.LIMIT, "1.0990", symbol="EURUSD", take_profit="1.1000"
    )
    filled = given(trading(terms=terms), eurusd_at("1.1000"), placed).when(
        eurusd_at("1.0990")
    )
    assert opened(filled).position.open_price == Decimal("1.0990")
    won = filled.when(eurusd_at("1.1000"))
    assert won.then_closed("100.00").reason is CloseReason.TAKE_PROFIT
    better = given(trading(terms=terms), eurusd_at("1.1000"), placed).when(
        eurusd_at("1.0980")
    )
    assert opened(better).position.open_price == Decimal("1.09805")


def eurusd_at(price: str) -> Quoted:
    return Quoted("EURUSD", price, price)


def limit(side: Side, price: str, name: str, quantity: str = "1.00") -> PlaceOrder:
    return order(
        side, OrderType.LIMIT, price, symbol="EURUSD", name=name, quantity=quantity
    )
