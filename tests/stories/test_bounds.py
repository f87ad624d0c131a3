"""What may be written down: allowed at the very bound, refused one step beyond."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from domain.rules.allocation_cap import AllocationCap
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.capped_days import CappedDays, DayOf
from domain.rules.consistency import Best, Consequence, Consistency, Excess, Whole
from domain.rules.flow_marks import FlowMarks
from domain.rules.inactivity import Activity, Inactivity, Since
from domain.rules.max_loss import Follows, MaxLoss, Mode
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import Phase
from domain.rules.profit_target import Basis
from domain.rules.span import Span, Unit
from domain.rules.sticky_target import StickyTarget
from domain.rules.terms import ADJUDICATOR, Terms
from domain.rules.trading_days import Counted, TradingDays
from domain.rules.trading_terms import (
    HOUSE_STANDARD,
    Latency,
    Slippage,
    TradingTerms,
)
from domain.values import trading_day
from domain.values.exact import exact, plain, positive, product, quotient_up
from domain.values.money import Money
from domain.values.trading_day import TradingDay, Weekday
from tests.stories.facts import MAX_LOSS, TARGET, TRAILING, phase_with
from tests.stories.test_weekly_loss import WEEKLY

SHARE = Consistency(
    id="rule",
    best=Best.CLOSING_DAY,
    whole=Whole.NET,
    percent=Decimal(100),
    excess=Excess.ABOVE,
    consequence=Consequence.RAISES_TARGET,
)
CAPPED = CappedDays(id="capped", percent=Decimal(100), counted=DayOf.CLOSING)
CAP = AllocationCap(id="cap", cap=Decimal("0.01"), accounts=1)
IDLE = Inactivity(
    id="idle",
    activity=Activity.OPENED,
    warn=Span(Unit.ELAPSED, 1),
    after=Span(Unit.ELAPSED, 2),
    since=Since.ACTIVITY,
)
STICKY = StickyTarget(
    id="sticky", percent=Decimal(8), basis=Basis.CLOSED, needs_flat=True
)
LONGEST = 3_660
NAME = "n" * 64


def named(*names: str) -> tuple[MinimumDays, ...]:
    return tuple(MinimumDays(id=name, days=1) for name in names)


def sold(*names: str, currency: str = "USD") -> Terms:
    phases = tuple(replace(phase_with(), name=name) for name in names)
    return Terms(adjudicator=ADJUDICATOR, currency=currency, phases=phases)


def trailing(name: str, how: FlowMarks) -> MaxLoss:
    return replace(TRAILING, id=name, flow_marks=how)


def trading(**other: object) -> TradingTerms:
    return replace(HOUSE_STANDARD, **other)


def told(kind: type[Any], **members: object) -> Any:
    return msgspec.convert(members, kind)


def stale(seconds: int) -> Any:
    known = msgspec.to_builtins(HOUSE_STANDARD) | {"conversion_stale_after": seconds}
    return told(TradingTerms, **known)


ALLOWED: list[Callable[[], Any]] = [
    lambda: MinimumDays(id="days", days=LONGEST),
    lambda: TradingDays(id="days", days=LONGEST, counted=Counted.HELD),
    lambda: Span(Unit.ELAPSED, 1),
    lambda: Span(Unit.ELAPSED, LONGEST),
    lambda: replace(SHARE, percent=Decimal("0.01")),
    lambda: replace(SHARE, whole=Whole.POSITIVE, consequence=Consequence.BLOCKS_PASS),
    lambda: replace(CAP, accounts=None),
    lambda: replace(TRAILING, lock=Decimal("-250.5")),
    lambda: replace(IDLE, warn=None),
    lambda: replace(IDLE, since=Since.WARNING, after=Span(Unit.ELAPSED, 1)),
    lambda: sold(*map(str, range(20))),
    lambda: phase_with(*named(*map(str, range(50)))),
    lambda: replace(phase_with(*named(NAME)), name=NAME),
    lambda: phase_with(WEEKLY, replace(WEEKLY, id="other")),
    lambda: replace(TARGET, percent=Decimal("0.0000000001")),
    lambda: trading(margin_call=Decimal(1_000), stop_out=Decimal(1_000)),
    lambda: trading(margin_call=Decimal(0), stop_out=Decimal(0)),
    lambda: told(Slippage, seed=0, weights=[1_000_000, 0]),
    lambda: told(Slippage, seed=2**32, weights=[0] * 100 + [1]),
    lambda: told(Slippage, seed=1, weights=[1]),
    lambda: told(Latency, seed=1, at_least=0, at_most=0),
    lambda: told(Latency, seed=1, at_least=60_000, at_most=60_000),
    lambda: stale(1),
    lambda: stale(604_800),
    lambda: phase_with(TRAILING, trailing("b", FlowMarks.SHIFT)),
    lambda: phase_with(trailing("a", FlowMarks.KEEP), trailing("b", FlowMarks.KEEP)),
    lambda: phase_with(MAX_LOSS, trailing("a", FlowMarks.RESET)),
    lambda: phase_with(STICKY, TRAILING),
    lambda: phase_with(TARGET, trailing("a", FlowMarks.RESET)),
]
REFUSED: list[Callable[[], Any]] = [
    lambda: MinimumDays(id="days", days=0),
    lambda: MinimumDays(id="days", days=LONGEST + 1),
    lambda: TradingDays(id="days", days=0, counted=Counted.HELD),
    lambda: Allowance(AmountBasis.ABSOLUTE, Decimal(0)),
    lambda: replace(SHARE, percent=Decimal("100.01")),
    lambda: replace(SHARE, whole=Whole.POSITIVE),
    lambda: replace(CAPPED, percent=Decimal("100.01")),
    lambda: replace(CAPPED, percent=Decimal(0)),
    lambda: replace(CAP, accounts=0),
    lambda: replace(CAP, cap=Decimal(0)),
    lambda: replace(TRAILING, lock=Decimal("NaN")),
    lambda: replace(TRAILING, follows=None),
    lambda: replace(MAX_LOSS, follows=Follows.EQUITY),
    lambda: replace(TRAILING, mode=Mode.STATIC),
    lambda: replace(IDLE, after=Span(Unit.ELAPSED, 1)),
    lambda: replace(IDLE, warn=None, since=Since.WARNING),
    lambda: replace(TARGET, percent=Decimal(0)),
    lambda: replace(STICKY, percent=Decimal(0)),
    lambda: replace(STICKY, basis=Basis.EQUITY),
    sold,
    lambda: sold(*map(str, range(21))),
    lambda: sold("one", "one"),
    lambda: sold("one", currency="XXX"),
    lambda: phase_with(*named(*map(str, range(51)))),
    lambda: replace(phase_with(), name=NAME + "n"),
    lambda: phase_with(*named(NAME + "n")),
    lambda: phase_with(*named("")),
    lambda: phase_with(*named("-a")),
    lambda: phase_with(*named("a", "a")),
    lambda: phase_with(WEEKLY, replace(WEEKLY, id="other", week=Weekday.FRIDAY)),
    lambda: trading(margin_call=Decimal("1000.01")),
    lambda: trading(stop_out=Decimal("-0.01")),
    lambda: trading(margin_call=Decimal("NaN")),
    lambda: trading(margin_call=Decimal("49.99")),
    lambda: told(Slippage, seed=2**32 + 1, weights=[1]),
    lambda: told(Slippage, seed=-1, weights=[1]),
    lambda: told(Slippage, seed=1, weights=[]),
    lambda: told(Slippage, seed=1, weights=[0, 0]),
    lambda: told(Slippage, seed=1, weights=[0] * 101 + [1]),
    lambda: told(Slippage, seed=1, weights=[1_000_001]),
    lambda: told(Slippage, seed=1, weights=[-1, 2]),
    lambda: told(Slippage, seed=1, weights=[1], more=1),
    lambda: told(Latency, seed=1, at_least=1, at_most=0),
    lambda: told(Latency, seed=1, at_least=-1, at_most=0),
    lambda: told(Latency, seed=1, at_least=0, at_most=60_001),
    lambda: told(Latency, seed=1, at_least=0, at_most=0, more=1),
    lambda: stale(0),
    lambda: stale(604_801),
    lambda: phase_with(TRAILING, trailing("b", FlowMarks.KEEP)),
    lambda: phase_with(trailing("a", FlowMarks.KEEP), trailing("b", FlowMarks.RESET)),
    lambda: phase_with(STICKY, trailing("a", FlowMarks.KEEP)),
    lambda: phase_with(MAX_LOSS, STICKY, trailing("a", FlowMarks.RESET)),
    lambda: told(TradingTerms, **msgspec.to_builtins(HOUSE_STANDARD), more=1),
]


@pytest.mark.parametrize("make", ALLOWED)
def test_at_the_bound_it_is_allowed(make: Callable[[], Any]) -> None:
    assert make() is not None


@pytest.mark.parametrize("make", REFUSED)
def test_beyond_the_bound_it_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        make()


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("9" * 15, True),
        ("9" * 16, False),
        ("0." + "9" * 10, True),
        ("0." + "9" * 11, False),
        ("-1.5", True),
        ("0", True),
    ],
)
def test_numbers_from_outside_have_fifteen_digits_and_ten_decimals(
    text: str, *, is_plain: bool
) -> None:
    for read in (exact, lambda told: plain(Decimal(told))):
        if is_plain:
            read(text)
        else:
            with pytest.raises(ValueError, match="number"):
                read(text)


def test_a_decoded_number_has_no_exponent() -> None:
    plain(Decimal("1E+0"))
    with pytest.raises(ValueError, match="bounded"):
        plain(Decimal("1E+1"))


def test_more_than_nothing_is_positive() -> None:
    positive(Decimal("0.0000000001"))
    for wrong in ("0", "-0.01", "NaN"):
        with pytest.raises(ValueError, match="number"):
            positive(Decimal(wrong))


def test_a_quotient_is_whole_units_and_never_too_small() -> None:
    cent = Decimal("0.01")
    assert quotient_up(Decimal(200_000), Decimal(15), cent) == Decimal("13333.34")
    assert quotient_up(Decimal(150_000), Decimal(40), cent) == Decimal(3_750)
    assert quotient_up(Decimal(1), Decimal(3), Decimal(1)) == 1
    assert quotient_up(Decimal(0), Decimal(3), cent) == 0


def test_a_product_of_the_longest_numbers_is_exact() -> None:
    longest = Decimal("999999999999999.9999999999")
    assert product(longest, longest) == Decimal(
        "999999999999999999999999800000.00000000000000000001"
    )


def test_so_is_one_of_four_of_them() -> None:
    longest = Decimal("999999999999999.9999999999")
    of_two = product(longest, longest)
    whole = product(of_two, of_two)
    assert len(whole.as_tuple().digits) == 100
    assert whole == Decimal(int(longest.scaleb(10)) ** 4).scaleb(-40, Context(prec=100))


def test_a_phase_moves_its_marks_as_its_trailing_floors_say() -> None:
    keeping = trailing("a", FlowMarks.KEEP)
    for rules, how in (
        ((), FlowMarks.SHIFT),
        ((MAX_LOSS,), FlowMarks.SHIFT),
        ((TRAILING,), FlowMarks.SHIFT),
        ((MAX_LOSS, keeping), FlowMarks.KEEP),
    ):
        assert phase_with(*rules).flow_marks is how
    assert phase_with(MAX_LOSS, TARGET, TRAILING, WEEKLY).trailing == (
        (TRAILING, FlowMarks.SHIFT),
    )


def test_money_has_fifteen_digits_and_the_decimals_of_its_currency() -> None:
    assert Money(Decimal("999999999999999.99"), "USD").amount > 0
    assert Money(Decimal(999_999_999_999_999), "JPY").amount > 0
    for amount, currency in (
        ("1000000000000000.00", "USD"),
        ("1000000000000000", "JPY"),
        ("1.0", "USD"),
        ("1.000", "USD"),
        ("1.00", "JPY"),
        ("1.00", "XXX"),
    ):
        with pytest.raises(ValueError, match=r"minor|currency"):
            Money(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.005", "USD", "0.00"),
        ("0.015", "USD", "0.02"),
        ("0.025", "USD", "0.02"),
        ("0.0251", "USD", "0.03"),
        ("-0.004", "USD", "0.00"),
        ("-0.015", "USD", "-0.02"),
        ("0.5", "JPY", "0"),
        ("1.5", "JPY", "2"),
    ],
)
def test_half_a_minor_unit_goes_to_the_even_one(
    amount: str, currency: str, rounded: str
) -> None:
    assert str(Money.rounded(Decimal(amount), currency).amount) == rounded


def test_text_finer_than_the_minor_unit_is_no_money() -> None:
    assert Money.parse("1.50", "USD") == Money.parse("1.5", "USD")
    with pytest.raises(ValueError, match="finer"):
        Money.parse("1.505", "USD")


def test_what_ends_before_noon_is_called_after_the_day_on_which_it_opens() -> None:
    monday = date(2026, 1, 5)
    assert TradingDay("UTC", "11:59").weekday(monday) is Weekday.MONDAY
    assert TradingDay("UTC", "12:00").weekday(monday) is Weekday.TUESDAY


def test_a_week_begins_at_one_boundary_of_seven() -> None:
    for turns_at, first in (("00:00", 5), ("11:59", 5), ("12:00", 4), ("17:00", 4)):
        days = TradingDay("UTC", turns_at)
        sunday = days.opens(date(2026, 1, 4))
        began = [
            boundary.day
            for boundary in (sunday + timedelta(days=n) for n in range(-2, 7))
            if days.begins_week(boundary, Weekday.MONDAY)
        ]
        assert began == [first], turns_at


def test_the_week_of_a_left_out_day_begins_with_the_next() -> None:
    """Samoa had no 30 December 2011, a Friday."""
    days = TradingDay("Pacific/Apia", "00:00")
    leap = datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert days.day_of(leap) == date(2011, 12, 31)
    assert days.begins_week(leap, Weekday.FRIDAY)
    assert not days.begins_week(leap + timedelta(days=1), Weekday.FRIDAY)


def test_an_unknown_term_is_refused_in_every_rule() -> None:
    for rule in (MAX_LOSS, WEEKLY, TARGET, SHARE, CAPPED, CAP, IDLE, *named("a")):
        written = msgspec.to_builtins(rule)
        assert msgspec.convert(written, type(rule)) == rule
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(written | {"more": 1}, type(rule))
    written = msgspec.to_builtins(phase_with(MAX_LOSS))
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(written | {"more": 1}, Phase)


def test_a_day_is_found_anew_wherever_the_last_answer_ends() -> None:
    """Days asked for in any order, by two clocks in turn, at their very edges."""
    prague, utc = TradingDay("Europe/Prague", "00:00"), TradingDay("UTC", "00:00")
    opens, instant = datetime(2026, 1, 4, 23, tzinfo=UTC), timedelta(microseconds=1)
    day = timedelta(days=1)
    for at, name in (
        (opens, 5),
        (opens + day - instant, 5),
        (opens + day, 6),
        (opens + day - instant, 5),
        (opens - instant, 4),
        (opens, 5),
    ):
        assert prague.day_of(at).day == name
        assert prague.next_after(at) == prague.opens(date(2026, 1, name + 1))
        assert utc.day_of(at).day == at.day


def test_of_so_many_clocks_the_last_answers_are_kept_and_no_more() -> None:
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    trading_day.LAST.clear()
    for minute in range(1_024):
        clock = TradingDay("UTC", f"{minute // 60:02}:{minute % 60:02}")
        assert clock.day_of(noon) == clock.day_of(noon)
    assert len(trading_day.LAST) == 1_024
    TradingDay("UTC", "23:59").day_of(noon)
    assert len(trading_day.LAST) == 1
