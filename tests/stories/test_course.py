"""What is reported from outside has its place, its own clock and its own label."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.course import (
    Course,
    Noted,
    Observation,
    ObservedClose,
    beginning,
    floors,
    see,
)
from domain.rules.flow_marks import FlowMarks
from domain.rules.inactivity import Activity, Inactivity, Since
from domain.rules.limit import Comparator, Effect, Evaluated
from domain.rules.marks import Mark
from domain.rules.phase import Phase
from domain.rules.span import Span, Unit
from domain.rules.time_limit import Start, TimeLimit
from domain.rules.trading_days import Counted, TradingDays
from domain.values.trading_day import TradingDay
from tests.stories.facts import (
    DAILY_LOSS,
    MAX_LOSS,
    MONDAY,
    TARGET,
    TRAILING,
    phase_with,
    usd,
)
from tests.stories.standings import DEPOSIT

UTC_DAY = TradingDay("UTC", "00:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = (MONDAY + DAY).replace(hour=0)
HELD = TradingDays(id="held", days=9, counted=Counted.HELD)
PLAIN = phase_with(MAX_LOSS, day=UTC_DAY)


def seen(
    sequence: int, at: datetime, equity: str | None, **other: object
) -> Observation:
    told = None if equity is None else Decimal(equity)
    return replace(Observation(sequence=sequence, at=at, equity=told), **other)


def run(phase: Phase, *observed: Observation) -> tuple[Course, list[Noted]]:
    course, notes = beginning(phase, DEPOSIT, MONDAY), list[Noted]()
    for each in observed:
        course, noted = see(course, phase, each)
        notes += noted
    return course, notes


def labels(notes: list[Noted]) -> list[str]:
    return [each.label for each in notes]


def test_it_begins_flat_with_its_deposit_before_every_tick() -> None:
    course = beginning(PLAIN, DEPOSIT, MONDAY)
    stands = course.standing
    assert (course.began, course.now, course.boundary) == (MONDAY, MONDAY, MIDNIGHT)
    assert (stands.balance, stands.equity, stands.is_flat) == (DEPOSIT, DEPOSIT, True)
    assert stands.marks.capital == Mark(DEPOSIT, 0, MONDAY)
    assert (stands.trading_days, stands.paused) == (0, frozenset())
    assert (course.currency, course.is_over) == ("USD", False)


def test_what_is_said_of_one_amount_leaves_the_other_or_moves_both() -> None:
    by_equity, _ = run(PLAIN, seen(1, MONDAY, "101000"))
    assert by_equity.standing.balance == DEPOSIT
    assert by_equity.standing.equity == usd("101000.00")
    assert not by_equity.standing.is_flat
    by_balance, _ = run(PLAIN, seen(1, MONDAY, None, balance=Decimal(99_000)))
    assert by_balance.standing.equity == usd("99000.00")
    assert by_balance.standing.is_flat


def test_it_is_flat_where_both_are_the_same_unless_it_says_otherwise() -> None:
    for equity, said, is_flat in (
        ("100000", None, True),
        ("100000.01", None, False),
        ("100000", False, False),
        ("100000.01", True, True),
    ):
        course, _ = run(PLAIN, seen(1, MONDAY, equity, flat=said))
        assert course.standing.is_flat is is_flat


def test_an_observation_without_amounts_lets_time_pass_and_judges_nothing() -> None:
    night = replace(MAX_LOSS, id="night", evaluated=Evaluated.END_OF_DAY)
    phase = phase_with(night, day=UTC_DAY)
    low = seen(1, MONDAY, "89999.99")
    course, notes = run(phase, low, seen(2, MIDNIGHT - HOUR, None))
    assert (course.now, notes) == (MIDNIGHT - HOUR, [])
    assert course.standing.equity == usd("89999.99")
    _, notes = run(phase, low, seen(2, MIDNIGHT, None))
    assert labels(notes) == ["reset@2026-01-06T00:00Z"]
    (noted,) = notes
    assert (noted.sequence, noted.at) == (2, MIDNIGHT)
    assert noted.standing.equity == usd("89999.99")


def test_not_even_a_floor_that_touches_the_deposit_is_judged_in_silence() -> None:
    """Less than half a cent may be lost: the floor is the deposit itself."""
    touched = replace(
        MAX_LOSS,
        allowance=Allowance(AmountBasis.ABSOLUTE, Decimal("0.001")),
        comparator=Comparator.AT_OR_BELOW,
    )
    phase = phase_with(touched, day=UTC_DAY)
    _, notes = run(phase, seen(1, MONDAY, None), seen(2, MONDAY, "100000"))
    assert labels(notes) == ["e2"]


def test_a_boundary_is_judged_before_what_is_reported_at_its_instant() -> None:
    limit = replace(DAILY_LOSS, id="daily", effect=Effect.PAUSE)
    low = seen(1, MONDAY, None, balance=Decimal(96_000))
    course, notes = run(
        phase_with(limit, day=UTC_DAY), low, seen(2, MIDNIGHT, "90999.99")
    )
    assert labels(notes) == ["e2"]  # 91,000 is the new day's floor
    assert course.standing.marks.day_balance == Mark(usd("96000.00"), 2, MIDNIGHT)
    assert course.boundary == MIDNIGHT + DAY


def test_an_earlier_stamp_turns_no_clock_back() -> None:
    first = seen(1, MIDNIGHT + HOUR, "100000")
    course, _ = run(PLAIN, first, seen(2, MONDAY, "99000"))
    assert course.now == MIDNIGHT + HOUR
    assert course.boundary == MIDNIGHT + DAY
    assert course.standing.marks.day_equity.amount == DEPOSIT
    assert course.standing.equity == usd("99000.00")


def test_after_the_end_amounts_carry_on_and_nothing_is_said() -> None:
    phase = phase_with(MAX_LOSS, TARGET, day=UTC_DAY)
    course, notes = run(
        phase,
        seen(1, MONDAY, "89999.99"),
        seen(2, MONDAY, "80000"),
        seen(3, MIDNIGHT, None, balance=Decimal(120_000)),
    )
    assert labels(notes) == ["e1"]
    assert (course.is_over, course.standing.equity) == (True, usd("120000.00"))


def test_a_pass_and_an_expiry_end_it_too() -> None:
    phase = phase_with(MAX_LOSS, TARGET, day=UTC_DAY)
    passed = seen(1, MONDAY, None, balance=Decimal(108_000))
    course, notes = run(phase, passed, seen(2, MONDAY, "10000"))
    assert (labels(notes), course.is_over) == (["e1"], True)
    limit = TimeLimit(id="t", after=Span(Unit.ELAPSED, 1), start=Start.ACTIVATION)
    timed = phase_with(MAX_LOSS, limit, day=UTC_DAY)
    course, notes = run(timed, seen(1, MONDAY + 9 * DAY, "10000"))
    assert labels(notes) == ["timer@2026-01-06T09:00Z"]
    assert course.is_over
    assert course.now == MONDAY + 9 * DAY


IDLE = Inactivity(
    id="idle",
    activity=Activity.OPENED,
    warn=Span(Unit.CALENDAR, 1),
    after=Span(Unit.CALENDAR, 9),
    since=Since.ACTIVITY,
)


def test_of_one_instant_the_boundary_comes_before_the_timer_and_both_before_it() -> (
    None
):
    """More than one day after Monday: Wednesday's own boundary."""
    at = MIDNIGHT + DAY
    paused = replace(MAX_LOSS, effect=Effect.PAUSE)
    phase = phase_with(paused, IDLE, day=UTC_DAY)
    _, notes = run(phase, seen(1, MONDAY, "89999.99"), seen(2, at, "89999.98"))
    assert labels(notes) == [
        "e1",
        "reset@2026-01-06T00:00Z",
        "reset@2026-01-07T00:00Z",
        "timer@2026-01-07T00:00Z",
    ]
    (idle,) = notes[-1].verdict.struck
    assert (idle.deadline.since, idle.deadline.days) == (MONDAY, 1)
    assert notes[-1].standing.record.has_warned("idle", MONDAY)


