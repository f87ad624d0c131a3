"""What is said of one instant and of one boundary, in which order, and what stays."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.rules.adjudicate import (
    NOTHING,
    Verdict,
    at_boundary,
    at_deadline,
    at_instant,
    floors,
    judge,
    next_deadline,
    raised,
    warned,
)
from domain.rules.allocation_cap import AllocationCap
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.asked import Asked, asked
from domain.rules.capped_days import CappedDays, DayOf
from domain.rules.daily_loss import DayAnchor
from domain.rules.inactivity import Activity, Inactivity, Since
from domain.rules.limit import Comparator, Effect, Evaluated
from domain.rules.marks import Mark
from domain.rules.phase import Rule
from domain.rules.profit_target import Basis
from domain.rules.record import Record
from domain.rules.span import Span, Unit
from domain.rules.time_limit import Start, TimeLimit
from tests.stories.facts import (
    DAILY_LOSS,
    DAILY_PAUSE,
    MAX_LOSS,
    MONDAY,
    PRAGUE,
    TARGET,
    THREE_DAYS,
    TRAILING,
    phase_with,
    usd,
)
from tests.stories.standings import DEPOSIT, marked, standing

LATER = MONDAY + timedelta(hours=1)
NIGHT = MONDAY.replace(hour=23)  # midnight in Prague
AT_NIGHT = replace(MAX_LOSS, id="night", evaluated=Evaluated.END_OF_DAY)
RECORD = Record.beginning(MONDAY, PRAGUE, DEPOSIT)
ONE, BOTH = frozenset({"near"}), frozenset({"near", "far"})
DAY, INSTANT = timedelta(days=1), timedelta(microseconds=1)


def crossed(verdict: Verdict) -> list[tuple[str, str]]:
    return [(each.limit.id, str(each.floor.amount)) for each in verdict.breaches]


def test_what_raises_no_mark_is_given_back_as_it_is() -> None:
    stands = standing("99000.00")
    assert raised(stands, 7, LATER) is stands
    higher = raised(standing("100000.01"), 7, LATER)
    assert higher.marks.peak_equity == Mark(usd("100000.01"), 7, LATER)


def test_where_there_is_nothing_to_say_one_and_the_same_nothing_is_said() -> None:
    phase, stands = phase_with(MAX_LOSS, TARGET), standing("99000.00")
    assert judge(phase, stands)[1] is NOTHING
    assert at_instant(phase, stands, 7, LATER) == (stands, NOTHING)


def test_floors_are_hung_once_while_the_marks_stay_and_anew_for_other_terms() -> None:
    stands, phase = standing("99000.00"), phase_with(MAX_LOSS)
    (floor,) = floors(phase, stands)
    assert floor == (MAX_LOSS, usd("90000.00"))
    assert floors(phase, stands) is floors(phase, replace(stands, equity=DEPOSIT))
    assert floors(phase_with(DAILY_LOSS), stands) == ((DAILY_LOSS, usd("95000.00")),)
    assert floors(phase, stands) == (floor,)


def test_a_hard_floor_of_the_days_end_ends_it_before_the_new_day_is_judged() -> None:
    """The new day's own floor is crossed too, and is not spoken of."""
    strict = replace(DAILY_LOSS, comparator=Comparator.AT_OR_BELOW)
    nothing_left = replace(
        strict, allowance=Allowance(AmountBasis.ABSOLUTE, Decimal(1))
    )
    rules = (AT_NIGHT, replace(MAX_LOSS, id="tick"), nothing_left)
    _, verdict = at_boundary(phase_with(*rules), standing("89999.99"), 7, NIGHT)
    assert crossed(verdict) == [("night", "90000.00")]
    assert verdict.is_hard


def test_the_closing_day_comes_first_then_the_new_one_highest_floor_or_not() -> None:
    paused = replace(AT_NIGHT, effect=Effect.PAUSE)
    near = replace(MAX_LOSS, id="near", allowance=DAILY_LOSS.allowance)
    after, verdict = at_boundary(
        phase_with(near, paused), standing("89999.99"), 7, NIGHT
    )
    assert crossed(verdict) == [("night", "90000.00"), ("near", "95000.00")]
    assert after.paused == frozenset()


