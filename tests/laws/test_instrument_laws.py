"""What is listed can be counted exactly, up to its largest quantity and price."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import ValidationError, json
from msgspec.structs import replace

from domain.values.instrument import DIGITS, EXACT_INTEGER, Instrument
from domain.venue.standard_instruments import (
    EURUSD,
    LIVE_INSTRUMENTS,
    STANDARD_INSTRUMENTS,
)

listed = pytest.mark.parametrize(
    "instrument",
    [*STANDARD_INSTRUMENTS, *LIVE_INSTRUMENTS],
    ids=lambda each: f"{each.symbol}-{each.commission_per_lot}",
)


@listed
def test_json_gives_the_instrument_back(instrument: Instrument) -> None:
    assert json.decode(json.encode(instrument), type=Instrument) == instrument


@listed
def test_the_highest_price_leaves_room_for_the_markets_of_today(
    instrument: Instrument,
) -> None:
    assert instrument.price_max > 1_000_000


@given(st.integers(0, 10), st.integers(0, 10), st.integers(1, 10**15 - 1))
def test_price_times_quantity_is_an_exact_integer(
    digits: int, quantity_digits: int, most: int
) -> None:
    step = Decimal(1).scaleb(-quantity_digits)
    try:
        instrument = replace(
            EURUSD,
            digits=digits,
            quantity_step=step,
            quantity_min=step,
            quantity_max=step * most,
        )
    except ValueError:
        assert digits + quantity_digits > DIGITS or most * 10**digits > EXACT_INTEGER
        return
    scaled = int(instrument.price_max.scaleb(digits))
    assert scaled * most <= EXACT_INTEGER
    assert instrument.price_max >= 1


@pytest.mark.parametrize(
    ("field", "hostile"),
    [
        ("symbol", ""),
        ("symbol", "EUR/USD"),
        ("symbol", "X" * 25),
        ("currency", "usd"),
        ("contract_size", "0"),
        ("contract_size", "NaN"),
        ("contract_size", "1e400"),
        ("digits", -1),
        ("digits", 9),
        ("quantity_step", "0"),
        ("quantity_min", "0.015"),
        ("quantity_min", "200"),
        ("quantity_max", "-1"),
        ("leverage", 0),
        ("leverage", 5_001),
        ("commission_per_lot", "-0.01"),
        ("swap_long", "Infinity"),
        ("sessions", []),
        ("sessions", "never"),
    ],
)
def test_a_decoder_lists_nothing_malformed(field: str, hostile: object) -> None:
    spec = json.decode(json.encode(EURUSD)) | {field: hostile}
    with pytest.raises(ValidationError):
        json.decode(json.encode(spec), type=Instrument)


def test_a_quantity_comes_in_whole_steps_between_the_bounds() -> None:
    assert EURUSD.accepts(Decimal("0.01"))
    assert EURUSD.accepts(Decimal(100))
    assert not EURUSD.accepts(Decimal("0.015"))
    assert not EURUSD.accepts(Decimal("100.01"))
    assert not EURUSD.accepts(Decimal(0))
