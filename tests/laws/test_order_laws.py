"""What holds of orders whatever is placed and however the price goes."""

from decimal import Decimal

from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.account.commands import PlaceOrder
from domain.account.events import (
    AccountEvent,
    OrderCancelled,
    OrderPlaced,
    OrderTriggered,
    PositionClosed,
    PositionOpened,
)
from domain.account.order import Order, OrderType
from domain.account.state import evolve
from domain.values.quote import Side
from domain.values.refusal import Refused
from tests.stories.facts import account_with, gold_at
from tests.stories.orders import order
from tests.stories.story import Quoted, Told

BIDS = st.integers(1_980, 2_020)
STEPS = st.lists(
    st.one_of(
        BIDS.map(lambda bid: gold_at(str(bid))),
        st.tuples(BIDS, st.integers(1, 12)).map(
            lambda each: Quoted("XAUUSD", str(each[0]), str(sum(each)))
        ),
        st.tuples(
            st.sampled_from(Side),
            st.sampled_from(OrderType),
            BIDS,
            BIDS,
            st.sampled_from([None, "3.00"]),
        ),
    ),
    max_size=40,
)


def placed(step: tuple[Side, OrderType, int, int, str | None], name: str) -> PlaceOrder:
    side, kind, first, second, trailing = step
    count = {OrderType.MARKET: 0, OrderType.STOP_LIMIT: 2}.get(kind, 1)
    prices = (f"{first}.00", f"{second}.00")[:count]
    return order(side, kind, *prices, quantity="0.01", name=name, trailing=trailing)


def played(steps: list[object]) -> tuple[Told, list[AccountEvent]]:
    told, events = account_with(), list[AccountEvent]()
    for number, step in enumerate(steps):
        item = step if isinstance(step, Quoted) else placed(step, f"o{number}")  # type: ignore[arg-type]  # drawn so
        try:
            told = told.next(item)
        except Refused:
            continue
        events += told.events
    return told, events


@drawn(STEPS)
def test_the_same_orders_and_ticks_give_the_same_fills(steps: list[object]) -> None:
    assert played(steps)[1] == played(steps)[1]


@drawn(STEPS)
def test_no_order_fills_twice_and_none_worse_than_its_limit(
    steps: list[object],
) -> None:
    told, events = played(steps)
    known: dict[str, Order] = {}
    for event in events:
        match event:
            case OrderPlaced(order=waiting):
                known[waiting.order_id] = waiting
            case OrderTriggered(order_id=name):
                assert known[name].stop_price is not None
            case PositionOpened(position=held):
                waited = known.pop(held.order_id)  # or it has filled before
                assert not is_worse(held.open_price, waited)
            case OrderCancelled(order_ids=names):
                for name in names:
                    known.pop(name)
    assert list(known) == [each.order_id for each in told.opened.orders]


def is_worse(price: Decimal, waited: Order) -> bool:
    if waited.price is None:
        return False
    return price > waited.price if waited.side is Side.BUY else price < waited.price


@drawn(STEPS)
def test_after_a_tick_nothing_waits_for_a_price_that_was_reached(
    steps: list[object],
) -> None:
    told, _ = played([*steps, gold_at("2000")])
    quote = told.moment.market.quote("XAUUSD")
    account = told.opened
    assert not any(each.is_due(quote) for each in account.orders)
    assert not any(each.is_stopped(quote) for each in account.positions)


@drawn(STEPS)
def test_a_trailing_stop_never_goes_back(steps: list[object]) -> None:
    told, best = account_with(), dict[str, Decimal]()
    for number, step in enumerate(steps):
        item = step if isinstance(step, Quoted) else placed(step, f"o{number}")  # type: ignore[arg-type]  # drawn so
        try:
            told = told.next(item)
        except Refused:
            continue
        for held in told.opened.positions:
            if held.trailing is not None:
                assert held.stop_loss is not None
                way = held.stop_loss if held.side is Side.BUY else -held.stop_loss
                assert best.get(held.trade_id, way) <= way
                best[held.trade_id] = way


@drawn(STEPS)
def test_the_facts_alone_tell_which_orders_work(steps: list[object]) -> None:
    told, events = played(steps)
    account = account_with().opened
    for event in events:
        assert isinstance(event, AccountEvent)
        account = evolve(account, event)
    assert account.orders == told.opened.orders
    assert [each.trade_id for each in account.positions] == [
        each.trade_id for each in told.opened.positions
    ]
    closes = [e for e in events if isinstance(e, PositionClosed)]
    names = [fill.closed.trade_id for each in closes for fill in each.fills]
    assert len(names) == len(set(names))  # exactly one exit each
