"""What a breach says of itself is true, to the last cent, for whoever recomputes it."""

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.account.events import RuleBreached
from domain.account.evidence import arithmetic, floor_history, quotes
from domain.account.position import Position
from domain.rules.adjudicate import Breach
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.daily_cap import DailyCap
from domain.rules.daily_loss import DailyLoss, DayAnchor
from domain.rules.limit import Comparator, Effect, Evaluated, Measured
from domain.rules.marks import Mark, Marks
from domain.rules.max_loss import Follows, MaxLoss, Mode
from domain.rules.phase import LimitRule
from domain.rules.record import Record
from domain.rules.standing import Standing
from domain.rules.weekly_loss import WeekAnchor, WeeklyLoss
from domain.values.market import Market, pairs_of
from domain.values.money import Money
from domain.values.quote import Quote, Side
from domain.values.trading_day import TradingDay, Weekday
from domain.venue.standard_instruments import STANDARD_INSTRUMENTS

OPENED = datetime(2026, 1, 5, 9, tzinfo=UTC)
DEPOSIT = Money.parse("10000.00", "USD")
INSTRUMENTS = {each.symbol: each for each in STANDARD_INSTRUMENTS}
ROUNDED = ", rounded half to even to "


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


def quote(symbol: str, bid: str, ask: str, sequence: int) -> Quote:
    return Quote(symbol, Decimal(bid), Decimal(ask), sequence, OPENED)


def position(symbol: str, side: Side, lots: str, opening: Quote) -> Position:
    instrument = INSTRUMENTS[symbol]
    return Position(
        trade_id=f"trade-{symbol}-{side}-{lots}",
        order_id="order",
        client_order_id=None,
        symbol=symbol,
        side=side,
        opened_quantity=Decimal(lots),
        quantity=Decimal(lots),
        open_price=opening.opening(side),
        quote=opening,
        contract_size=instrument.contract_size,
        currency=instrument.currency,
        margin=usd("0.00"),
        commission=usd("0.00"),
        realised=usd("0.00"),
        opened_at=OPENED,
        stop_loss=None,
        take_profit=None,
    )


def breached(
    limit: LimitRule,
    *held: Position,
    now: tuple[Quote, ...] = (),
    at: Mark | None = None,
) -> tuple[RuleBreached, Breach]:
    """Judge a balance of 10000; `at` is where every mark stands, else the deposit."""
    market = Market(INSTRUMENTS, {q.symbol: q for q in now}, pairs_of(INSTRUMENTS))
    valued = tuple(each.valued(market, "USD") for each in held)
    equity = sum((each.profit for each in valued), DEPOSIT)
    start = Mark(DEPOSIT, 0, OPENED)
    mark = at or start
    raised = len(Marks.__struct_fields__) - 1
    marks = Marks(start, *[mark] * raised)
    standing = Standing(
        balance=DEPOSIT,
        equity=equity,
        marks=marks,
        record=Record.beginning(OPENED, TradingDay("UTC", "00:00"), DEPOSIT),
        trading_days=1,
        is_flat=not held,
    )
    breach = Breach(
        limit=limit,
        anchor=limit.anchor(standing),
        floor=limit.crossed(standing),
        observed=limit.observed(standing),
    )
    event = RuleBreached(
        at=OPENED,
        tick=3,
        breaches=(breach,),
        deposit=DEPOSIT,
        balance=DEPOSIT,
        equity=equity,
        positions=valued,
        terms_hash="sha256:00",
        trading_days=1,
        opened_at=OPENED,
        decided_at=OPENED,
    )
    return event, breach


def max_loss(  # a rule has that many choices
    basis: AmountBasis = AmountBasis.SHARE_OF_DEPOSIT,
    value: str = "10",
    *,
    follows: Follows | None = None,
    lock: str | None = None,
    measured: Measured = Measured.EQUITY,
    comparator: Comparator = Comparator.BELOW,
) -> MaxLoss:
    return MaxLoss(
        id="max",
        allowance=Allowance(basis, Decimal(value)),
        comparator=comparator,
        measured=measured,
        evaluated=Evaluated.EVERY_TICK,
        effect=Effect.HARD,
        mode=Mode.STATIC if follows is None else Mode.TRAILING,
        follows=follows,
        lock=None if lock is None else Decimal(lock),
    )


