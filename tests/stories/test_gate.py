"""A quote is admitted in order and in line, or turned away with its reason."""

from datetime import UTC, datetime, timedelta
from typing import Self

import pytest

from domain.values.instrument import Instrument
from domain.venue.gate import (
    LIVE_GATE,
    SANDBOX_FULL_GATE,
    SANDBOX_ORDER_GATE,
    Admitted,
    GateParameters,
    GateState,
    RawQuote,
    Reason,
    admit,
)
from domain.venue.standard_instruments import BTCUSD, EURUSD

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
FRIDAY = datetime(2026, 1, 9, 21, 59, 59, tzinfo=UTC)
SUNDAY = datetime(2026, 1, 11, 22, 0, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Story:
    """Quotes in a row; each arrives the moment the exchange stamped it."""

    def __init__(
        self, gate: GateParameters, instrument: Instrument | None = EURUSD
    ) -> None:
        self.gate = gate
        self.instrument = instrument
        self.state = GateState()
        self.at = MONDAY

    def when(self, bid: str, ask: str | None = None) -> Self:
        return self.when_delayed(timedelta(0), bid, ask)

    def when_delayed(self, delay: timedelta, bid: str, ask: str | None = None) -> Self:
        offered = RawQuote("EURUSD", bid, ask or bid, self.at, self.at, "test")
        self.answer = admit(
            offered, self.instrument, self.state, self.at + delay, self.gate
        )
        self.state = self.answer.state
        return self

    def after(self, silence: timedelta) -> Self:
        self.at += silence
        return self

    def on(self, at: datetime) -> Self:
        self.at = at
        return self

    def admitted(self) -> Self:
        assert isinstance(self.answer, Admitted), self.answer.reason
        assert self.state.last == self.answer.price
        assert not self.state.is_in_doubt
        return self

    def turned_away(self, reason: Reason) -> Self:
        assert not isinstance(self.answer, Admitted)
        assert self.answer.reason == reason
        return self


@pytest.fixture(params=[SANDBOX_ORDER_GATE, SANDBOX_FULL_GATE, LIVE_GATE])
def story(request: pytest.FixtureRequest) -> Story:
    return Story(request.param)


def full() -> Story:
    return Story(SANDBOX_FULL_GATE)


def test_a_first_quote_is_admitted_to_the_points_of_the_instrument(
    story: Story,
) -> None:
    story.when("1.0999", "1.1").admitted()
    assert story.state.last is not None
    assert str(story.state.last.bid) == "1.09990"
    assert str(story.state.last.ask) == "1.10000"


def test_a_crossed_quote_is_turned_away_and_a_locked_one_is_not(story: Story) -> None:
    story.when("1.10001", "1.10000").turned_away(Reason.CROSSED)
    story.when("1.10000", "1.10000").admitted()


def test_the_same_quote_again_is_a_duplicate_until_time_goes_on(story: Story) -> None:
    story.when("1.1").admitted()
    story.when("1.1").turned_away(Reason.DUPLICATE)
    story.when("1.10001").admitted()
    story.after(SECOND).when("1.10001").admitted()


def test_a_quote_older_than_the_last_is_late(story: Story) -> None:
    story.when("1.1").admitted()
    story.after(-SECOND).when("1.1").turned_away(Reason.LATE)


def test_a_sandbox_quote_behind_the_clock_is_late() -> None:
    story = Story(SANDBOX_ORDER_GATE)
    story.when_delayed(timedelta(microseconds=1), "1.1").turned_away(Reason.LATE)


def test_a_live_quote_may_be_ten_seconds_old_and_two_early() -> None:
    story = Story(LIVE_GATE)
    story.when_delayed(10 * SECOND, "1.1").admitted()
    story.after(SECOND).when_delayed(11 * SECOND, "1.1").turned_away(Reason.LATE)
    story.when_delayed(-2 * SECOND, "1.1").admitted()
    story.after(SECOND).when_delayed(-3 * SECOND, "1.1").turned_away(Reason.EARLY)


def test_a_sandbox_quote_may_set_the_clock_far_ahead() -> None:
    full().when_delayed(timedelta(days=-30), "1.1").admitted()


@pytest.mark.parametrize(
    "price", ["0", "-0", "-1.1", "NaN", "Infinity", "1e2", "1E-400", " 1.1", "1_1", "٣"]
)
def test_what_is_no_price_is_turned_away(story: Story, price: str) -> None:
    story.when(price, "1.1").turned_away(Reason.NOT_A_PRICE)
    story.when("1.1", price).turned_away(Reason.NOT_A_PRICE)


def test_a_sixth_decimal_is_too_fine_unless_it_is_zero(story: Story) -> None:
    story.when("1.100001").turned_away(Reason.TOO_FINE)
    story.when("1.100000").admitted()


def test_a_price_too_high_to_count_exactly_is_turned_away(story: Story) -> None:
    story.when(str(EURUSD.price_max + EURUSD.point)).turned_away(Reason.TOO_HIGH)
    story.when(str(EURUSD.price_max)).admitted()


def test_an_unknown_symbol_is_turned_away() -> None:
    Story(SANDBOX_FULL_GATE, None).when("1.1").turned_away(Reason.UNKNOWN_SYMBOL)


def test_the_order_gate_takes_any_jump_at_any_hour() -> None:
    story = Story(SANDBOX_ORDER_GATE).when("1.1").admitted()
    story.when("1.2").admitted().when("0.6").admitted()
    story.on(FRIDAY + SECOND).when("0.6").admitted()


def test_a_closed_market_has_no_quotes() -> None:
    story = full().on(FRIDAY).when("1.1").admitted()
    story.on(FRIDAY + SECOND).when("1.1").turned_away(Reason.MARKET_CLOSED)


def test_crypto_trades_on_saturday() -> None:
    story = Story(SANDBOX_FULL_GATE, BTCUSD)
    story.on(FRIDAY + timedelta(days=1)).when("100000").admitted()


def test_a_move_to_the_edge_of_the_band_is_no_spike() -> None:
    full().when("1.00000").when("1.00500").admitted()
    full().when("1.00000").when("1.00501").turned_away(Reason.SPIKE)


def test_the_band_is_twice_as_wide_after_twelve_seconds() -> None:
    story = full().when("1.00000").after(12 * SECOND)
    story.when("0.98999").turned_away(Reason.SPIKE)
    story.when("0.99000").admitted()


def test_one_side_alone_can_spike() -> None:
    story = full().when("1.00000", "1.00010").after(SECOND)
    story.when("1.00000", "1.03000").turned_away(Reason.SPIKE)


def test_a_spike_that_nothing_confirms_is_forgotten() -> None:
    story = full().when("1.1").after(SECOND)
    story.when("0.9").turned_away(Reason.SPIKE)
    assert story.state.is_in_doubt
    story.after(SECOND).when("1.10001").admitted()
    story.after(SECOND).when("0.9").turned_away(Reason.SPIKE)


def test_a_gap_is_admitted_with_the_quote_that_confirms_it() -> None:
    story = full().when("1.1").after(SECOND)
    story.when("0.9").turned_away(Reason.SPIKE).after(SECOND)
    story.when("0.9").admitted().after(SECOND).when("0.90010").admitted()


def test_a_spike_told_twice_confirms_nothing() -> None:
    story = full().when("1.1").after(SECOND)
    story.when("0.9").turned_away(Reason.SPIKE)
    story.when("0.9").turned_away(Reason.DUPLICATE)
    story.after(SECOND).when("1.1").admitted()


def test_spikes_to_both_sides_confirm_nothing() -> None:
    story = full().when("1.1")
    for price in ("0.9", "1.3", "0.9", "1.3"):
        story.after(SECOND).when(price).turned_away(Reason.SPIKE)
    story.after(SECOND).when("1.1").admitted()


def test_after_the_weekend_a_gap_needs_no_confirmation() -> None:
    story = full().on(FRIDAY).when("1.1").admitted()
    story.on(SUNDAY).when("1.0").admitted()


def test_even_after_the_weekend_a_shifted_decimal_is_a_spike() -> None:
    story = full().on(FRIDAY).when("1.1").admitted()
    story.on(SUNDAY).when("11").turned_away(Reason.SPIKE)


def test_a_price_unchanged_for_ten_minutes_is_a_dead_source() -> None:
    story = Story(LIVE_GATE).when("1.1").admitted()
    story.after(timedelta(minutes=10)).when("1.1").admitted()
    story.after(SECOND).when("1.1").turned_away(Reason.STUCK)
    story.after(SECOND).when("1.10001").admitted()
