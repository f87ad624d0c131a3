"""What holds for every account, under any terms, whatever the market does."""

from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.account.decider import handle, witness
from domain.account.events import (
    AccountEvent,
    AccountOpened,
    PositionClosed,
    RuleBreached,
)
from domain.account.state import Account, applied, evolve, observe, turn
from domain.rules.limit import Comparator, Evaluated, Measured
from domain.rules.marks import Marks
from domain.rules.max_loss import MaxLoss
from domain.rules.phase import LimitRule, Phase
from domain.values.market import Moment
from domain.values.money import Money
from domain.values.quote import Side
from domain.values.refusal import Refused
from tests.laws.phases import limits, phases
from tests.stories.facts import (
    FREE_MARKETS,
    MAX_LOSS,
    MONDAY,
    account_with,
    buy_gold,
    close,
    opening,
    sell_gold,
    trade,
)
from tests.stories.story import DayOver, Item, Quoted, Told

prices = st.decimals("1", "4000", places=2)
WIDE = {"XAUUSD": "1", "EURUSD": "0.00010", "USDJPY": "0.010", "EURJPY": "0.020"}
START = {
    "XAUUSD": "1999",
    "EURUSD": "1.10000",
    "USDJPY": "150.000",
    "EURJPY": "165.000",
}
RISING = (
    "peak_balance",
    "peak_equity",
    "peak_flat",
    "close_balance",
    "close_equity",
)


def quoted(symbol: str, bid: Decimal) -> Quoted:
    return Quoted(symbol, str(bid), str(bid + Decimal(WIDE[symbol])))


@st.composite
def items(draw: st.DrawFn) -> Item:
    """A quote near where it was, a trade, a close or the end of a day."""
    symbol = draw(st.sampled_from(sorted(WIDE)))
    match draw(st.sampled_from(["quote", "quote", "quote", "open", "close", "night"])):
        case "quote":
            start = Decimal(START[symbol])
            share = draw(st.integers(-150, 150))
            step = (start * share / 1_000).quantize(start)
            return quoted(symbol, start + step)
        case "open":
            side = draw(st.sampled_from(Side))
            quantity = draw(st.sampled_from(["0.01", "0.37", "1.00", "2.50"]))
            return trade(side, quantity, symbol, trade_id=draw(trade_ids))
        case "close":
            part = draw(st.sampled_from([None, "0.01", "0.13"]))
            return close(draw(trade_ids), part)
        case _:
            return DayOver()


trade_ids = st.sampled_from(["a", "b", "c", "d", "e", "f"])
histories = st.lists(items(), min_size=1, max_size=14)


def beginning(phase: Phase, currency: str = "USD") -> Told:
    told = Told.beginning(MONDAY, FREE_MARKETS)
    deposit = Money.parse("100000.00", currency)
    told = told.next(replace(opening(deposit=deposit), phase=phase))
    for symbol, start in START.items():
        told = told.next(quoted(symbol, Decimal(start)))
    return told


def steps(told: Told, history: list[Item]) -> list[Told]:
    """Where each item leads; what is refused, or would be a second trade, leads on."""
    known = [told]
    for item in history:
        held = {each.trade_id for each in known[-1].opened.positions}
        if getattr(item, "symbol", None) and getattr(item, "trade_id", None) in held:
            continue
        try:
            known.append(known[-1].next(item))
        except Refused:
            continue
    return known


MAX_LOSS_PHASE = opening(MAX_LOSS).phase
currencies = st.sampled_from(["USD", "EUR"])


@given(phases(), histories, currencies)
def test_folding_the_events_over_the_ticks_gives_the_same_account(
    phase: Phase, history: list[Item], currency: str
) -> None:
    """Nothing is judged again: this is what a restart, an audit and a proof do."""
    told = beginning(phase, currency)
    folded = told.opened
    for step in steps(told, history)[1:]:
        folded = refolded(folded, told, step)
        assert folded == step.opened
        told = step


def refolded(account: Account, before: Told, after: Told) -> Account:
    """From what stood, the boundaries and the quote between, and the events."""
    events = list(after.events)
    day, now = account.phase.trading_day, before.moment.at
    while (boundary := day.next_after(now)) <= after.moment.at:
        account = timed_out(account, events, before, boundary)
        night = Moment(boundary, before.moment.tick, before.moment.market)
        account = turn(account, night)
        while events and events[0].at == boundary and events[0].tick == night.tick:
            account = applied(account, events.pop(0), night)
        now = boundary
    account = timed_out(account, events, before, after.moment.at)
    if after.moment.tick > before.moment.tick:
        account = observe(account, after.moment)
    for event in events:
        account = applied(account, event, after.moment)
    return account


def timed_out(
    account: Account, events: list[AccountEvent], before: Told, until: datetime
) -> Account:
    """Fold what a timer led to, each at its own instant."""
    while events and events[0].at < until and account.phase.timers:
        moment = Moment(events[0].at, before.moment.tick, before.moment.market)
        account = applied(account, events.pop(0), moment)
    return account


@given(phases(), histories)
def test_marks_of_all_time_never_fall(phase: Phase, history: list[Item]) -> None:
    seen = [told.opened for told in steps(beginning(phase), history)]
    for before, after in pairwise(seen):
        for name in RISING:
            assert mark(before.marks, name) <= mark(after.marks, name)
        assert before.marks.deposit == after.marks.deposit


