"""No text becomes money by accident, and no cent is lost between two amounts."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import ValidationError, json

from domain.values.exact import exact
from domain.values.money import MINOR_UNIT, CurrencyMismatch, Money

HOSTILE = [
    *("NaN", "sNaN", "-Infinity", "1e9", "1E+400000", "1_0", "+1", "--1", "0x10"),
    *(" 1", "1\n", "1 ", "", "-", ".", "1.", ".5", "1,5", "1.5.5"),
    *("0.001", "٣", "\uff11", "1\u00a0000", "9" * 16, "9" * 5_000, "0." + "0" * 5_000),
]  # fmt: skip
cents = st.integers(-(10**14), 10**14).map(lambda n: Decimal(n).scaleb(-2))
amounts = cents.map(lambda amount: Money.rounded(amount, "USD"))
anything = st.decimals(-(10**12), 10**12, places=9)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"decimal|minor"):
        Money.parse(text, "USD")


@pytest.mark.parametrize("currency", ["usd", "", "XXX", "US", "USDT", "€"])
def test_a_currency_that_we_do_not_keep_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match="currency"):
        Money.parse("1", currency)


@pytest.mark.parametrize("amount", ["NaN", "1e20", "0.001", "1000000000000000.00", "1"])
def test_a_decoder_lets_no_malformed_money_in(amount: str) -> None:
    with pytest.raises(ValidationError):
        json.decode(json.encode({"amount": amount, "currency": "USD"}), type=Money)


@given(st.text("0123456789.-+eE_ ٣", max_size=20))
def test_what_is_read_is_what_was_written(text: str) -> None:
    try:
        money = Money.parse(text, "USD")
    except ValueError:
        return
    assert text.isascii()
    assert money.amount == Decimal(text)
    assert json.decode(json.encode(money), type=Money) == money


@given(amounts, amounts)
def test_adding_and_taking_away_is_exact(first: Money, second: Money) -> None:
    assert (first + second) - second == first
    assert (first + second).amount == first.amount + second.amount
    assert first + second == second + first
    assert (first < second) == (first.amount < second.amount)


@given(anything, st.sampled_from(sorted(MINOR_UNIT)))
def test_rounding_moves_by_half_a_minor_unit_at_most_and_ties_to_even(
    number: Decimal, currency: str
) -> None:
    unit, rounded = MINOR_UNIT[currency], Money.rounded(number, currency).amount
    assert abs(rounded - number) * 2 <= unit
    if abs(rounded - number) * 2 == unit:
        assert (rounded / unit) % 2 == 0
    assert not (rounded == 0 and rounded.is_signed())


@given(amounts, st.decimals(0, 1, places=6))
def test_a_portion_is_rounded_once(money: Money, share: Decimal) -> None:
    wanted = (money.amount * share).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    assert money.portion(share).amount == wanted


@given(amounts)
def test_two_currencies_never_meet(money: Money) -> None:
    euro = Money(money.amount, "EUR")
    for meet in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(CurrencyMismatch):
            meet(money, euro)


@given(st.from_regex(r"-?[0-9]{1,15}(\.[0-9]{1,10})?", fullmatch=True))
def test_plain_digits_are_read_exactly(text: str) -> None:
    if text.isascii():
        assert exact(text) == Decimal(text)