FIRST = quote("EURUSD", "1.09990", "1.10000", 1)
THIRD = quote("EURUSD", "1.08999", "1.09009", 3)
ONE_LOT = position("EURUSD", Side.BUY, "1.00", FIRST)


def test_one_lot_a_cent_below_a_static_floor() -> None:
    event, breach = breached(max_loss(), ONE_LOT, now=(THIRD,))

    assert arithmetic(event, breach) == (
        "1.00 x 100000 x (1.08999 - 1.10000) = -1001.00 USD",
        "10000.00 - 1001.00 = 8999.00",
        "10000.00 x 10 % = 1000.00",
        "10000.00 - 1000.00 = 9000.00",
        "8999.00 < 9000.00",
    )
    (opening,) = floor_history(event, breach)
    assert (opening.at, opening.floor) == (OPENED, Decimal("9000.00"))
    assert opening.because == "opened with 10000.00 USD"
    assert quotes(event) == (THIRD,)


def test_a_conversion_names_its_price_and_says_that_it_rounds() -> None:
    opening = quote("USDJPY", "150.100", "150.123", 1)
    now = quote("USDJPY", "149.790", "149.810", 2)
    held = position("USDJPY", Side.BUY, "0.10", opening)
    event, breach = breached(max_loss(), held, now=(now,))

    assert arithmetic(event, breach)[0] == (
        "0.10 x 100000 x (149.790 - 150.123) / 149.790 = -22.23 USD"
        ", rounded half to even to 0.01"
    )


def test_a_sold_position_gains_when_the_price_falls() -> None:
    held = position("EURUSD", Side.SELL, "1.00", FIRST)
    event, breach = breached(max_loss(), held, now=(THIRD,))

    assert arithmetic(event, breach)[:2] == (
        "1.00 x 100000 x (1.09990 - 1.09009) = 981.00 USD",
        "10000.00 + 981.00 = 10981.00",
    )


def test_a_locked_trailing_floor_shows_both_levels_and_its_tick() -> None:
    peak = Mark(usd("11500.00"), 17, OPENED + timedelta(hours=2))
    limit = max_loss(
        AmountBasis.ABSOLUTE,
        "1000",
        follows=Follows.EQUITY,
        lock="100",
        comparator=Comparator.AT_OR_BELOW,
    )
    event, breach = breached(limit, at=peak)

    assert arithmetic(event, breach) == (
        "11500.00 - 1000.00 = 10500.00",
        "10000.00 + 100.00 = 10100.00",
        "min(10500.00, 10100.00) = 10100.00",
        "10000.00 <= 10100.00",
    )
    opening, stood = floor_history(event, breach)
    assert (opening.at, opening.floor) == (OPENED, Decimal("9000.00"))
    assert (stood.at, stood.floor) == (peak.at, Decimal("10100.00"))
    assert stood.because == (
        "the highest equity was 11500.00 after tick 17; never above the lock"
    )


def test_the_lower_of_balance_and_equity_is_shown_where_it_is_measured() -> None:
    limit = max_loss(measured=Measured.LOWER_OF_BOTH)
    event, breach = breached(limit, ONE_LOT, now=(THIRD,))

    assert "min(10000.00, 8999.00) = 8999.00" in arithmetic(event, breach)


def test_terms_finer_than_a_cent_say_what_they_were_rounded_to() -> None:
    event, breach = breached(max_loss(AmountBasis.ABSOLUTE, "1000.005"))

    assert arithmetic(event, breach)[0] == (
        "1000.005 = 1000.00, rounded half to even to 0.01"
    )


PRICES = {"EURUSD": "1.1", "USDJPY": "150", "EURJPY": "165", "XAUUSD": "2000"}
CENTS = st.integers(-900_000, 900_000).map(lambda n: Decimal(n).scaleb(-2))


@st.composite
def markets(draw: st.DrawFn) -> tuple[Quote, ...]:
    """One quote of every symbol, anywhere within ten per cent of its usual price."""
    found = []
    for sequence, (symbol, usual) in enumerate(PRICES.items(), start=1):
        point = INSTRUMENTS[symbol].point
        share = Decimal(draw(st.integers(900, 1_100))) / 1_000
        bid = (Decimal(usual) * share).quantize(point)
        ask = bid + point * draw(st.integers(0, 30))
        found.append(Quote(symbol, bid, ask, sequence, OPENED))
    return tuple(found)


