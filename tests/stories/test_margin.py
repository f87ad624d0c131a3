"""What margin is held, when it is called for, and what a stop-out closes."""

from decimal import Decimal

from msgspec.structs import replace

from domain.account.errors import InsufficientMargin
from domain.account.events import (
    CloseReason,
    MarginCalled,
    MarginRestored,
    ObjectivesMet,
    PositionClosed,
    RuleBreached,
)
from domain.account.evidence import margin
from domain.rules.phase import Rule
from domain.rules.trading_terms import HOUSE_STANDARD, HedgedMargin, TradingTerms
from domain.values.quote import Side
from tests.stories.facts import (
    GOLD,
    MAX_LOSS,
    MONDAY,
    TARGET,
    close,
    gold_at,
    opening,
    trade,
    usd,
)
from tests.stories.story import Quoted, Told, given
from tests.stories.trading import trading

BUY, SELL = Side.BUY, Side.SELL


def franc_bought(deposit: str, *rules: Rule) -> given:
    """One lot of USDCHF at 0.90000, at 1:30: a margin of 3,333.33."""
    quoted = Quoted("USDCHF", "0.90000", "0.90000")
    return given(trading(*rules, deposit=deposit), quoted, trade(BUY, "1.00", "USDCHF"))


def test_a_dollar_lot_at_one_to_thirty_holds_a_thirtieth() -> None:
    assert franc_bought("5000.00").account.margin == usd("3333.33")


def test_the_call_comes_at_the_margin_and_only_once() -> None:
    story = franc_bought("4333.33")
    # 0.89108 is a loss of 892 francs: 1,001.03 dollars
    above = story.when(Quoted("USDCHF", "0.89110", "0.89110"))
    above.then_nothing()
    assert above.account.equity(above.told.moment.market) == usd("3334.56")
    called = above.when(Quoted("USDCHF", "0.89108", "0.89108"))
    called.then(MarginCalled)
    (told,) = called.events
    assert isinstance(told, MarginCalled)
    assert told.margin.level == told.margin.margin == usd("3333.33")
    assert told.margin.equity == usd("3332.30")
    called.when(Quoted("USDCHF", "0.89000", "0.89000")).then_nothing()
    again = called.when(Quoted("USDCHF", "0.89110", "0.89110"))
    again.then(MarginRestored)
    again.when(Quoted("USDCHF", "0.89108", "0.89108")).then(MarginCalled)


def test_equity_at_the_margin_itself_is_called() -> None:
    quoted = Quoted("USDCHF", "0.90000", "0.90000")
    exact = given(trading(deposit="3333.33"), quoted)
    exact.when(trade(BUY, "1.00", "USDCHF")).then(
        type(exact.when(trade(BUY, "1.00", "USDCHF")).events[0]), MarginCalled
    )
    cent_more = given(trading(deposit="3333.34"), quoted)
    assert len(cent_more.when(trade(BUY, "1.00", "USDCHF")).events) == 1


def test_the_stop_out_is_at_half_of_the_margin_up_to_the_next_cent() -> None:
    """3,333.33 x 50 % is 1,666.665: equity of 1,666.67 is stopped, a cent more not."""
    for balance, is_stopped in (("3336.31", True), ("3336.32", False)):
        # at 0.88522 it has lost 1,478 francs: 1,669.64 dollars
        story = franc_bought("5000.00")
        account = replace(story.account, balance=usd(balance))
        told = replace(story.told, account=account).next(
            Quoted("USDCHF", "0.88522", "0.88522")
        )
        closes = [each for each in told.events if isinstance(each, PositionClosed)]
        assert bool(closes) is is_stopped, told.events


def gold_and_euro(terms: TradingTerms = HOUSE_STANDARD) -> given:
    """Gold at 20 holds 10,000 and loses; euros at 100 hold 1,100 and lose nothing."""
    return given(
        trading(deposit="12000", terms=terms),
        gold_at("1999"),
        Quoted("EURUSD", "1.10000", "1.10000"),
        trade(BUY, "1.00", "XAUUSD", trade_id="gold"),
        trade(BUY, "1.00", "EURUSD", trade_id="euro"),
    )


