"""What holds of the money of every account, on any terms of trading."""

from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.account.events import (
    AccountEvent,
    NegativeBalanceCleared,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    SwapPosted,
)
from domain.account.margin import held_margin, is_reached, stood
from domain.account.state import Account, applied
from domain.rules.phase import Phase
from domain.rules.trading_terms import (
    HOUSE_STANDARD,
    Book,
    CommissionDue,
    HedgedMargin,
    NegativeBalance,
    Slippage,
    SwapDue,
    TradingTerms,
)
from domain.values.instrument import Tier
from domain.values.money import Money
from domain.values.quote import Side
from domain.values.refusal import Refused
from tests.laws.test_account_laws import START, histories, quoted, steps
from tests.stories.facts import FREE_MARKETS, MAX_LOSS, MONDAY, close, opening, trade
from tests.stories.story import DayOver, Item, Told

COSTS = ("0", "6.97", "7.00")
SWAPS = ("-12.55", "0", "3.01")
LISTED = tuple(
    replace(
        each,
        commission_per_lot=Decimal(COSTS[place % 3]),
        swap_long=Decimal(SWAPS[place % 3]),
        swap_short=Decimal(SWAPS[(place + 1) % 3]),
        triple_swap_on="Wed" if place % 2 else None,
        tiers=(Tier(above=Decimal(2), leverage=7),) if place % 2 else (),
    )
    for place, each in enumerate(FREE_MARKETS)
)
levels = st.sampled_from([(100, 50), (120, 120), (1000, 900), (0, 0)])


@st.composite
def trading_terms(draw: st.DrawFn, /, **fixed: object) -> TradingTerms:
    called, stopped = draw(levels)
    weights = draw(st.sampled_from([None, (1,), (3, 2, 1), (0, 0, 1)]))
    drawn = {
        "book": draw(st.sampled_from(Book)),
        "commission": draw(st.sampled_from(CommissionDue)),
        "swap": draw(st.sampled_from(SwapDue)),
        "hedged_margin": draw(st.sampled_from(HedgedMargin)),
        "margin_call": Decimal(called),
        "stop_out": Decimal(stopped),
        "negative_balance": draw(st.sampled_from(NegativeBalance)),
        "slippage": weights and Slippage(seed=1, weights=weights),
    }
    return replace(HOUSE_STANDARD, **drawn | fixed)


currencies = st.sampled_from(["USD", "EUR", "JPY"])
deposits = st.sampled_from(["1000000", "20000", "3000"])


def beginning(
    terms: TradingTerms, currency: str = "USD", deposit: str = "1000000"
) -> Told:
    told = Told.beginning(MONDAY, LISTED)
    command = opening(MAX_LOSS, deposit=Money.parse(deposit, currency))
    phase: Phase = replace(command.phase, trading=terms)
    told = told.next(replace(command, phase=phase))
    for symbol, start in START.items():
        told = told.next(quoted(symbol, Decimal(start)))
    return told


def posted(event: AccountEvent) -> Decimal:
    """What it says that it did to the balance, posting by posting."""
    match event:
        case PositionOpened(position=position):
            return -position.commission.amount
        case PositionIncreased(deal=deal):
            return -deal.commission.amount
        case PositionClosed(fills=fills):
            return sum((each.posted.amount for each in fills), Decimal(0))
        case SwapPosted(swaps=swaps):
            return sum((each.amount.amount for each in swaps), Decimal(0))
        case NegativeBalanceCleared(amount=amount):
            return amount.amount
        case _:
            return Decimal(0)


@given(trading_terms(), histories, currencies, deposits)
def test_the_balance_is_the_deposit_and_every_posting(
    terms: TradingTerms, history: list[Item], currency: str, deposit: str
) -> None:
    balance = Decimal(deposit)
    for told in steps(beginning(terms, currency, deposit), history):
        balance += sum((posted(each) for each in told.events), Decimal(0))
        assert told.opened.balance == Money.rounded(balance, currency)


@given(trading_terms(slippage=None), histories, currencies)
def test_closing_turns_equity_into_balance_less_what_closing_costs(
    terms: TradingTerms, history: list[Item], currency: str
) -> None:
    told = steps(beginning(terms, currency), history)[-1]
    account, market = told.opened, told.moment.market
    expected = account.equity(market)
    for each in account.positions:
        if each.due is not None:
            expected -= each.due
    if account.is_over:
        return
    for each in account.positions:
        told = told.next(close(each.trade_id))
        if told.opened.is_over:  # and closed, by the rules, at the same quotes
            break
    assert told.opened.balance == expected