def test_a_timer_waits_for_its_instant_and_is_told_once() -> None:
    phase = phase_with(MAX_LOSS, IDLE, day=UTC_DAY)
    before = MIDNIGHT + DAY - timedelta(microseconds=1)
    _, notes = run(phase, seen(1, before, "100000"))
    assert notes == []
    _, notes = run(phase, *(seen(n, before + n * HOUR, "100000") for n in (1, 2, 3)))
    assert labels(notes) == ["timer@2026-01-07T00:00Z"]


def flowing(sequence: int, flow: int, **other: object) -> Observation:
    told = Observation(sequence=sequence, at=MONDAY + HOUR, flow=Decimal(flow))
    return replace(told, **other)


def test_a_flow_moves_both_amounts_and_what_is_open_stays_open() -> None:
    phase = phase_with(TRAILING, DAILY_LOSS, day=UTC_DAY)
    held = seen(1, MONDAY, "103000", balance=Decimal(101_000))
    course, notes = run(phase, held, flowing(2, -1_000))
    stands = course.standing
    assert (stands.balance, stands.equity) == (usd("100000.00"), usd("102000.00"))
    assert not stands.is_flat
    assert stands.marks.peak_equity.amount == usd("102000.00")
    assert stands.marks.capital.amount == usd("99000.00")
    assert notes == []


