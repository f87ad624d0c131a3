"""What holds for every rule, whatever the market does and wherever the day turns."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from application.cases import Case, adjudicate
from application.engine.asks import Ask
from domain.rules.max_loss import MaxLoss
from domain.rules.phase import Phase
from domain.values.money import Money
from domain.values.quote import Side
from infrastructure.event_store.memory import Partition
from tests.laws.phases import phases, trailing
from tests.laws.random_cases import step
from tests.laws.test_account_laws import beginning, histories, steps
from tests.laws.test_adjudicator_laws import both_agree
from tests.laws.test_trading_day_laws import leaps
from tests.stories.engines import asking, desk, gold, open_account, open_venue, sell_out
from tests.stories.facts import (
    DAILY_LOSS,
    DAILY_PAUSE,
    MAX_LOSS,
    TARGET,
    TRAILING,
    phase_with,
    trade,
)
from tests.stories.story import Item
from tests.stories.test_weekly_loss import WEEKLY

CENT = Decimal("0.01")
LOCK = Decimal("500.00")
MICROSECOND, HOUR, DAY = (
    timedelta(microseconds=1),
    timedelta(hours=1),
    timedelta(days=1),
)
YEARS = range(2020, 2031)
deposits = st.integers(100_000, 20_000_000).map(lambda n: Decimal(n).scaleb(-2))
per_cents = st.integers(1, 2_000).map(lambda n: Decimal(n).scaleb(-2))


@given(trailing("trail"), histories)
def test_a_floor_that_has_reached_its_lock_never_moves(
    limit: MaxLoss, history: list[Item]
) -> None:
    locked = replace(limit, lock=LOCK)
    seen = steps(beginning(phase_with(locked)), history)
    floors = [locked.floor(told.opened.standing(told.moment.market)) for told in seen]
    for before, after in pairwise(floors):
        assert before <= after
        assert before == after or before.amount < 100_000 + LOCK


@given(deposits, per_cents, st.sampled_from(["pct_initial", "pct_anchor"]))
def test_levels_are_compared_and_never_ratios(
    deposit: Decimal, per_cent: Decimal, basis: str
) -> None:
    """At the very floor a ratio of floats is wrong now and then; a level never is."""
    floor = deposit - (deposit * per_cent / 100).quantize(CENT)  # half to even
    amount = [basis, str(per_cent)]
    assert not is_breached(deposit, amount, "lt", floor)
    assert is_breached(deposit, amount, "lt", floor - CENT)
    assert is_breached(deposit, amount, "le", floor)
    assert not is_breached(deposit, amount, "le", floor + CENT)


def is_breached(
    deposit: Decimal, amount: list[str], comparator: str, equity: Decimal
) -> bool:
    rule = {"id": "daily", "kind": "daily", "anchor": "balance", "amount": amount}
    told = {
        "id": "exact",
        "plan": {
            "initial": str(deposit),
            "reset": ["UTC", "00:00"],
            "rules": [rule | {"cmp": comparator}],
        },
        "events": [{"at": "2026-01-05T10:00:00Z", "equity": str(equity)}],
    }
    return bool(adjudicate(msgspec.convert(told, Case)).verdicts)


@given(phases(), histories)
def test_what_the_days_brought_is_what_the_balance_gained(
    phase: Phase, history: list[Item]
) -> None:
    """By closings as by openings: nothing is lost, and nothing counts twice."""
    first, *later = steps(beginning(phase), history)
    zero = Money.zero(first.opened.currency)
    for told in later:
        record = told.opened.record
        if not phase.keeps_record:
            assert record == first.opened.record
            continue
        gained = told.opened.balance - first.opened.balance
        assert sum((day.booked for day in record.days), zero) == gained
        assert sum((day.earned for day in record.days), zero) == gained
        began = [day.began for day in record.days]
        assert began == sorted(set(began))


@given(histories)
def test_the_marks_of_a_week_enclose_those_of_its_days(history: list[Item]) -> None:
    for told in steps(beginning(phase_with(WEEKLY)), history):
        marks = told.opened.marks
        assert marks.day_peak_equity.amount <= marks.week_peak_equity.amount
        assert marks.week_peak_equity.amount <= marks.peak_equity.amount
        assert marks.deposit.at <= marks.week_balance.at <= marks.day_balance.at


ACCOUNTS = {
    "a": (MAX_LOSS, TRAILING, TARGET),
    "b": (DAILY_PAUSE, TARGET),
    "c": (DAILY_LOSS, WEEKLY, MAX_LOSS),
}


@st.composite
def of_one_instant(draw: st.DrawFn) -> dict[str, list[Ask]]:
    """What each account asks for, in its own order."""
    asked: dict[str, list[Ask]] = {}
    for account in ACCOUNTS:
        names = [f"{account}{n}" for n in range(draw(st.integers(0, 3)))]
        asked[account] = []
        for name in names:
            lots = draw(st.sampled_from(["0.10", "1.00", "4.00"]))
            order = trade(draw(st.sampled_from(Side)), lots, trade_id=name)
            asked[account].append(asking(f"account-{account}", order))
            if draw(st.booleans()):
                asked[account].append(sell_out(account, name))
    return asked


@given(of_one_instant(), st.randoms(use_true_random=False))
def test_fills_of_different_accounts_at_one_instant_may_come_in_any_order(
    asked: dict[str, list[Ask]], chance: Random
) -> None:
    one_by_one = [ask for asks in asked.values() for ask in asks]
    shuffled = list(merged(asked, chance))
    assert asyncio.run(told(one_by_one)) == asyncio.run(told(shuffled))


def merged(asked: dict[str, list[Ask]], chance: Random) -> Iterator[Ask]:
    """Every account keeps its own order."""
    left = [list(asks) for asks in asked.values() if asks]
    while left:
        asks = chance.choice(left)
        yield asks.pop(0)
        left = [each for each in left if each]


async def told(asks: list[Ask]) -> dict[str, list[tuple[str, bytes]]]:
    """What each account was told of them, and of the market that moved afterwards."""
    partition = Partition()
    opened = (open_account(name, *rules) for name, rules in ACCOUNTS.items())
    async with desk(partition) as here:
        await here.ask(open_venue(), *opened, gold("1999"), *asks)
        await here.ask(gold("2020", "1990", "1940", "2100", "1850"))
    return {
        name: [(e.name, e.payload) for e in partition.streams[f"account-{name}"]]
        for name in ACCOUNTS
    }


def test_days_turn_where_clocks_leap_as_a_second_reader_finds(*, is_full: bool) -> None:
    """Days of 23 and 25 hours and others, in every zone, from 2020 to 2030."""
    chance = Random(11)  # noqa: S311 - picks places, keeps no secret
    zones = sorted(available_timezones() - {"localtime", "Factory"})
    for zone in zones if is_full else chance.sample(zones, 25):
        found = [leap for leap in leaps(ZoneInfo(zone)) if leap.year in YEARS]
        for leap in found if is_full else found[:2]:
            local = leap.astimezone(ZoneInfo(zone))
            for clock in ("00:00", f"{local:%H:%M}", f"{local - HOUR:%H:%M}"):
                both_agree(around(leap, [zone, clock], chance))


def around(leap: datetime, reset: list[str], chance: Random) -> dict[str, Any]:
    """Equity moves before, at and after a leap; each day's floor hangs below it."""
    initial = Decimal(100_000)
    rules = [
        {"id": "daily", "kind": "daily", "anchor": "equity", "amount": ["abs", "4000"]},
        {"id": "days", "kind": "min_days", "n": 9},
        {
            "id": "idle",
            "kind": "inactivity",
            "activity": "opened",
            "warn": ["calendar", 1],
            "after": ["elapsed", 2],
            "from": "activity",
        },
    ]
    times = (-2 * DAY, -DAY, -HOUR, -MICROSECOND, timedelta(0), HOUR, DAY, 2 * DAY)
    events = [
        {
            "at": f"{leap + time:%Y-%m-%dT%H:%M:%S.%f}Z",
            "equity": str(initial + step(chance, initial)),
            "opened": chance.random() < 0.5,
        }
        for time in times
    ]
    start = f"{leap - 3 * DAY:%Y-%m-%dT%H:%M:%S}Z"
    plan = {"initial": str(initial), "reset": reset, "start": start, "rules": rules}
    return {"id": "leap", "plan": plan, "events": events}
