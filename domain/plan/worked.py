"""Each rule at work on one account; every number is what the rule itself computes."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from domain.plan.example import A_MONDAY, Example, alone, one_unit, part
from domain.plan.words import money_in_words
from domain.rules.adjudicate import weighed
from domain.rules.allocation_cap import AllocationCap
from domain.rules.capped_days import CappedDays
from domain.rules.consistency import Consequence, Consistency
from domain.rules.daily_cap import DailyCap
from domain.rules.daily_loss import DailyLoss
from domain.rules.inactivity import Inactivity
from domain.rules.max_loss import MaxLoss
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import LimitRule, Phase, Rule
from domain.rules.profit_target import Basis, ProfitTarget
from domain.rules.profitable_days import Attributed, ProfitableDays
from domain.rules.sticky_target import StickyTarget
from domain.rules.time_limit import TimeLimit
from domain.rules.timer import Strike
from domain.rules.trading_days import TradingDays
from domain.rules.weekly_loss import WeeklyLoss
from domain.values.money import Money

FAR: Final = Decimal(3)  # times the deposit: beyond every lock
DAYS_A_WEEK: Final = 7

say = money_in_words


def of_limit(rule: LimitRule, phase: Phase, deposit: Money) -> Iterator[str]:
    opened = Example.opened(alone(phase, rule), deposit)
    floor = opened.floor(rule)
    yield (
        f"Opened with {say(deposit)}, the floor is {say(floor)}."
        f" {at_the_floor(opened, floor)}"
    )
    high = opened.stands(deposit + part(deposit, "2"), deposit + part(deposit, "4"))
    yield (
        f"If equity rises to {say(high.standing.equity)} within the day, with"
        f" {say(high.standing.balance)} in the balance, the floor"
        f" {moved(floor, high.floor(rule))}."
    )
    evening = high.stands(deposit + part(deposit, "2"), deposit + part(deposit, "1"))
    morning = evening.day_ends()
    yield (
        f"If that day ends with a balance of {say(evening.standing.balance)} and"
        f" equity of {say(evening.standing.equity)}, the next day's floor"
        f" {moved(high.floor(rule), morning.floor(rule))}."
    )


def at_the_floor(opened: Example, floor: Money) -> str:
    deposit = opened.standing.deposit
    below = floor - one_unit(floor.currency)
    lost = [bool(opened.verdict(deposit, level).breaches) for level in (floor, below)]
    assert lost[1], "what lies below its floor is always a breach"
    if lost[0]:
        return f"Equity of {say(floor)} is a breach."
    return f"Equity of {say(floor)} is allowed, {say(below)} is a breach."


def moved(before: Money, after: Money) -> str:
    if before == after:
        return f"stays at {say(after)}"
    return f"{'rises' if before < after else 'falls'} to {say(after)}"


def of_daily_cap(rule: DailyCap, phase: Phase, deposit: Money) -> Iterator[str]:
    yield from of_limit(rule, phase, deposit)
    opened = Example.opened(alone(phase, rule), deposit)
    ceiling = rule.ceiling(opened.standing)
    above = ceiling + one_unit(ceiling.currency)
    level = ceiling if opened.verdict(deposit, ceiling).breaches else above
    yield (
        f"On the first day the ceiling is {say(ceiling)}: with equity of {say(level)}"
        " the other side is crossed."
    )


def of_weekly_loss(rule: WeeklyLoss, phase: Phase, deposit: Money) -> Iterator[str]:
    yield from of_limit(rule, phase, deposit)
    won = deposit + part(deposit, "2")
    week = Example.opened(alone(phase, rule), deposit).stands(won, won, is_flat=True)
    before = week.floor(rule)
    for _ in range(DAYS_A_WEEK):
        week = week.day_ends()
    yield (
        f"If the week ends with {say(won)} and nothing open, the next week's floor"
        f" {moved(before, week.floor(rule))}."
    )


def of_max_loss(rule: MaxLoss, phase: Phase, deposit: Money) -> Iterator[str]:
    yield from of_limit(rule, phase, deposit)
    if rule.lock is not None:
        far = deposit.portion(FAR)
        rich = Example.opened(alone(phase, rule), deposit).stands(far, far).day_ends()
        stops = say(rich.floor(rule))
        yield f"However high the account rises, the floor stops at {stops}."


def of_target(
    rule: ProfitTarget | StickyTarget, phase: Phase, deposit: Money
) -> Iterator[str]:
    opened = Example.opened(alone(phase, rule), deposit)
    level = rule.level(opened.standing)
    below = level - one_unit(level.currency)
    is_flat = rule.needs_flat
    reached, missed = (
        opened.verdict(
            each if rule.basis is Basis.CLOSED else deposit, each, is_flat=is_flat
        ).reached
        for each in (level, below)
    )
    assert reached, "a target is reached when it is touched"
    assert not missed
    what = "a balance" if rule.basis is Basis.CLOSED else "equity"
    yield (
        f"On a deposit of {say(deposit)} it is reached with {what} of {say(level)};"
        f" {say(below)} is not enough."
    )
    if is_flat and not opened.verdict(level, level).reached:
        yield f"With {say(level)} and a position still open it is not reached yet."


def of_sticky_target(rule: StickyTarget, phase: Phase, deposit: Money) -> Iterator[str]:
    yield from of_target(rule, phase, deposit)
    opened = Example.opened(alone(phase, rule), deposit)
    level = rule.level(opened.standing)
    high = opened.stands(level, level, is_flat=True)
    if high.verdict(deposit, deposit, is_flat=True).reached:
        yield f"If {say(deposit)} is left of that later, it still counts as reached."


def of_days(
    rule: MinimumDays | TradingDays, phase: Phase, deposit: Money
) -> Iterator[str]:
    nothing = Money.zero(deposit.currency)
    if rule.days > MOST_TO_COUNT:
        return
    trading = Example.opened(alone(phase, rule), deposit)
    days = 0
    while not rule.is_met(trading.standing):
        trading = trading.trades(nothing)
        days += 1
        if not rule.is_met(trading.standing):
            trading = trading.day_ends()
    yield f"With one trade a day, opened and closed, it is met on day {days}."
    held = Example.opened(alone(phase, rule), deposit).opens()
    for _ in range(3):
        held = held.day_ends()
    counted = rule.actual(held.closes(nothing).standing)
    yield (
        "One position that is held over three turns of the day, from Monday to"
        f" Thursday, makes {counted} of them."
    )


def of_profitable_days(
    rule: ProfitableDays, phase: Phase, deposit: Money
) -> Iterator[str]:
    amount = rule.amount.in_money(deposit, deposit)
    less = amount - one_unit(amount.currency)
    opened = Example.opened(alone(phase, rule), deposit)
    enough, short = (
        rule.count(opened.trades(each).day_ends().standing) for each in (amount, less)
    )
    assert (enough, short) == (1, 0)
    yield (
        f"On a deposit of {say(deposit)} a day that brings {say(amount)} counts, one"
        f" that brings {say(less)} does not."
    )
    if rule.counted is Attributed.CLOSING_NET:
        open_loss = opened.trades(amount).opens()
        balance = open_loss.standing.balance
        night = open_loss.stands(balance, balance - one_unit(balance.currency))
        counted = rule.count(night.day_ends().standing)
        yield (
            f"If {say(one_unit(amount.currency))} floats in loss when that day ends,"
            f" {'it counts' if counted else 'it does not count'}."
        )


def of_consistency(rule: Consistency, phase: Phase, deposit: Money) -> Iterator[str]:
    best, other = part(deposit, "3"), part(deposit, "1")
    two = Example.opened(alone(phase, rule), deposit).trades(best).day_ends()
    two = two.trades(other)
    needed, profit = rule.needed(two.standing), rule.profit(two.standing)
    is_met = "it is met" if rule.is_met(two.standing) else "it is not met"
    yield (
        f"After days of {say(best)} and {say(other)}, one trade each, the profit is"
        f" {say(profit)}, and {say(needed)} is needed beside a best of {say(best)}:"
        f" {is_met}."
    )
    if needed != profit and not rule.is_met(two.standing):
        day = two
        while rule.profit(day.standing) < needed:
            missing = needed - rule.profit(day.standing)
            day = day.day_ends().trades(min(missing, best))
        assert rule.is_met(day.standing)
        yield f"Further days bring it to {say(needed)}: it is met."
    if rule.consequence is Consequence.RAISES_TARGET:
        for target in phase.targets:
            level, _ = weighed(alone(phase, rule, target), target, two.standing)
            yield f"Until then the target stands at {say(level)}."


def of_capped_days(rule: CappedDays, phase: Phase, deposit: Money) -> Iterator[str]:
    for target in phase.targets:
        both = alone(phase, rule, target)
        opened = Example.opened(both, deposit)
        wanted = target.level(opened.standing) - deposit
        one_day = opened.trades(wanted)
        _, counted = weighed(both, target, one_day.standing)
        yield (
            f"A first day that brings the whole {say(wanted)} counts as"
            f" {say(counted - deposit)}."
        )


def of_time_limit(rule: TimeLimit, phase: Phase, deposit: Money) -> Iterator[str]:
    opened = Example.opened(alone(phase, rule), deposit)
    traded = opened.trades(Money.zero(deposit.currency)).standing.record
    deadline = rule.next_deadline(A_MONDAY, traded, phase.trading_day)
    assert deadline is not None
    yield (
        f"Where that was {moment(deadline.since)}, it expires {moment(deadline.at)}"
        " unless the phase is passed before."
    )


def of_inactivity(rule: Inactivity, phase: Phase, deposit: Money) -> Iterator[str]:
    opened = Example.opened(alone(phase, rule), deposit)
    record = opened.trades(Money.zero(deposit.currency)).standing.record
    deadline = rule.next_deadline(A_MONDAY, record, phase.trading_day)
    assert deadline is not None
    if deadline.strike is Strike.WARN:
        yield (
            f"Last active {moment(deadline.since)}, it is warned {moment(deadline.at)}."
        )
        record = record.warned_by(rule.id, deadline.since)
        deadline = rule.next_deadline(A_MONDAY, record, phase.trading_day)
        assert deadline is not None
    yield f"It expires {moment(deadline.at)}."


def of_allocation(rule: AllocationCap, _: Phase, deposit: Money) -> Iterator[str]:
    held: list[Money] = []
    while rule.overrun(held, deposit) is None and len(held) < MOST_TO_COUNT:
        held.append(deposit)
    if len(held) == MOST_TO_COUNT:
        yield f"{MOST_TO_COUNT} challenges of {say(deposit)} and more may be held."
    else:
        yield f"Of challenges over {say(deposit)}, {len(held)} may be held at a time."


def moment(at: datetime) -> str:
    return f"on {at:%A} {at:%Y-%m-%d} at {at:%H:%M:%S} UTC"


MOST_TO_COUNT: Final = 100
WORKED: Final[Mapping[type[Rule], Callable[[Any, Phase, Money], Iterator[str]]]] = {
    DailyLoss: of_limit,
    DailyCap: of_daily_cap,
    WeeklyLoss: of_weekly_loss,
    MaxLoss: of_max_loss,
    ProfitTarget: of_target,
    StickyTarget: of_sticky_target,
    MinimumDays: of_days,
    TradingDays: of_days,
    ProfitableDays: of_profitable_days,
    Consistency: of_consistency,
    CappedDays: of_capped_days,
    TimeLimit: of_time_limit,
    Inactivity: of_inactivity,
    AllocationCap: of_allocation,
}
