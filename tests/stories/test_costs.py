"""Commission and swap to the cent: when they fall due, and on what they are charged."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.account.events import (
    NegativeBalanceCleared,
    PositionClosed,
    RuleBreached,
    SwapAccrued,
    SwapPosted,
)
from domain.rules.profitable_days import Attributed, ProfitableDays
from domain.rules.trading_terms import (
    HOUSE_STANDARD,
    CommissionDue,
    NegativeBalance,
    SwapDue,
)
from domain.values.money import Money
from domain.values.quote import Side
from domain.values.trading_day import TradingDay
from domain.venue.standard_instruments import EURUSD
from tests.stories.facts import (
    A_TENTH,
    DAILY_LOSS,
    GOLD,
    MAX_LOSS,
    account_with,
    close,
    gold_at,
    trade,
    usd,
)
from tests.stories.story import Clock, DayOver, Quoted, Told, given
from tests.stories.trading import COSTLY, EURO, trading

BUY, SELL = Side.BUY, Side.SELL
FLAT = Quoted("EURUSD", "1.10000", "1.10000")
ON_CLOSE = replace(HOUSE_STANDARD, commission=CommissionDue.ON_CLOSE)
ACCRUED = replace(HOUSE_STANDARD, swap=SwapDue.ACCRUED)
BOTH = replace(ON_CLOSE, swap=SwapDue.ACCRUED)
UTC_DAY = TradingDay("UTC", "00:00")


def euro_bought(told: Told, quantity: str = "1.00", side: Side = BUY) -> given:
    return given(told, FLAT, trade(side, quantity, "EURUSD", trade_id="euro"))


def swap_of(story: Told) -> SwapPosted:
    (posted,) = (each for each in story.events if isinstance(each, SwapPosted))
    return posted


def test_a_night_is_posted_where_the_day_of_the_account_turns() -> None:
    story = euro_bought(trading(listed=(COSTLY,)))
    assert story.account.balance == usd("99993.00")  # the commission, at the opening
    night = story.when(DayOver())
    posted = swap_of(night.told)
    assert posted.at == datetime(2026, 1, 5, 23, tzinfo=UTC)  # midnight in Prague
    (swap,) = posted.swaps
    assert (swap.rate, swap.nights, swap.amount) == (
        Decimal("-6.50"),
        1,
        usd("-6.50"),
    )
    assert night.account.balance == posted.balance == usd("99986.50")
    assert night.account.positions[0].swap == usd("-6.50")
    again = night.when(DayOver())
    assert again.account.balance == usd("99980.00")
    assert again.account.positions[0].swap == usd("-13.00")


def test_what_is_paid_for_holding_is_posted_too() -> None:
    story = euro_bought(trading(listed=(COSTLY,)), "0.50", SELL)
    night = story.when(DayOver())
    assert swap_of(night.told).swaps[0].amount == usd("1.05")
    assert night.account.balance == usd("99997.55")


def test_the_triple_day_pays_three_nights_and_the_weekend_none() -> None:
    """Monday, Tuesday, Wednesday and so on, each at its rollover in New York."""
    listed = replace(
        COSTLY, triple_swap_on="Wed", rollover=TradingDay("America/New_York", "17:00")
    )
    story = euro_bought(trading(listed=(listed,)))
    told, amounts = story.told, list[Decimal]()
    for day in range(5, 13):  # from Monday, January 5, to Monday, January 12
        told = told.next(Clock(datetime(2026, 1, day, 22, tzinfo=UTC)))
        posted = [each for each in told.events if isinstance(each, SwapPosted)]
        amounts.append(
            sum((each.swaps[0].amount.amount for each in posted), Decimal(0))
        )
    assert [str(each) for each in amounts] == [
        "-6.50",
        "-6.50",
        "-19.50",
        "-6.50",
        "-6.50",
        "0",
        "0",
        "-6.50",
    ]


def test_a_market_with_hours_rolls_at_the_close_of_new_york() -> None:
    with_hours = replace(COSTLY, sessions=EURUSD.sessions)
    story = euro_bought(trading(listed=(with_hours,), day=UTC_DAY))
    story.when(Clock(datetime(2026, 1, 5, 21, 59, 59, tzinfo=UTC))).then_nothing()
    story.when(Clock(datetime(2026, 1, 5, 22, tzinfo=UTC))).then(SwapPosted)


def test_what_is_opened_at_the_rollover_itself_pays_the_next_night() -> None:
    midnight = datetime(2026, 1, 6, tzinfo=UTC)
    before = given(trading(listed=(COSTLY,), day=UTC_DAY), FLAT, Clock(midnight))
    story = given(before.told, trade(BUY, "1.00", "EURUSD", trade_id="euro"))
    assert story.account.positions[0].rolls_at == datetime(2026, 1, 7, tzinfo=UTC)


def test_a_swap_alone_breaches() -> None:
    """G36: equity of 90,003.00 is above the floor, and no price moves."""
    listed = (replace(COSTLY, commission_per_lot=Decimal(0)),)
    story = euro_bought(trading(MAX_LOSS, listed=listed))
    lower = story.when(Quoted("EURUSD", "1.00003", "1.00003"))
    assert lower.account.equity(lower.told.moment.market) == usd("90003.00")
    night = lower.when(DayOver())
    night.then(SwapPosted, RuleBreached, PositionClosed)
    breached = night.then_breached_at("90000.00")
    assert breached.equity == usd("89996.50")
    assert breached.balance == usd("99993.50")


def test_a_swap_belongs_to_the_day_that_begins() -> None:
    """The day begins with the balance before it; the daily loss counts it at once."""
    huge = replace(COSTLY, swap_long=Decimal("-5000.01"), commission_per_lot=Decimal(0))
    story = euro_bought(trading(DAILY_LOSS, listed=(huge,)))
    night = story.when(DayOver())
    night.then(SwapPosted, RuleBreached, PositionClosed)
    (breach,) = night.then_breached_at("95000.00").breaches
    assert breach.anchor.amount == usd("100000.00")


def test_what_accrues_is_equity_now_and_balance_with_the_close() -> None:
    listed = (replace(COSTLY, commission_per_lot=Decimal(0)),)
    story = euro_bought(trading(terms=ACCRUED, listed=listed))
    night = story.when(DayOver())
    night.then(SwapAccrued)
    market = night.told.moment.market
    assert night.account.balance == usd("100000.00")
    assert night.account.equity(market) == usd("99993.50")
    closed = night.when(close("euro"))
    (fill,) = closed.then_closed("0.00").fills
    assert fill.swap == usd("-6.50")
    assert closed.account.balance == usd("99993.50")


def test_a_breach_states_what_had_accrued() -> None:
    listed = (replace(COSTLY, commission_per_lot=Decimal(0)),)
    story = euro_bought(trading(MAX_LOSS, terms=ACCRUED, listed=listed))
    lower = story.when(Quoted("EURUSD", "1.00003", "1.00003"))
    night = lower.when(DayOver())
    night.then(SwapAccrued, RuleBreached, PositionClosed)
    breached = night.then_breached_at("90000.00")
    assert breached.positions[0].accrued == usd("-6.50")
    assert breached.equity == usd("89996.50")


def test_a_close_takes_its_share_of_every_cost_and_the_last_one_the_rest() -> None:
    """T08: 0.30 of 1.00, with a commission of 7.00 and a swap of -6.50."""
    night = euro_bought(trading(terms=BOTH, listed=(COSTLY,))).when(DayOver())
    assert night.account.balance == usd("100000.00")
    part = night.when(close("euro", "0.30"))
    (fill,) = part.then_closed("0.00").fills
    assert (fill.commission, fill.swap) == (usd("2.10"), usd("-1.95"))
    assert part.account.balance == usd("99995.95")
    (held,) = part.account.positions
    assert (held.due, held.accrued) == (usd("4.90"), usd("-4.55"))
    assert (held.commission, held.swap) == (usd("2.10"), usd("-1.95"))
    rest = part.when(close("euro"))
    (fill,) = rest.then_closed("0.00").fills
    assert (fill.commission, fill.swap) == (usd("4.90"), usd("-4.55"))
    assert rest.account.balance == usd("99986.50")


@pytest.mark.parametrize("parts", [("0.33", "0.33"), ("0.01",) * 7, ("0.17", "0.50")])
def test_however_it_is_closed_the_costs_are_the_same(parts: tuple[str, ...]) -> None:
    odd = replace(
        COSTLY, commission_per_lot=Decimal("6.97"), swap_long=Decimal("-6.61")
    )
    told = euro_bought(trading(terms=BOTH, listed=(odd,))).when(DayOver()).told
    for part in parts:
        told = told.next(close("euro", part))
    told = told.next(close("euro"))
    assert told.opened.balance == usd("99986.42")


def test_a_share_is_exact_before_it_is_rounded() -> None:
    """A thirtieth of 0.45 is 0.015, which goes to the even cent; 0.01499 would not."""
    listed = (replace(COSTLY, commission_per_lot=Decimal("1.50")),)
    story = euro_bought(trading(terms=ON_CLOSE, listed=listed), "0.30")
    (fill,) = story.when(close("euro", "0.01")).then_closed("0.00").fills
    assert fill.commission == usd("0.02")


def test_a_commission_at_the_close_makes_the_breach() -> None:
    """T16: the fill comes first, then the rules: 90,005.00 less 7.00 is below."""
    listed = (replace(COSTLY, swap_long=Decimal(0)),)
    story = euro_bought(trading(MAX_LOSS, terms=ON_CLOSE, listed=listed))
    lower = story.when(Quoted("EURUSD", "1.00005", "1.00005"))
    lower.then_nothing()
    assert lower.account.equity(lower.told.moment.market) == usd("90005.00")
    closed = lower.when(close("euro"))
    closed.then(PositionClosed, RuleBreached)
    assert closed.then_breached_at("90000.00").balance == usd("89998.00")


def test_a_yen_account_pays_whole_yen() -> None:
    yen = replace(
        EURO,
        symbol="USDJPY",
        base="USD",
        currency="JPY",
        digits=3,
        commission_per_lot=Decimal(701),
        swap_long=Decimal("-650.5"),
    )
    story = given(
        trading(deposit="10000000", currency="JPY", listed=(yen,), terms=BOTH),
        Quoted("USDJPY", "150.000", "150.000"),
        trade(BUY, "0.50", "USDJPY", trade_id="yen"),
    )
    assert story.account.positions[0].due == Money(
        Decimal(350), "JPY"
    )  # 350.5, to even
    night = story.when(DayOver())
    night.then(SwapAccrued)
    assert night.account.positions[0].accrued == Money(Decimal(-325), "JPY")
    (fill,) = night.when(close("yen")).then_closed("0").fills
    assert fill.posted == Money(Decimal(-675), "JPY")


def test_a_sale_without_terms_pays_no_swap() -> None:
    costly = replace(GOLD, swap_long=Decimal("-34.00"))
    story = given(account_with(gold=costly), trade(BUY, "1.00"))
    story.when(DayOver()).then_nothing()


def forgiving(keep: NegativeBalance) -> Told:
    terms = replace(HOUSE_STANDARD, negative_balance=keep)
    told = given(trading(deposit="10500", terms=terms), gold_at("1999")).told
    return told.next(trade(BUY, "1.00"))


def test_a_flat_account_that_owes_is_set_to_zero_where_the_terms_say_so() -> None:
    kept = forgiving(NegativeBalance.KEEP).next(gold_at("1800"))
    assert kept.opened.balance == usd("-9500.00")
    zero = forgiving(NegativeBalance.ZERO).next(gold_at("1800"))
    assert zero.opened.balance == usd("0.00")
    *_, cleared = zero.events
    assert isinstance(cleared, NegativeBalanceCleared)
    assert cleared.amount == usd("9500.00")


def test_it_was_judged_as_it_stood() -> None:
    terms = replace(HOUSE_STANDARD, negative_balance=NegativeBalance.ZERO)
    told = given(trading(MAX_LOSS, deposit="10500", terms=terms), gold_at("1999")).told
    story = given(told, trade(BUY, "1.00")).when(gold_at("1800"))
    story.then(RuleBreached, PositionClosed, NegativeBalanceCleared)
    assert story.then_breached_at("9450.00").equity == usd("-9500.00")


def test_costs_count_on_the_day_on_which_they_are_posted() -> None:
    """Where a rule looks at days: what a close costs today, the swap tomorrow."""
    listed = (replace(COSTLY, swap_long=Decimal("-100.00")),)
    day = ProfitableDays(
        id="days",
        days=3,
        amount=A_TENTH,
        counted=Attributed.CLOSING,
        ended=False,
    )
    story = euro_bought(trading(day, terms=ON_CLOSE, listed=listed))
    part = story.when(close("euro", "0.50"))
    assert part.account.record.today.booked == usd("-3.50")
    night = part.when(DayOver())
    assert night.account.record.today.booked == usd("-50.00")
    (before,) = night.account.record.before
    assert before.booked == usd("-3.50")
    ended = night.when(close("euro"))
    assert ended.account.record.today.booked == usd("-53.50")
    assert ended.account.record.best_trade == usd("0.00")
    won = night.when(Quoted("EURUSD", "1.10400", "1.10400")).when(close("euro"))
    # 200.00 of profit, less 7.00 of commission and 50.00 of swap
    assert won.account.record.best_trade == usd("143.00")