def test_at_the_boundary_a_pause_ends_and_what_is_still_crossed_begins_another() -> (
    None
):
    fixed = replace(MAX_LOSS, id="fixed", effect=Effect.PAUSE)
    silent = standing("89999.99", paused=frozenset({"fixed", "pause"}))
    moves = replace(DAILY_PAUSE, measured_from=DayAnchor.EQUITY)
    phase = phase_with(fixed, moves)
    assert judge(phase, silent)[1] is NOTHING
    after, verdict = at_boundary(phase, silent, 7, NIGHT)
    assert crossed(verdict) == [("fixed", "90000.00")]
    assert after.paused == {"fixed"}


def test_a_pause_of_the_days_end_silences_nothing() -> None:
    paused = replace(AT_NIGHT, effect=Effect.PAUSE)
    after, verdict = at_boundary(phase_with(paused), standing("89999.99"), 7, NIGHT)
    assert (crossed(verdict), after.paused) == ([("night", "90000.00")], frozenset())


def test_two_pauses_are_silent_together_and_one_alone_leaves_the_other() -> None:
    near = replace(DAILY_PAUSE, id="near")
    far = replace(DAILY_PAUSE, id="far", allowance=MAX_LOSS.allowance)
    phase = phase_with(near, far)
    one, verdict = judge(phase, standing("94999.99"))
    assert (crossed(verdict), one.paused) == ([("near", "95000.00")], ONE)
    both, verdict = judge(phase, replace(one, equity=usd("89999.99")))
    assert (crossed(verdict), both.paused) == ([("far", "90000.00")], BOTH)


def test_a_pause_and_a_pass_may_come_together_a_hard_breach_passes_nothing() -> None:
    """Measured from equity, which is below the floor; the balance has its profit."""
    phase = phase_with(DAILY_PAUSE, replace(TARGET, needs_flat=False))
    stands = standing("94999.99", "108000.00")
    _, verdict = judge(phase, stands)
    assert [each.target.id for each in verdict.reached] == ["target"]
    assert not verdict.is_hard
    assert verdict.is_final
    hard = phase_with(DAILY_LOSS, replace(TARGET, needs_flat=False))
    _, verdict = judge(hard, stands)
    assert (verdict.reached, verdict.is_hard) == ((), True)


def test_equal_floors_hard_first_then_the_id() -> None:
    soft = replace(MAX_LOSS, id="a-pause", effect=Effect.PAUSE)
    limits = (soft, replace(MAX_LOSS, id="z"), replace(MAX_LOSS, id="m"))
    _, verdict = judge(phase_with(*limits, TRAILING), standing("80000.00"))
    assert crossed(verdict) == [
        ("m", "90000.00"),
        ("trail", "90000.00"),
        ("z", "90000.00"),
        ("a-pause", "90000.00"),
    ]


def test_the_first_target_that_is_met_is_the_one_reached() -> None:
    far = replace(TARGET, id="far", percent=Decimal(20))
    near = replace(TARGET, id="near", percent=Decimal(5))
    other = replace(near, id="other", basis=Basis.EQUITY)
    _, verdict = judge(phase_with(far, near, other), standing("108000.00", "108000.00"))
    (reached,) = verdict.reached
    assert (reached.target.id, str(reached.level.amount)) == ("near", "105000.00")
    _, waiting = judge(phase_with(near, THREE_DAYS), standing("108000.00", "108000.00"))
    assert waiting is NOTHING