def test_the_worst_position_closes_and_the_rest_goes_on() -> None:
    story = gold_and_euro().when(gold_at("1935.50"))
    story.then(MarginCalled, PositionClosed, MarginRestored)
    closed = story.then_closed("-6450.00")
    assert closed.margin is not None
    assert margin(closed.margin) == (
        "11100.00 x 50 % = 5550.00",
        "5550.00 <= 5550.00",
    )
    assert closed.reason is CloseReason.STOP_OUT
    assert closed.margin is not None
    assert closed.margin.level == usd("5550.00")
    assert closed.margin.equity == usd("5550.00")
    assert [each.trade_id for each in story.account.positions] == ["euro"]


def test_one_cent_above_nothing_closes() -> None:
    gold_and_euro().when(gold_at("1935.51")).then(MarginCalled)


def test_several_close_in_one_event_the_worst_first() -> None:
    both = given(
        trading(deposit="11100"),
        gold_at("1999"),
        trade(BUY, "1.00", trade_id="first"),
        trade(BUY, "0.10", trade_id="second"),
    )
    story = both.when(gold_at("1900"))  # equity 100.00 of the 11,000 that are held
    closed = story.then_closed("-10000.00", "-1000.00")
    assert [fill.closed.trade_id for fill in closed.fills] == ["first", "second"]
    assert story.account.positions == ()
    assert story.account.margin == usd("0.00")


def test_a_hard_breach_comes_first_and_leaves_nothing_to_stop() -> None:
    story = given(
        trading(MAX_LOSS, deposit="10500"), gold_at("1999"), trade(BUY, "1.00")
    ).when(gold_at("1900"))
    story.then(RuleBreached, PositionClosed)
    assert story.then_closed("-10000.00").reason is CloseReason.LIQUIDATION


def test_a_goal_is_judged_after_the_stop_out() -> None:
    """The same tick calls, closes what is open, and then passes: it is flat now."""
    one_percent = replace(TARGET, percent=Decimal(1))
    told = given(trading(one_percent, deposit="10000"), gold_at("1999")).told
    told = told.next(trade(BUY, "0.50"))
    strict = replace(HOUSE_STANDARD, margin_call=Decimal(1000), stop_out=Decimal(1000))
    account = replace(
        told.opened,
        balance=usd("10150.00"),
        phase=replace(told.opened.phase, trading=strict),
    )
    given(replace(told, account=account)).when(gold_at("1999")).then(
        MarginCalled, PositionClosed, MarginRestored, ObjectivesMet
    )


def hedge(model: HedgedMargin) -> given:
    return given(
        trading(terms=replace(HOUSE_STANDARD, hedged_margin=model)),
        Quoted("EURUSD", "1.10000", "1.10000"),
        trade(SELL, "3.00", "EURUSD", trade_id="short"),
        trade(BUY, "2.00", "EURUSD", trade_id="long"),
    )


def test_a_hedge_holds_what_its_model_says() -> None:
    assert hedge(HedgedMargin.UNCOVERED).account.margin == usd("1100.00")
    assert hedge(HedgedMargin.LARGER_LEG).account.margin == usd("3300.00")
    assert hedge(HedgedMargin.FULL).account.margin == usd("5500.00")


def test_opening_a_hedge_needs_no_margin_that_is_free() -> None:
    held = given(
        trading(deposit="3300"),
        Quoted("EURUSD", "1.10000", "1.10000"),
        trade(SELL, "3.00", "EURUSD", trade_id="short"),
    )
    assert held.account.free_margin(held.told.moment.market) == 0
    hedged = held.when(trade(BUY, "2.00", "EURUSD", trade_id="long"))
    assert hedged.account.margin == usd("1100.00")
    held.when(trade(BUY, "6.01", "EURUSD", trade_id="long")).then_refused(
        InsufficientMargin
    )


def test_an_account_sold_without_terms_is_neither_called_nor_stopped() -> None:
    command = opening(deposit=usd("12000.00"))
    told = Told.beginning(MONDAY, (GOLD,)).next(command)
    given(told, gold_at("1999"), trade(BUY, "1.00")).when(
        gold_at("1900")
    ).then_nothing()


def test_closing_ends_the_call() -> None:
    called = gold_and_euro().when(gold_at("1990"))
    called.then(MarginCalled)
    called.when(close("gold")).then(PositionClosed, MarginRestored)


def test_a_close_gives_back_its_share_of_the_margin() -> None:
    story = given(
        trading(),
        Quoted("EURUSD", "1.10000", "1.10000"),
        trade(BUY, "1.00", "EURUSD", trade_id="euro"),
    )
    part = story.when(close("euro", "0.33"))
    assert part.account.margin == usd("737.00")
    assert part.when(close("euro")).account.margin == usd("0.00")
