"""Time that runs out: a phase that takes too long, an account that nobody trades."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.account.errors import AccountClosed
from domain.account.events import (
    AccountExpired,
    AccountWarned,
    ObjectivesMet,
    PositionClosed,
    PositionOpened,
)
from domain.account.state import Status
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.inactivity import Activity, Inactivity, Since
from domain.rules.profitable_days import Attributed, ProfitableDays
from domain.rules.span import Span, Unit
from domain.rules.time_limit import Start, TimeLimit
from tests.stories.days import at, closed, opened, traded
from tests.stories.facts import MAX_LOSS, TARGET, account_with, buy_gold, gold_at, usd
from tests.stories.story import given

THIRTY_DAYS = Span(Unit.ELAPSED, 30)
IDLE = Inactivity(
    id="idle",
    activity=Activity.OPENED,
    warn=None,
    after=THIRTY_DAYS,
    since=Since.ACTIVITY,
)
WARNED = replace(
    IDLE,
    warn=Span(Unit.ELAPSED, 15),
    after=Span(Unit.ELAPSED, 15),
    since=Since.WARNING,
)
ONE_GOOD_DAY = ProfitableDays(
    id="good",
    days=1,
    amount=Allowance(AmountBasis.ABSOLUTE, Decimal(1)),
    counted=Attributed.CLOSING,
    ended=True,
)
IN_TIME = TimeLimit(id="limit", after=THIRTY_DAYS, start=Start.ACTIVATION)


def test_more_than_thirty_days_is_the_first_instant_after_them() -> None:
    """I01: opened on 1 March at noon; on 31 March at noon it is still active."""
    story = given(account_with(IDLE), at("2026-01-20T00:00:00Z"), *opened("first"))
    march = given(story.told, at("2026-02-15T12:00:00Z"), *opened("a"))
    quiet = given(march.told, at("2026-03-01T12:00:00Z"), *opened("b"))
    noon = quiet.when(at("2026-03-31T12:00:00Z"))
    noon.then_nothing()
    assert noon.account.status is Status.ACTIVE
    after = noon.when(at("2026-03-31T12:00:00.000001Z"))
    after.then(AccountExpired, PositionClosed)
    deadline = after.then_expired().struck[0].deadline
    assert deadline.since.isoformat() == "2026-03-01T12:00:00+00:00"
    assert after.account.status is Status.EXPIRED
    after.when(buy_gold).then_refused(AccountClosed)


def test_a_warned_account_has_fifteen_days_from_the_warning() -> None:
    """I02: warned on 1 January, it ends on the 16th."""
    story = given(account_with(WARNED), at("2026-01-17T00:00:00Z"), *opened("a"))
    first = story.when(at("2026-02-01T00:00:00.000001Z"))
    first.then(AccountWarned)
    assert first.account.status is Status.ACTIVE
    last_day = first.when(at("2026-02-16T00:00:00Z"))
    last_day.then_nothing()
    last_day.when(at("2026-02-16T00:00:01Z")).then(AccountExpired, PositionClosed)


def test_a_trade_after_the_warning_clears_it_and_the_clock_runs_again() -> None:
    """I02: traded on 10 January."""
    story = given(account_with(WARNED), at("2026-01-17T00:00:00Z"), *opened("a"))
    traded = given(story.told, at("2026-02-10T00:00:00Z"), *opened("b"))
    traded.when(at("2026-02-20T00:00:00Z")).then_nothing()
    again = traded.when(at("2026-02-25T00:00:01Z"))
    again.then(AccountWarned)
    again.when(at("2026-03-12T00:00:01Z")).then(AccountExpired, PositionClosed)


def test_an_account_that_is_never_traded_runs_from_its_activation() -> None:
    story = given(account_with(IDLE))  # on 5 January at nine
    story.when(at("2026-02-04T09:00:00Z")).then_nothing()
    story.when(at("2026-02-04T09:00:01Z")).then(AccountExpired)


def test_a_close_is_activity_only_where_the_terms_say_so() -> None:
    closing = (*opened("a"), at("2026-02-01T00:00:00Z"), *closed("a", "1"))
    by_fills = replace(IDLE, activity=Activity.FILLED)
    midst = at("2026-02-05T00:00:00Z")
    given(account_with(IDLE), *closing).when(midst).then(AccountExpired)
    given(account_with(by_fills), *closing).when(midst).then_nothing()


def test_both_a_warning_and_the_end_fall_due_in_one_long_silence() -> None:
    silent = given(account_with(WARNED)).when(at("2026-06-01T00:00:00Z"))
    silent.then(AccountWarned, AccountExpired)
    warned, expired = silent.events
    assert [warned.at.isoformat(), expired.at.isoformat()] == [
        "2026-01-20T09:00:00.000001+00:00",
        "2026-02-04T09:00:00.000002+00:00",
    ]


def test_a_phase_that_takes_too_long_expires_with_what_is_open() -> None:
    story = given(account_with(IN_TIME, MAX_LOSS, TARGET), buy_gold, gold_at("2010"))
    story.when(at("2026-02-04T09:00:00Z")).then_nothing()
    ended = story.when(at("2026-02-04T09:00:01Z"))
    ended.then(AccountExpired, PositionClosed)
    assert ended.then_expired().equity == usd("101000.00")
    assert ended.account.balance == usd("101000.00")


def test_time_may_run_from_the_first_trade_only() -> None:
    limit = replace(IN_TIME, start=Start.FIRST_TRADE)
    idle = given(account_with(limit), at("2026-06-01T12:00:00Z"))
    idle.when(at("2027-06-01T12:00:00Z")).then_nothing()
    traded = given(idle.told, *opened("a"), *closed("a", "1"), *opened("b"))
    traded.when(at("2026-07-01T12:00:00Z")).then_nothing()
    traded.when(at("2026-07-01T12:00:01Z")).then(AccountExpired, PositionClosed)


def test_calendar_days_end_with_a_day_of_the_plan() -> None:
    """Opened on 5 January in Prague: 6 January is one day later, whatever the hour."""
    limit = replace(IN_TIME, after=Span(Unit.CALENDAR, 1))
    story = given(account_with(limit))
    story.when(at("2026-01-06T22:59:59.999999Z")).then_nothing()
    story.when(at("2026-01-06T23:00:00Z")).then(AccountExpired)


def test_thirty_elapsed_days_are_720_hours_also_when_clocks_change() -> None:
    told = account_with(IDLE)
    spring = given(told, at("2026-01-20T12:00:00Z"), *opened("a"))
    march = given(spring.told, at("2026-02-10T12:00:00Z"), *opened("b"))
    late = given(march.told, at("2026-03-10T12:00:00Z"), *opened("c"))
    late.when(at("2026-04-09T12:00:00Z")).then_nothing()
    late.when(at("2026-04-09T12:00:01Z")).then(AccountExpired, PositionClosed)


def test_a_pass_at_the_last_boundary_comes_before_the_end() -> None:
    """Both are due at one instant: what stands is judged, then the clock."""
    limit = replace(IN_TIME, after=Span(Unit.CALENDAR, 1))
    target = replace(TARGET, percent=Decimal(1))
    told = account_with(limit, target, ONE_GOOD_DAY)
    story = given(told, at("2026-01-06T12:00:00Z"), *traded("1000"))
    story.when(at("2026-01-06T23:00:00Z")).then(ObjectivesMet)
    given(told).when(at("2026-01-06T23:00:00Z")).then(AccountExpired)


def test_an_expired_account_opens_nothing_and_an_active_one_goes_on() -> None:
    story = given(account_with(IDLE), at("2026-02-04T09:00:00Z"))
    story.when(buy_gold).then(PositionOpened)


@pytest.mark.parametrize(
    "wrong",
    [{"warn": None}, {"since": Since.ACTIVITY}],
)
def test_a_warning_comes_before_the_end_and_an_end_after_its_warning(
    wrong: dict[str, object],
) -> None:
    with pytest.raises(ValueError, match="warning"):
        replace(WARNED, **wrong)


@pytest.mark.parametrize("days", [0, -1, 3_661])
def test_a_span_is_a_number_of_days(days: int) -> None:
    with pytest.raises(ValueError, match="days"):
        Span(Unit.ELAPSED, days)
