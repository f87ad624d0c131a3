"""A candle says what the market did in its time, whatever pages the ticks come in."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.candles import SECONDS, Candle, Interval, candles_of
from application.engine.journal import TickBlock
from application.engine.tick_block import Accepted, Link, pack
from domain.values.quote import Quote

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DIGITS = {"EURUSD": 5, "XAUUSD": 2}
Ticks = list[tuple[int, str, int, int]]  # seconds since the last, symbol, bid, spread

ticks = st.lists(
    st.tuples(
        st.integers(0, 4_000),
        st.sampled_from(sorted(DIGITS)),
        st.integers(1, 10**6),
        st.integers(0, 50),
    ),
    min_size=1,
    max_size=40,
)


def quoted(told: Ticks) -> list[Accepted]:
    at, accepted = MONDAY, []
    for sequence, (seconds, symbol, bid, spread) in enumerate(told, start=1):
        at += timedelta(seconds=seconds)
        point = Decimal(1).scaleb(-DIGITS[symbol])
        quote = Quote(symbol, bid * point, (bid + spread) * point, sequence, at)
        accepted.append(Accepted(quote, at, at, "test"))
    return accepted


def packed(accepted: list[Accepted], size: int) -> list[TickBlock]:
    link, blocks = Link("live"), []
    for start in range(0, len(accepted), size):
        blocks.append(pack(link, accepted[start : start + size], (), DIGITS))
        link = Link.of(blocks[-1])
    return blocks


Place = tuple[str, datetime]


def naive(accepted: list[Accepted], interval: Interval) -> dict[Place, list[Accepted]]:
    span, found = SECONDS[interval], dict[Place, list[Accepted]]()
    for each in accepted:
        began = int(each.engine_time.timestamp()) // span * span
        key = (each.quote.symbol, datetime.fromtimestamp(began, UTC))
        found.setdefault(key, []).append(each)
    return found


@given(ticks, st.integers(1, 40))
def test_every_candle_is_what_its_ticks_were(told: Ticks, size: int) -> None:
    accepted = quoted(told)
    candles = candles_of("live", packed(accepted, size))
    for interval in Interval:
        made = {(c.symbol, c.opens_at): c for c in candles if c.interval is interval}
        known = naive(accepted, interval)
        assert made.keys() == known.keys()
        for key, within in known.items():
            bids = [each.quote.bid for each in within]
            asks = [each.quote.ask for each in within]
            candle = made[key]
            assert (candle.open, candle.close) == (bids[0], bids[-1])
            assert (candle.high, candle.low) == (max(bids), min(bids))
            assert (candle.ask_high, candle.ask_low) == (max(asks), min(asks))
            assert candle.ticks == len(within)
            assert candle.first_sequence == within[0].quote.sequence
            assert candle.last_sequence == within[-1].quote.sequence


@given(ticks, st.integers(1, 5), st.integers(1, 39))
def test_pages_that_are_merged_are_the_whole(
    told: Ticks, size: int, middle: int
) -> None:
    """As the database merges them: the later page on top of the earlier."""
    blocks = packed(quoted(told), size)
    first, second = blocks[:middle], blocks[middle:]
    rows = {key(each): each for each in candles_of("live", first)}
    for each in candles_of("live", second):
        known = rows.get(key(each))
        rows[key(each)] = each if known is None else merged(known, each)
    assert rows == {key(each): each for each in candles_of("live", blocks)}


def key(candle: Candle) -> object:
    return candle.symbol, candle.interval, candle.opens_at


def merged(known: Candle, later: Candle) -> Candle:
    return Candle(
        venue_id=known.venue_id,
        symbol=known.symbol,
        interval=known.interval,
        opens_at=known.opens_at,
        open=known.open,
        high=max(known.high, later.high),
        low=min(known.low, later.low),
        close=later.close,
        ask_high=max(known.ask_high, later.ask_high),
        ask_low=min(known.ask_low, later.ask_low),
        ticks=known.ticks + later.ticks,
        first_sequence=known.first_sequence,
        last_sequence=later.last_sequence,
    )


@pytest.mark.parametrize(
    ("interval", "opens"),
    [("1m", "14:37"), ("15m", "14:30"), ("4h", "12:00"), ("1d", "00:00")],
)
def test_a_candle_begins_at_a_whole_interval_of_utc(interval: str, opens: str) -> None:
    at = datetime(2026, 7, 5, 14, 37, 59, tzinfo=UTC)
    quote = Quote("EURUSD", Decimal("1.1"), Decimal("1.2"), 1, at)
    blocks = packed([Accepted(quote, at, at, "test")], 1)
    (candle,) = (c for c in candles_of("live", blocks) if c.interval == interval)
    assert f"{candle.opens_at:%H:%M}" == opens
