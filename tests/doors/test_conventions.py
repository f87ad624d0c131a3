"""Keys, positions, cursors, numbers and times are read strictly and written one way."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from litestar.testing import RequestFactory

from api.conventions import (
    DecimalText,
    Instant,
    Position,
    PositiveText,
    command_id,
    cursor_of,
    idempotency_key,
    place_of,
    position,
    utc,
)
from api.problems import Problem
from domain.values.exact import exact

ODD_NUMBERS = (
    "", " 1", "1 ", "1\n", "+1", ".5", "1.", "1e3", "1E400", "1_000", "0x10",
    "NaN", "Infinity", "-Infinity", "٣", "1,5", "--1", "1" * 16,
    "1.12345678901",
)  # fmt: skip


@pytest.mark.parametrize("text", ODD_NUMBERS)
def test_odd_numbers_are_refused_alike_at_the_door_and_inside(text: str) -> None:
    for kind in (DecimalText, PositiveText):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(text, kind)
    with pytest.raises(ValueError, match="plain decimal"):
        exact(text)


@pytest.mark.parametrize("text", ["0", "-1", "1.50", "-0.0000000001", "9" * 15])
def test_plain_numbers_pass(text: str) -> None:
    assert str(msgspec.convert(text, DecimalText)) == text
    exact(text)


@pytest.mark.parametrize("text", ["0", "0.00", "-1", "-0"])
def test_nothing_and_less_is_not_positive(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, PositiveText)


def test_a_time_needs_its_zone() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert("2026-01-05T09:00:00", Instant)


def test_times_are_written_in_utc_with_microseconds() -> None:
    noon = datetime(2026, 1, 5, 12, tzinfo=timezone(timedelta(hours=3)))
    assert utc(noon) == "2026-01-05T09:00:00.000000Z"
    assert datetime.fromisoformat(utc(noon)) == noon.astimezone(UTC)


def test_a_position_is_read_as_it_is_written() -> None:
    assert position("p1-1234") == Position("p1", 1234)
    assert str(Position("p1", 1234)) == "p1-1234"


@pytest.mark.parametrize("text", ["", "p1", "p1-", "p1--1", "1-1", "p1-01", "p1-1\n"])
def test_other_positions_are_refused(text: str) -> None:
    with pytest.raises(Problem):
        position(text)


def test_a_cursor_brings_back_its_place() -> None:
    assert place_of(cursor_of("p1", 7), tuple[str, int]) == ("p1", 7)


@pytest.mark.parametrize("cursor", ["", "!", "é", "W10", cursor_of(7), cursor_of("a")])
def test_other_cursors_are_refused(cursor: str) -> None:
    with pytest.raises(Problem):
        place_of(cursor, tuple[str, int])


def request(**headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RequestFactory().post("/", headers=named)


def test_a_key_is_visible_ascii() -> None:
    assert idempotency_key(request()) is None
    assert idempotency_key(request(idempotency_key="a" * 128)) == "a" * 128


@pytest.mark.parametrize("key", ["", "a" * 129, "a b", "a\tb", "é"])
def test_other_keys_are_refused(key: str) -> None:
    with pytest.raises(Problem):
        idempotency_key(request(idempotency_key=key))


def test_a_command_is_known_by_caller_method_path_and_key() -> None:
    asked = ("caller", "POST", "/api/v1/trades", "key")
    assert command_id(*asked) == command_id(*asked)
    others = {
        command_id("another", *asked[1:]),
        command_id(asked[0], "PATCH", *asked[2:]),
        command_id(*asked[:2], "/api/v1/orders", asked[3]),
        command_id(*asked[:3], "another"),
    }
    assert len(others | {command_id(*asked)}) == 5


def test_without_a_key_no_command_repeats_another() -> None:
    asked = ("caller", "POST", "/api/v1/trades", None)
    assert command_id(*asked) != command_id(*asked)