def test_marks_that_a_flow_resets_stand_since_then() -> None:
    reset = replace(TRAILING, flow_marks=FlowMarks.RESET)
    held = seen(1, MONDAY, "103000", balance=Decimal(101_000))
    course, _ = run(phase_with(reset, day=UTC_DAY), held, flowing(2, -1_000))
    at = MONDAY + HOUR
    assert course.standing.marks.peak_balance == Mark(DEPOSIT, 2, at)
    assert course.standing.marks.peak_equity == Mark(usd("102000.00"), 2, at)


def test_amounts_that_come_with_a_flow_are_those_after_it() -> None:
    phase = phase_with(MAX_LOSS, HELD, day=UTC_DAY)
    course, _ = run(phase, flowing(1, -1_000, balance=Decimal(99_500)))
    assert course.standing.balance == usd("99500.00")
    assert course.standing.record.today.booked == usd("500.00")  # beside the flow


def test_what_stands_after_a_flow_is_judged_at_its_instant() -> None:
    _, notes = run(PLAIN, seen(1, MONDAY, "95000"), flowing(2, -5_001))
    (noted,) = notes
    assert (noted.label, noted.at) == ("e2", MONDAY + HOUR)
    (breach,) = noted.verdict.breaches
    assert breach.observed == usd("89999.00")


def closing(opened_at: datetime, profit: int, result: int | None) -> ObservedClose:
    told = None if result is None else Decimal(result)
    return ObservedClose(opened_at=opened_at, profit=Decimal(profit), result=told)


def closed(
    sequence: int, at: datetime, balance: int, *closes: ObservedClose
) -> Observation:
    return Observation(
        sequence=sequence, at=at, balance=Decimal(balance), closed=closes
    )


def opening(sequence: int, at: datetime, balance: int = 100_000) -> Observation:
    return Observation(sequence=sequence, at=at, balance=Decimal(balance), opened=True)


def test_a_trade_opened_at_the_very_boundary_belongs_to_the_new_day() -> None:
    phase = phase_with(HELD, day=UTC_DAY)
    course, _ = run(
        phase,
        opening(1, MIDNIGHT),
        seen(2, MIDNIGHT + DAY, None),
        closed(3, MIDNIGHT + DAY, 100_300, closing(MIDNIGHT, 300, 300)),
    )
    (tuesday,) = course.standing.record.before
    assert (tuesday.began, tuesday.completed) == (MIDNIGHT, True)
    assert (str(tuesday.earned.amount), str(tuesday.booked.amount)) == (
        "300.00",
        "0.00",
    )
    assert str(course.standing.record.today.booked.amount) == "300.00"


def test_what_no_close_has_brought_was_booked_beside_on_its_day() -> None:
    course, _ = run(
        phase_with(HELD, day=UTC_DAY),
        opening(1, MONDAY, 99_993),  # a commission of 7
        closed(2, MONDAY + HOUR, 100_193, closing(MONDAY, 205, None)),
    )
    today = course.standing.record.today
    assert (str(today.booked.amount), str(today.earned.amount)) == ("193.00", "193.00")
    assert (today.opened, today.closed, today.completed) == (True, True, False)
    assert course.standing.record.last_close == MONDAY + HOUR
    assert course.standing.trading_days == 1


@pytest.mark.parametrize(
    "opened_at",
    [
        MONDAY - HOUR,  # before the account
        MIDNIGHT + HOUR,  # a day on which nothing was
    ],
)
def test_what_was_never_opened_cannot_be_closed(opened_at: datetime) -> None:
    phase = phase_with(HELD, day=UTC_DAY)
    at = MIDNIGHT + DAY + HOUR
    before = (opening(1, MONDAY), closed(2, MIDNIGHT + HOUR, 100_100), opening(3, at))
    told = closed(4, at, 100_300, closing(opened_at, 300, 300))
    with pytest.raises(ValueError, match="nothing was opened"):
        run(phase, *before, told)
    run(phase, *before, closed(4, at, 100_300, closing(MONDAY, 300, 300)))


def test_days_with_an_opening_are_counted_once_each() -> None:
    course, _ = run(
        PLAIN,
        opening(1, MONDAY),
        opening(2, MONDAY + HOUR),
        seen(3, MIDNIGHT, "100000"),
        opening(4, MIDNIGHT + DAY),
    )
    assert course.standing.trading_days == 2
    assert {str(day) for day in course.days} == {"2026-01-05", "2026-01-07"}


def test_every_limit_has_a_floor_whenever_it_is_judged() -> None:
    night = replace(DAILY_LOSS, id="night", evaluated=Evaluated.END_OF_DAY)
    phase = phase_with(MAX_LOSS, night, TARGET, day=UTC_DAY)
    course, _ = run(phase)
    assert floors(course, phase) == {
        "max": usd("90000.00"),
        "night": usd("95000.00"),
    }
