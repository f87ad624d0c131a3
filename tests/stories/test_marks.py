"""Each mark rises by itself, and keeps the first tick at which it stood so high."""

from datetime import timedelta

import pytest
from msgspec.structs import fields, replace

from domain.rules.flow_marks import FlowMarks
from domain.rules.marks import ANCHORS, HIGHEST, Mark, Marks, higher
from domain.values.money import Money
from tests.stories.facts import MONDAY, usd

LATER = MONDAY + timedelta(hours=1)
DEPOSIT = Mark(usd("1000.00"), 0, MONDAY)
OPENING = Marks.at_opening(DEPOSIT)
# All different, so that no mark can be taken for another.
APART = Marks(
    **{
        each.name: Mark(usd(f"{1_000 + 10 * place}.00"), place, MONDAY)
        for place, each in enumerate(fields(Marks))
    }
)


def raised(marks: Marks, balance: str, equity: str, *, is_flat: bool) -> set[str]:
    """Which marks moved, each to the balance or the equity, its tick and instant."""
    after = marks.raised(usd(balance), usd(equity), 7, LATER, is_flat=is_flat)
    stood = {
        name: Mark(
            usd(balance if "balance" in name or "flat" in name else equity), 7, LATER
        )
        for name in names()
    }
    rose = {name for name in names() if getattr(after, name) != getattr(marks, name)}
    assert all(getattr(after, name) == stood[name] for name in rose)
    return rose


def names() -> list[str]:
    return [each.name for each in fields(Marks)]


def test_on_the_first_day_every_mark_is_the_deposit() -> None:
    assert {getattr(OPENING, name) for name in names()} == {DEPOSIT}


EQUITIES = {"day_peak_equity", "week_peak_equity", "peak_equity"}


@pytest.mark.parametrize(
    ("balance", "equity", "is_flat", "rise"),
    [
        ("1000.01", "1000.01", True, {"peak_balance", "peak_flat"} | EQUITIES),
        ("1000.01", "1000.01", False, {"peak_balance"} | EQUITIES),
        ("1000.01", "1000.00", False, {"peak_balance"}),
        ("1000.01", "1000.00", True, {"peak_balance", "peak_flat"}),
        ("1000.00", "1000.01", False, EQUITIES),
        ("1000.00", "1000.00", True, set()),
        ("999.99", "999.99", True, set()),
    ],
)
def test_a_cent_more_raises_what_looks_at_it(
    balance: str, equity: str, rise: set[str], *, is_flat: bool
) -> None:
    assert raised(OPENING, balance, equity, is_flat=is_flat) == rise


@pytest.mark.parametrize("name", sorted({"peak_balance", "peak_flat", *EQUITIES}))
def test_each_mark_rises_by_itself(name: str) -> None:
    """All others stand where this instant does not reach them."""
    high = replace(DEPOSIT, amount=usd("2000.00"))
    marks = replace(Marks.at_opening(high), **{name: DEPOSIT})
    wanted = {name} if name != "week_peak_equity" else set()  # its day stood higher
    assert raised(marks, "1500.00", "1500.00", is_flat=True) == wanted


def test_what_raises_nothing_gives_the_same_marks_back() -> None:
    same = OPENING.raised(usd("1000.00"), usd("1000.00"), 7, LATER, is_flat=True)
    assert same is OPENING


def test_a_boundary_anchors_the_day_and_raises_the_closes() -> None:
    balance, equity = Mark(usd("5000.00"), 7, LATER), Mark(usd("6000.00"), 7, LATER)
    turned = APART.turned(balance, equity)
    assert turned == replace(
        APART,
        day_balance=balance,
        day_equity=equity,
        day_peak_equity=equity,
        close_balance=balance,
        close_equity=equity,
    )
    low = Mark(usd("1.00"), 8, LATER)
    assert turned.turned(low, low) == replace(
        turned, day_balance=low, day_equity=low, day_peak_equity=low
    )


def test_a_week_begins_with_what_anchors_its_first_day() -> None:
    assert APART.week_turned() == replace(
        APART,
        week_balance=APART.day_balance,
        week_equity=APART.day_equity,
        week_peak_equity=APART.day_equity,
    )


@pytest.mark.parametrize("how", list(FlowMarks))
def test_a_flow_moves_every_anchor_and_the_highest_as_the_terms_say(
    how: FlowMarks,
) -> None:
    once = APART.flowed(usd("-5.00"), how, 7, LATER)
    twice = once.flowed(usd("2.00"), how, 8, LATER)
    assert set(ANCHORS) | set(HIGHEST) | {"deposit"} == set(names())
    assert once.deposit == twice.deposit == APART.deposit
    for name in ANCHORS:
        assert getattr(once, name) == moved(name, "-5.00")
        assert getattr(twice, name) == moved(name, "-3.00")
    for name in HIGHEST:
        after = {
            FlowMarks.SHIFT: moved(name, "-3.00"),
            FlowMarks.RESET: Mark(APART.deposit.amount, 8, LATER),
            FlowMarks.KEEP: getattr(APART, name),
        }
        assert getattr(twice, name) == after[how]


def moved(name: str, flow: str) -> Mark:
    """Its tick and its instant are those at which it first stood."""
    mark: Mark = getattr(APART, name)
    return replace(mark, amount=mark.amount + usd(flow), moved=usd(flow))


def test_another_deposit_is_a_flow_of_the_difference() -> None:
    scaled = APART.scaled(usd("1500.00"), FlowMarks.KEEP, 7, LATER)
    assert scaled.deposit == Mark(usd("1500.00"), 7, LATER)
    assert scaled.day_balance == moved("day_balance", "500.00")
    assert scaled.capital == moved("capital", "500.00")
    assert scaled.peak_equity == APART.peak_equity
    reset = APART.scaled(usd("1500.00"), FlowMarks.RESET, 7, LATER)
    assert reset.peak_equity == Mark(usd("1500.00"), 7, LATER)


def test_the_higher_of_two_is_the_first_where_they_are_equal() -> None:
    first, second = DEPOSIT, Mark(DEPOSIT.amount, 9, LATER)
    assert higher(first, second) is first
    more = Mark(Money.parse("1000.01", "USD"), 9, LATER)
    assert higher(first, more) is more
    assert higher(more, first) is more