@given(trading_terms(), histories, currencies, deposits)
def test_margin_is_never_negative_and_none_is_held_for_nothing(
    terms: TradingTerms, history: list[Item], currency: str, deposit: str
) -> None:
    zero = Money.zero(currency)
    for told in steps(beginning(terms, currency, deposit), history):
        account = told.opened
        assert zero <= account.margin
        assert account.positions or account.margin == zero
        assert all(zero <= each.margin for each in account.positions)


@given(trading_terms(), histories, currencies, deposits)
def test_nothing_stands_at_or_below_its_stop_out(
    terms: TradingTerms, history: list[Item], currency: str, deposit: str
) -> None:
    """Every market is open here: what can be closed has been closed."""
    for told in steps(beginning(terms, currency, deposit), history):
        account = told.opened
        if not account.positions or account.is_over:
            continue
        equity = account.equity(told.moment.market)
        margin = held_margin(account.positions, terms)
        assert not is_reached(stood(equity, margin, terms.stop_out))
        called = is_reached(stood(equity, margin, terms.margin_call))
        assert account.is_called is called


@given(trading_terms(), histories, currencies, deposits)
def test_the_events_alone_make_the_same_account(
    terms: TradingTerms, history: list[Item], currency: str, deposit: str
) -> None:
    known = steps(beginning(terms, currency, deposit), history)
    for before, told in pairwise(known):
        folded: Account = before.opened
        for event in told.events:
            folded = applied(folded, event, told.moment)
        assert folded.positions == told.opened.positions
        assert folded.balance == told.opened.balance
        assert folded.is_called is told.opened.is_called


@given(trading_terms(), histories, currencies, deposits)
def test_the_same_orders_and_ticks_give_the_same_fills(
    terms: TradingTerms, history: list[Item], currency: str, deposit: str
) -> None:
    once, again = (
        [each.events for each in steps(beginning(terms, currency, deposit), history)]
        for _ in range(2)
    )
    assert once == again


@st.composite
def deals(draw: st.DrawFn) -> list[Item]:
    """Orders in dollars, at prices that move between them; nothing is converted."""
    items: list[Item] = []
    for number in range(draw(st.integers(1, 12))):
        symbol = draw(st.sampled_from(["XAUUSD", "EURUSD"]))
        start = Decimal(START[symbol])
        step = (start * draw(st.integers(-90, 90)) / 1_000).quantize(start)
        items.append(quoted(symbol, start + step))
        lots = draw(st.integers(1, 250).map(lambda lots: str(Decimal(lots) / 100)))
        side = draw(st.sampled_from(Side))
        items.append(trade(side, lots, symbol, trade_id=f"t{number}"))
        if draw(st.booleans()) and draw(st.booleans()):
            items.append(DayOver())
    return items


@given(deals(), st.sampled_from(CommissionDue))
def test_both_books_bring_the_same_profit(
    history: list[Item], commission: CommissionDue
) -> None:
    """Spread, swap and commission aside, which fewer or shorter positions save."""
    profits = []
    for book in Book:
        terms = replace(HOUSE_STANDARD, book=book, commission=commission)
        told = beginning(terms, deposit="100000000")
        told = replace(told, moment=replace(told.moment, market=tight(told)))
        total = Decimal(0)
        for item in history:
            narrow = replace(item, ask=item.bid) if hasattr(item, "bid") else item
            told = told.next(narrow)
            total += profit(told)
        for each in told.opened.positions:
            told = told.next(close(each.trade_id))
            total += profit(told)
        profits.append(total)
    hedged, netted = profits
    assert hedged == netted


def tight(told: Told) -> object:
    market = told.moment.market
    quotes = {
        symbol: replace(quote, ask=quote.bid) for symbol, quote in market.quotes.items()
    }
    return replace(market, quotes=quotes)


def profit(told: Told) -> Decimal:
    return sum(
        (
            fill.closed.profit.amount
            for each in told.events
            if isinstance(each, PositionClosed)
            for fill in each.fills
        ),
        Decimal(0),
    )


def test_what_is_refused_changes_nothing() -> None:
    told = beginning(replace(HOUSE_STANDARD, book=Book.NETTING), deposit="3000")
    told = told.next(trade(Side.BUY, "0.01", "EURUSD", trade_id="one"))
    try:
        told.next(trade(Side.SELL, "90.00", "EURUSD", trade_id="two"))
    except Refused:
        return
    raise AssertionError("three thousand dollars carry no ninety lots")
