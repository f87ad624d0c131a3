"""The market goes on where it was, keeps its hours, and waits for no reader."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from domain.values.session import is_open
from domain.venue.gate import LIVE_GATE, Admitted, GateState, RawQuote, admit
from domain.venue.standard_instruments import FX_WEEK, LIVE_INSTRUMENTS
from infrastructure.feeds import hourly_bars as package
from infrastructure.feeds.hourly_bars import HourlyBarsMissing, hourly_bars
from infrastructure.feeds.live import live_sources
from infrastructure.feeds.paced import BEAT, PacedFeed
from infrastructure.feeds.replay import HOURS, NEW_YORK, WEEKS, ReplayedEurusd
from infrastructure.feeds.source import STEP, PriceSource

TUESDAY = datetime(2026, 3, 17, 14, tzinfo=UTC)
SATURDAY = datetime(2026, 3, 21, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
LISTED = {each.symbol: each for each in LIVE_INSTRUMENTS}


@pytest.fixture(scope="module")
def eurusd() -> ReplayedEurusd:
    return ReplayedEurusd(seed=1)


def at_each_step(
    source: PriceSource, since: datetime, span: timedelta
) -> list[RawQuote]:
    quotes = (source.quote(since + n * STEP) for n in range(span // STEP))
    return [quote for quote in quotes if quote is not None]


def asks(quotes: list[RawQuote]) -> list[int]:
    return [int(Decimal(quote.ask).scaleb(5)) for quote in quotes]


def test_the_weeks_replayed_have_every_hour_of_trading() -> None:
    bars = hourly_bars()
    for week in range(WEEKS):
        first, last = bars[week * HOURS], bars[week * HOURS + HOURS - 1]
        assert not is_open(FX_WEEK, first.began - HOUR)
        assert is_open(FX_WEEK, first.began)
        assert last.began - first.began == (HOURS - 1) * HOUR
        assert not is_open(FX_WEEK, last.began + HOUR)


@pytest.mark.parametrize("hours", range(0, 24 * 7, 17))
def test_an_hour_touches_its_extremes_and_keeps_to_them(
    eurusd: ReplayedEurusd, hours: int
) -> None:
    began = TUESDAY + hours * HOUR
    bar = eurusd.bar(began)
    path = asks(at_each_step(eurusd, began, HOUR))
    if bar is None:
        assert path == []
        return
    assert (path[0], path[-1]) == (bar.open, bar.close)
    assert (min(path), max(path)) == (bar.low, bar.high)


def test_every_hour_of_the_year_begins_and_ends_where_it_did(
    eurusd: ReplayedEurusd,
) -> None:
    """The same weekday and hour in New York, through all changes of the clocks."""
    seen = set()
    for hours in range(24 * 7 * (WEEKS + 1)):
        began = TUESDAY + hours * HOUR
        bar = eurusd.bar(began)
        assert (bar is not None) == is_open(FX_WEEK, began)
        if bar is not None:
            seen.add(bar.began)
            ends = (eurusd.quote(began), eurusd.quote(began + HOUR - STEP))
            assert asks([each for each in ends if each]) == [bar.open, bar.close]
    assert len(seen) == WEEKS * HOURS


@pytest.mark.parametrize("month", range(1, 13))
def test_the_same_weekday_and_hour_in_new_york(
    eurusd: ReplayedEurusd, month: int
) -> None:
    now = datetime(2026, month, 14, 12, tzinfo=NEW_YORK)
    bar = eurusd.bar(now)
    if bar is None:
        assert now.weekday() >= 5
    else:
        then = bar.began.astimezone(NEW_YORK)
        assert (then.weekday(), then.hour) == (now.weekday(), now.hour)


def test_a_quote_names_the_moment_of_2017_that_it_is_taken_from(
    eurusd: ReplayedEurusd,
) -> None:
    at = TUESDAY + timedelta(minutes=17, milliseconds=300)
    quote, bar = eurusd.quote(at), eurusd.bar(at)
    assert quote is not None
    assert bar is not None
    assert quote.at == at
    assert quote.source_at == bar.began + timedelta(minutes=17, milliseconds=300)
    assert quote.source_at.year == 2017
    assert "synthetic" in quote.source


def test_other_zones_name_the_same_moment(eurusd: ReplayedEurusd) -> None:
    for zone in (timedelta(hours=5, minutes=45), timedelta(hours=-3, minutes=-30)):
        local = TUESDAY.astimezone(timezone(zone)) + 7 * MINUTE
        ours, theirs = eurusd.quote(TUESDAY + 7 * MINUTE), eurusd.quote(local)
        assert ours == theirs


def test_a_restart_goes_on_along_the_same_path() -> None:
    before, after = live_sources(seed=7), live_sources(seed=7)
    for old, new in zip(before, after, strict=True):
        walked = at_each_step(old, TUESDAY, MINUTE)
        assert walked[60:] == at_each_step(new, TUESDAY + MINUTE / 2, MINUTE / 2)


def test_another_seed_is_another_path() -> None:
    for one, other in zip(live_sources(seed=1), live_sources(seed=2), strict=True):
        assert at_each_step(one, TUESDAY, MINUTE) != at_each_step(
            other, TUESDAY, MINUTE
        )


def test_only_crypto_trades_at_weekends() -> None:
    trading = {each.symbol for each in live_sources(1) if each.quote(SATURDAY)}
    assert trading == {"BTCUSD", "ETHUSD"}


def test_every_symbol_of_the_venue_has_a_source_and_keeps_its_sessions() -> None:
    sources = live_sources(1)
    assert {each.symbol for each in sources} == set(LISTED)
    for source in sources:
        for hours in range(0, 24 * 14, 3):
            at = TUESDAY + hours * HOUR
            opened = is_open(LISTED[source.symbol].sessions, at)
            assert (source.quote(at) is not None) == opened


def test_the_gate_of_the_live_venue_admits_all_of_it() -> None:
    for source in live_sources(1):
        state = GateState()
        for quote in at_each_step(source, TUESDAY, MINUTE):
            instrument = LISTED[source.symbol]
            verdict = admit(quote, instrument, state, quote.at, LIVE_GATE)
            assert isinstance(verdict, Admitted), verdict.reason
            state = verdict.state


def test_an_account_at_full_leverage_moves_a_percent_in_a_minute_or_two() -> None:
    for source in live_sources(1):
        quotes = [source.quote(TUESDAY + n * 5 * SECOND) for n in range(24 * 15)]
        bids = [float(quote.bid) for quote in quotes if quote is not None]
        spans = [bids[start : start + 24] for start in range(0, len(bids), 24)]
        swings = sorted(max(span) / min(span) - 1 for span in spans)
        typical = swings[len(swings) // 2] * LISTED[source.symbol].leverage
        assert 0.005 < typical < 0.1, source.symbol


def test_a_cross_rate_agrees_with_its_legs() -> None:
    quotes = {each.symbol: each.quote(TUESDAY) for each in live_sources(1)}
    middles = {
        symbol: (Decimal(quote.bid) + Decimal(quote.ask)) / 2
        for symbol, quote in quotes.items()
        if quote is not None
    }
    product = middles["EURUSD"] * middles["USDJPY"]
    assert abs(middles["EURJPY"] - product) <= Decimal("0.001")


def test_without_the_real_hours_eurusd_is_simulated_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(package, "PACKAGE", "no_such_package_here")
    with pytest.raises(HourlyBarsMissing):
        hourly_bars()
    quote = live_sources(1)[0].quote(TUESDAY)
    assert quote is not None
    assert (quote.symbol, quote.source) == ("EURUSD", "simulation")


class HandClock:
    """Moves only when somebody sleeps, or is told to."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