def mark(marks: Marks, name: str) -> Money:
    money: Money = getattr(marks, name).amount
    return money


@given(phases(), histories)
def test_the_floor_of_a_max_loss_never_falls(phase: Phase, history: list[Item]) -> None:
    seen = steps(beginning(phase), history)
    for limit in phase.limits:
        if isinstance(limit, MaxLoss):
            floors = [limit.floor(t.opened.standing(t.moment.market)) for t in seen]
            assert floors == sorted(floors, key=lambda floor: floor.amount)


@given(phases(), histories)
def test_a_quote_that_says_the_same_again_changes_nothing(
    phase: Phase, history: list[Item]
) -> None:
    told = steps(beginning(phase), history)[-1]
    for symbol in told.opened.followed(told.moment.market):
        last = told.moment.market.quote(symbol)
        again = told.next(Quoted(symbol, str(last.bid), str(last.ask)))
        assert (again.opened, again.events) == (told.opened, ())
        assert again.opened is told.opened


@given(phases(), histories)
def test_margin_is_what_is_held_and_never_negative(
    phase: Phase, history: list[Item]
) -> None:
    for told in steps(beginning(phase), history):
        account = told.opened
        assert account.margin.amount >= 0
        assert all(each.margin.amount >= 0 for each in account.positions)
        assert all(each.quantity > 0 for each in account.positions)


@given(histories, currencies)
def test_closing_everything_turns_equity_into_balance_to_the_cent(
    history: list[Item], currency: str
) -> None:
    told = steps(beginning(replace(MAX_LOSS_PHASE, rules=()), currency), history)[-1]
    equity = told.opened.equity(told.moment.market)
    for position in told.opened.positions:
        told = told.next(close(position.trade_id))
    assert told.opened.balance == equity == told.opened.equity(told.moment.market)


@given(histories)
def test_a_balance_is_the_deposit_and_everything_realised(history: list[Item]) -> None:
    known = steps(beginning(MAX_LOSS_PHASE), history)
    fills = [
        fill
        for told in known
        for event in told.events
        if isinstance(event, PositionClosed)
        for fill in event.fills
    ]
    realised = sum((fill.closed.profit for fill in fills), Money.zero("USD"))
    account = known[-1].opened
    assert account.balance == account.marks.deposit.amount + realised


@given(prices, prices)
def test_what_a_buyer_gains_a_seller_loses(opened: Decimal, closed: Decimal) -> None:
    """At one and the same price, as without a spread."""
    account = account_with().next(Quoted("XAUUSD", str(opened), str(opened)))
    last = Quoted("XAUUSD", str(closed), str(closed))
    brought = []
    for order in (buy_gold, sell_gold):
        try:
            told = account.next(order).next(last)
        except Refused:  # no margin for gold at that price
            return
        (held,) = told.opened.positions
        brought.append(held.profit(told.moment.market, "USD"))
    assert brought[0] + brought[1] == Money.zero("USD")


@given(limits("limit"), prices)
def test_a_floor_is_crossed_when_the_comparator_says_so_at_the_very_cent(
    limit: LimitRule, price: Decimal
) -> None:
    """An ounce bought at 2000: a cent of its price is a cent of equity."""
    told = account_with(limit, deposit=Money.parse("10000.00", "USD"))
    told = told.next(Quoted("XAUUSD", "2000", "2000")).next(trade(Side.BUY, "0.01"))
    after = told.next(Quoted("XAUUSD", str(price), str(price)))
    standing = observe(told.opened, after.moment).standing(after.moment.market)
    equity, floor = 8_000 + price, limit.floor(standing).amount
    assert standing.equity.amount == equity
    is_lower = limit.measured is Measured.LOWER_OF_BOTH
    observed = min(Decimal(10_000), equity) if is_lower else equity
    ceiling = limit.ceiling(standing)
    above = Decimal("Infinity") if ceiling is None else ceiling.amount
    is_beyond = not floor <= observed <= above
    is_touched = observed in {floor, above} and (
        limit.comparator is Comparator.AT_OR_BELOW
    )
    is_judged = limit.evaluated is Evaluated.EVERY_TICK
    breached = [each for each in after.events if isinstance(each, RuleBreached)]
    assert bool(breached) == (is_judged and (is_beyond or is_touched))
    for event in breached:
        floating = (each.profit for each in event.positions)
        assert sum(floating, event.balance) == event.equity == standing.equity
        assert event.breaches[0].floor.amount in {floor, above}


@given(phases(), histories)
def test_an_account_that_is_over_only_lets_go(
    phase: Phase, history: list[Item]
) -> None:
    known = steps(beginning(phase), history)
    over = [told for told in known if told.opened.is_over]
    for before, after in pairwise(over):
        assert after.opened.status is before.opened.status
        assert after.opened.marks == before.opened.marks
        assert all(isinstance(each, PositionClosed) for each in after.events)


@given(phases())
def test_an_account_opens_as_its_event_says(phase: Phase) -> None:
    command = replace(opening(), phase=phase)
    moment = Told.beginning(MONDAY, FREE_MARKETS).moment
    account, events = handle(command, None, moment)
    assert isinstance(events[0], AccountOpened)
    assert evolve(None, events[0]) == account
    assert witness(account, "XAUUSD", beginning(phase).moment)[0] is account
