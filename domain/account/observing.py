"""An observed account answers what is reported of it, and what the rules make of that.

It trades elsewhere: there is nothing to fill, and nothing to close.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from domain.account.bridge import Bridge, ObservedBreach, take
from domain.account.commands import ObserveAccount
from domain.account.errors import AccountFrozen, AccountSimulated, ObservationRefused
from domain.account.events import (
    AccountEvent,
    AccountExpired,
    AccountObserved,
    AccountWarned,
    ObjectivesMet,
    RuleBreached,
)
from domain.account.state import Account, Status, evolve, mirrored
from domain.rules.course import Course, Noted, Observation
from domain.values.market import Moment

FURTHEST: Final = timedelta(days=3_700)  # that observations may lead at once


def unseen(account: Account, sent: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """What was not reported before, in the order of its sequence."""
    return must_be_observed(account).fresh(sent)


def observed(
    command: ObserveAccount, account: Account, moment: Moment
) -> AccountObserved:
    """Nothing is refused because the account is over: then it is only recorded."""
    bridge = must_be_observed(account)
    fresh = bridge.fresh(command.observations)
    assert fresh, "who has nothing new to say asks for nothing"
    begun = bridge.course.now if bridge.course else bridge.terms.starts_at
    must_be_near(fresh, begun or fresh[0].at)
    try:
        after, _ = take(bridge, account.phase, account.marks.deposit.amount, fresh)
    except (ValueError, ArithmeticError) as beyond:  # what no amount or date can hold
        raise ObservationRefused(str(beyond)) from None
    assert after.course is not None
    standing = after.course.standing
    return AccountObserved(
        at=moment.at,
        tick=moment.tick,
        observations=fresh,
        balance=standing.balance,
        equity=standing.equity,
        trading_days=standing.trading_days,
        is_paused=bool(standing.paused),
    )


def must_be_observed(account: Account) -> Bridge:
    if account.bridge is None:
        raise AccountSimulated(account.account_id)
    if account.status is Status.FROZEN:
        raise AccountFrozen(account.account_id)
    return account.bridge


def must_be_near(fresh: tuple[Observation, ...], now: datetime) -> None:
    furthest = max(each.at for each in fresh)
    if furthest - now > FURTHEST:
        raise ObservationRefused(
            f"{furthest.isoformat()} is more than {FURTHEST.days} days ahead"
        )


def adjudged(
    account: Account, event: AccountObserved, moment: Moment
) -> tuple[Account, tuple[AccountEvent, ...]]:
    """Fold what was reported; then, in order, what the rules made of it."""
    assert account.bridge is not None
    deposit = account.marks.deposit.amount
    bridge, notes = take(account.bridge, account.phase, deposit, event.observations)
    account = mirrored(replace(account, bridge=bridge))
    assert bridge.course is not None
    events: list[AccountEvent] = []
    for noted in notes:
        for fact in told(account, bridge.course, noted, moment):
            account = evolve(account, fact)
            events.append(fact)
    return account, tuple(events)


def reviews(account: Account) -> bool:
    assert account.bridge is not None
    return account.bridge.terms.observed_breach is ObservedBreach.REVIEW


def told(
    account: Account, course: Course, noted: Noted, moment: Moment
) -> Iterator[AccountEvent]:
    verdict, standing = noted.verdict, noted.standing
    at, tick = moment.at, moment.tick
    if verdict.breaches:
        yield RuleBreached(
            at=at,
            tick=tick,
            breaches=verdict.breaches,
            deposit=standing.deposit,
            balance=standing.balance,
            equity=standing.equity,
            positions=(),
            terms_hash=account.terms_hash,
            trading_days=standing.trading_days,
            opened_at=course.began,
            decided_at=noted.at,
            source=noted.label,
            opens_review=verdict.is_hard and reviews(account),
        )
    if verdict.reached:
        yield ObjectivesMet(
            at=at,
            tick=tick,
            phase=account.phase.name,
            reached=verdict.reached,
            balance=standing.balance,
            equity=standing.equity,
            trading_days=standing.trading_days,
            source=noted.label,
        )
    if verdict.is_expired:
        yield AccountExpired(
            at=at,
            tick=tick,
            struck=verdict.struck,
            balance=standing.balance,
            equity=standing.equity,
            trading_days=standing.trading_days,
            source=noted.label,
        )
    elif verdict.struck:
        yield AccountWarned(at=at, tick=tick, struck=verdict.struck, source=noted.label)
