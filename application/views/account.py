"""An account as its owner sees it: what stands, and how far every rule is away."""

from collections.abc import Iterator
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from msgspec import Struct

from domain.account.state import Account, Status
from domain.rules.adjudicate import deadlines
from domain.rules.asked import Asked, asked
from domain.rules.limit import Comparator, Effect, Measured
from domain.rules.phase import LimitRule
from domain.rules.standing import Standing
from domain.rules.timer import Strike
from domain.rules.trading_terms import HUNDRED, TradingTerms
from domain.values.market import Moment
from domain.values.money import CENT, Money

AccountStatus = Literal["active", "paused", "passed", "breached", "expired", "frozen"]


class LimitView(Struct, frozen=True, kw_only=True):
    rule: str
    kind: str
    floor: Decimal
    ceiling: Decimal | None  # of a cap: where a gain is too much
    distance: Decimal  # how far what is measured is from the nearer of the two
    cmp: Comparator
    measured: Measured
    effect: Effect
    is_paused: bool


class TimerView(Struct, frozen=True, kw_only=True):
    rule: str
    kind: str
    runs_out_at: datetime  # unless something happens before
    then: Strike


class DayView(Struct, frozen=True, kw_only=True):
    zone: str
    starts_at: datetime
    ends_at: datetime


class AccountView(Struct, frozen=True, kw_only=True):
    account_id: str
    challenge_id: str | None
    phase: str
    venue_id: str
    currency: str
    status: AccountStatus
    deposit: Decimal
    balance: Decimal
    equity: Decimal
    margin: Decimal
    free_margin: Decimal
    margin_level: Decimal | None  # per cent of it that equity is; None: none is held
    is_margin_called: bool
    valued_at: datetime
    quote_sequence: int
    trading_days: int
    opened_at: datetime
    terms_hash: str
    trading: TradingTerms | None  # None: sold before there were such terms, or bridged
    day: DayView
    limits: tuple[LimitView, ...]
    objectives: tuple[Asked, ...]
    timers: tuple[TimerView, ...]
    position: str
    version: int


def account_view(
    account: Account, moment: Moment, position: str, version: int
) -> AccountView:
    standing, phase = account.standing(moment.market), account.phase
    at = account.now(moment)
    today = phase.trading_day.day_of(at)
    return AccountView(
        account_id=account.account_id,
        challenge_id=account.challenge_id,
        phase=phase.name,
        venue_id=account.venue_id,
        currency=account.currency,
        status=status_of(account),
        deposit=standing.deposit.amount,
        balance=standing.balance.amount,
        equity=standing.equity.amount,
        margin=account.margin.amount,
        free_margin=(standing.equity - account.margin).amount,
        margin_level=margin_level(standing.equity, account.margin),
        is_margin_called=account.is_called,
        valued_at=at,
        quote_sequence=moment.tick,
        trading_days=standing.trading_days,
        opened_at=account.opened_at,
        terms_hash=account.terms_hash,
        trading=phase.trading,
        day=DayView(
            zone=phase.trading_day.zone,
            starts_at=phase.trading_day.opens(today),
            ends_at=phase.trading_day.next_after(at),
        ),
        limits=tuple(limit_view(each, standing) for each in phase.limits),
        objectives=tuple(asked(phase, standing)),
        timers=() if account.is_over else tuple(timer_views(account)),
        position=position,
        version=version,
    )


def margin_level(equity: Money, margin: Money) -> Decimal | None:
    if not margin.amount:
        return None
    return (equity.amount * HUNDRED / margin.amount).quantize(CENT, ROUND_HALF_EVEN)


def status_of(account: Account) -> AccountStatus:
    match account.status:
        case Status.ACTIVE:
            return "paused" if account.paused else "active"
        case Status.PASSED:
            return "passed"
        case Status.BREACHED:
            return "breached"
        case Status.EXPIRED:
            return "expired"
        case Status.FROZEN | Status.UNDER_REVIEW:
            return "frozen"


def timer_views(account: Account) -> Iterator[TimerView]:
    for timer, deadline in deadlines(account.phase, account.opened_at, account.record):
        yield TimerView(
            rule=timer.id,
            kind=str(type(timer).__struct_config__.tag),
            runs_out_at=deadline.at,
            then=deadline.strike,
        )


def limit_view(limit: LimitRule, standing: Standing) -> LimitView:
    floor, ceiling = limit.floor(standing), limit.ceiling(standing)
    observed = limit.observed(standing)
    distance = observed - floor
    if ceiling is not None:
        distance = min(distance, ceiling - observed)
    return LimitView(
        rule=limit.id,
        kind=str(type(limit).__struct_config__.tag),
        floor=floor.amount,
        ceiling=ceiling.amount if ceiling is not None else None,
        distance=distance.amount,
        cmp=limit.comparator,
        measured=limit.measured,
        effect=limit.effect,
        is_paused=limit.id in standing.paused,
    )