async def test_each_symbol_is_quoted_twice_a_second_and_never_early() -> None:
    clock = HandClock(TUESDAY + timedelta(milliseconds=30))
    feed = PacedFeed(live_sources(1), clock, clock.sleep)
    seen: list[RawQuote] = []
    async for batch in feed.quotes():
        assert all(quote.at == clock.at for quote in batch)
        seen += batch
        if clock.at >= TUESDAY + timedelta(seconds=2):
            break
    for symbol in LISTED:
        assert len([each for each in seen if each.symbol == symbol]) == 4
    assert [quote.at for quote in seen] == sorted(quote.at for quote in seen)


async def test_a_late_reader_finds_the_market_as_it_stands_and_no_queue() -> None:
    clock = HandClock(TUESDAY)
    feed = PacedFeed(live_sources(1), clock, clock.sleep)
    quotes = feed.quotes()
    await anext(quotes)
    clock.at += HOUR + timedelta(milliseconds=10)
    late = await anext(quotes)
    assert {quote.at for quote in late} == {TUESDAY + HOUR + BEAT}
    assert clock.slept[-1] == 0
    assert {quote.at for quote in await anext(quotes)} == {TUESDAY + HOUR + 2 * BEAT}


async def test_a_clock_set_back_brings_no_quote_again() -> None:
    clock = HandClock(TUESDAY)
    quotes = PacedFeed(live_sources(1), clock, clock.sleep).quotes()
    first = await anext(quotes)
    clock.at -= timedelta(milliseconds=250)
    second = await anext(quotes)
    assert max(quote.at for quote in first) < min(quote.at for quote in second)
