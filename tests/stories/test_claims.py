"""A line of arithmetic comes out to the cent, or says that it was rounded."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.claims import allowed, equals, in_cents, share, signed
from tests.stories.facts import TRAILING, usd

DEPOSIT, MARK = usd("100000.00"), usd("108000.00")


@pytest.mark.parametrize(
    ("basis", "value", "lines"),
    [
        (AmountBasis.SHARE_OF_DEPOSIT, "5", ["100000.00 x 5 % = 5000.00"]),
        (AmountBasis.SHARE_OF_ANCHOR, "5", ["108000.00 x 5 % = 5400.00"]),
        (AmountBasis.ABSOLUTE, "5000", []),
        (
            AmountBasis.ABSOLUTE,
            "100.005",
            ["100.005 = 100.00, rounded half to even to 0.01"],
        ),
        (
            AmountBasis.SHARE_OF_ANCHOR,
            "0.00001",
            ["108000.00 x 0.00001 % = 0.01, rounded half to even to 0.01"],
        ),
    ],
)
def test_an_allowance_says_what_it_is_a_share_of(
    basis: AmountBasis, value: str, lines: list[str]
) -> None:
    assert list(allowed(Allowance(basis, Decimal(value)), DEPOSIT, MARK)) == lines


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("0.00", " + 0.00"),
        ("0.50", " + 0.50"),
        ("-0.01", " - 0.01"),
        ("-250.00", " - 250.00"),
    ],
)
def test_what_is_below_zero_is_taken_away(amount: str, told: str) -> None:
    assert signed(Decimal(amount)) == told


def test_a_share_and_a_sum_are_written_as_they_are_computed() -> None:
    assert share(DEPOSIT, Decimal("2.5"), usd("2500.00")) == (
        "100000.00 x 2.5 % = 2500.00"
    )
    assert list(in_cents(Decimal("2500.00"), usd("2500.00"))) == []
    assert equals("1 + 1", Decimal(2), usd("2.00"), " %") == "1 + 1 = 2.00 %"


@pytest.mark.parametrize(
    ("lock", "hung", "lines"),
    [
        (
            "0",
            "98000.00",
            [
                "100000.00 + 0.00 = 100000.00",
                "min(98000.00, 100000.00) = 98000.00",
            ],
        ),
        (
            "-250",
            "103400.00",
            [
                "100000.00 - 250.00 = 99750.00",
                "min(103400.00, 99750.00) = 99750.00",
            ],
        ),
        (
            "100.005",
            "103400.00",
            [
                "100.005 = 100.00, rounded half to even to 0.01",
                "100000.00 + 100.00 = 100100.00",
                "min(103400.00, 100100.00) = 100100.00",
            ],
        ),
    ],
)
def test_a_lock_says_where_the_floor_stops(
    lock: str, hung: str, lines: list[str]
) -> None:
    locked = replace(TRAILING, lock=Decimal(lock))
    assert locked.is_locked
    assert list(locked.lock_claims(usd(hung), DEPOSIT)) == lines
    assert not TRAILING.is_locked