def test_what_is_asked_is_met_when_it_is_touched() -> None:
    half = CappedDays(id="cap", percent=Decimal(50), counted=DayOf.CLOSING)
    stands = standing("108000.00", "108000.00", trading_days=3)
    target, days = asked(phase_with(TARGET, THREE_DAYS), stands)
    assert target == Asked(
        rule="target",
        kind="target",
        required="108000.00",
        actual="108000.00",
        met=True,
    )
    assert days == Asked(
        rule="days", kind="min_days", required="3", actual="3", met=True
    )
    poorer = standing("107999.99", "107999.99", trading_days=2)
    assert [each.met for each in asked(phase_with(TARGET, THREE_DAYS), poorer)] == [
        False,
        False,
    ]
    rich = replace(stands, record=RECORD.booked(usd("8000.00")))
    (capped,) = asked(phase_with(TARGET, half), rich)
    assert (capped.required, capped.actual, capped.met) == (
        "108000.00",
        "104000.00",
        False,
    )


def test_the_anchor_of_a_breach_is_the_mark_itself() -> None:
    stands = standing("97999.99", marks=marked("peak_equity", usd("108000.00")))
    _, verdict = judge(phase_with(TRAILING), stands)
    (breach,) = verdict.breaches
    assert breach.anchor == Mark(usd("108000.00"), 3, MONDAY)
    assert (breach.observed, breach.is_ceiling) == (usd("97999.99"), False)


IDLE = Inactivity(
    id="idle",
    activity=Activity.OPENED,
    warn=Span(Unit.ELAPSED, 2),
    after=Span(Unit.ELAPSED, 9),
    since=Since.ACTIVITY,
)
CAP = AllocationCap(id="cap", cap=Decimal(100_000), accounts=None)
TWO_DAYS = TimeLimit(id="two", after=Span(Unit.ELAPSED, 2), start=Start.ACTIVATION)


def struck(*rules: Inactivity | TimeLimit, after: timedelta) -> Verdict:
    return at_deadline(phase_with(*rules), MONDAY, RECORD, MONDAY + after)


def test_what_runs_out_together_is_told_by_its_id() -> None:
    told = struck(replace(IDLE, id="z"), replace(IDLE, id="a"), after=2 * DAY + INSTANT)
    assert [each.timer.id for each in told.struck] == ["a", "z"]
    assert not told.is_final
    ended = struck(replace(TWO_DAYS, id="z"), TWO_DAYS, after=2 * DAY + INSTANT)
    assert [each.timer.id for each in ended.struck] == ["two", "z"]
    assert ended.is_final


def test_an_end_is_told_without_the_warnings_of_its_instant() -> None:
    both = struck(IDLE, TWO_DAYS, after=2 * DAY + INSTANT)
    assert [each.timer.id for each in both.struck] == ["two"]
    assert both.is_expired


def test_exactly_two_days_are_not_more_than_two() -> None:
    assert struck(IDLE, TWO_DAYS, after=2 * DAY) == Verdict()
    phase = phase_with(replace(IDLE, warn=Span(Unit.ELAPSED, 1)), TWO_DAYS)
    assert next_deadline(phase, MONDAY, RECORD) == MONDAY + DAY + INSTANT
    assert next_deadline(phase_with(MAX_LOSS), MONDAY, RECORD) is None
    waiting = phase_with(replace(TWO_DAYS, start=Start.FIRST_TRADE))
    assert next_deadline(waiting, MONDAY, RECORD) is None


@pytest.mark.parametrize("rules", [(), (MAX_LOSS,), (TARGET, THREE_DAYS), (CAP,)])
def test_days_and_trades_are_recorded_only_where_a_rule_looks_at_them(
    rules: tuple[Rule, ...],
) -> None:
    assert not phase_with(*rules).keeps_record
    assert phase_with(*rules, IDLE).keeps_record
    held = standing("100000.00", is_flat=False)
    after, _ = at_boundary(phase_with(*rules), held, 7, NIGHT)
    assert after.record is held.record
    after, _ = at_boundary(phase_with(*rules, IDLE), held, 7, NIGHT)
    assert [day.held for day in after.record.days] == [True, True]


def test_a_warning_is_remembered_an_end_is_not() -> None:
    ended = struck(TWO_DAYS, after=2 * DAY + INSTANT)
    assert warned(RECORD, ended.struck) is RECORD
    told = struck(IDLE, after=2 * DAY + INSTANT)
    assert warned(RECORD, told.struck) == RECORD.warned_by("idle", MONDAY)