@st.composite
def limits(draw: st.DrawFn) -> LimitRule:
    basis = draw(st.sampled_from(AmountBasis))
    value = Decimal(draw(st.integers(1, 9_999_999))).scaleb(-draw(st.integers(3, 7)))
    shared = {
        "id": "rule",
        "allowance": Allowance(basis, value),
        "comparator": draw(st.sampled_from(Comparator)),
        "measured": draw(st.sampled_from(Measured)),
        "evaluated": Evaluated.EVERY_TICK,
        "effect": draw(st.sampled_from(Effect)),
    }
    kind = draw(st.sampled_from([DailyLoss, DailyCap, WeeklyLoss, MaxLoss]))
    if kind is DailyLoss:
        return DailyLoss(**shared, measured_from=draw(st.sampled_from(DayAnchor)))
    if kind is DailyCap:
        return DailyCap(**shared, measured_from=DayAnchor.BALANCE)
    if kind is WeeklyLoss:
        anchor = draw(st.sampled_from(WeekAnchor))
        return WeeklyLoss(**shared, measured_from=anchor, week=Weekday.MONDAY)
    follows = draw(st.none() | st.sampled_from(Follows))
    mode = Mode.STATIC if follows is None else Mode.TRAILING
    lock = None if follows is None else draw(st.none() | CENTS)
    return MaxLoss(**shared, mode=mode, follows=follows, lock=lock)


@st.composite
def convictions(draw: st.DrawFn) -> tuple[RuleBreached, Breach]:
    """Any account under any limit, crossed or not: the arithmetic is the same."""
    before, now = draw(markets()), draw(markets())
    held = [
        position(q.symbol, side, str(Decimal(lots).scaleb(-2)), q)
        for q, side, lots in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(before),
                    st.sampled_from(Side),
                    st.integers(1, 500),
                ),
                max_size=4,
            )
        )
    ]
    raised = DEPOSIT + Money.rounded(abs(draw(CENTS)), "USD")
    mark = Mark(raised, draw(st.integers(1, 99)), OPENED + timedelta(minutes=1))
    return breached(draw(limits()), *held, now=now, at=mark)


@given(convictions())
def test_every_line_is_true(conviction: tuple[RuleBreached, Breach]) -> None:
    event, breach = conviction
    *equations, comparison = arithmetic(event, breach)

    for line in equations:
        assert is_true(line), line
    sign = ">" if breach.is_ceiling else "<"
    if breach.limit.comparator is Comparator.AT_OR_BELOW:
        sign += "="
    assert comparison.split() == [
        str(breach.observed.amount),
        sign,
        str(breach.floor.amount),
    ]
    assert f"= {breach.floor.amount}" in equations[-1]
    assert not event.positions or any(
        line.endswith(f"= {event.equity.amount}") for line in equations
    )


@given(convictions())
def test_the_history_of_a_floor_begins_at_the_opening_and_ends_where_it_stood(
    conviction: tuple[RuleBreached, Breach],
) -> None:
    event, breach = conviction
    history = floor_history(event, breach)

    assert history[0].at == event.opened_at
    assert history[-1].floor == breach.floor.amount
    assert history[-1].at == breach.anchor.at


def is_true(line: str) -> bool:
    """Compute the left side; it is the right side, rounded only where that is said."""
    claim, _, unit = line.partition(ROUNDED)
    left, _, right = claim.removesuffix(" USD").partition(" = ")
    computed, told = value_of(left), Decimal(right)
    if unit:
        rounded = computed.quantize(Decimal(unit), ROUND_HALF_EVEN)
        return computed != told and rounded == told
    return computed == told


def value_of(expression: str) -> Decimal:
    python = expression.replace(" x ", " * ").replace(" %", " / 100")
    python = re.sub(r"[0-9]+(\.[0-9]+)?", r"Decimal('\g<0>')", python)
    value = eval(python, {"__builtins__": {}, "Decimal": Decimal, "min": min})  # noqa: S307 - our own lines
    assert isinstance(value, Decimal)
    return value
