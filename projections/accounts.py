"""A row an account: what it was opened with, and how it stands after its last event.

What moves with every tick (equity, floors, margin) is not here: the engine knows it.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, assert_never, get_args

from msgspec import Struct
from msgspec.structs import replace

from application.views.account import AccountStatus
from domain.account.events import (
    AccountExpired,
    AccountObserved,
    AccountOpened,
    AccountQuarantined,
    AccountScaled,
    AccountWarned,
    BreachAnnulled,
    BreachConfirmed,
    BreachDismissed,
    CapitalEvent,
    FlowPosted,
    MarginCalled,
    MarginRestored,
    NegativeBalanceCleared,
    ObjectivesMet,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    OrderTriggered,
    PayoutHeld,
    PayoutReleased,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    PositionProtected,
    ReviewEvent,
    RuleBreached,
    SwapAccrued,
    SwapPosted,
)
from domain.rules.adjudicate import Verdict, silenced
from domain.venue.events import DayBoundaryPassed
from projections.asking import Pool, Slice, fetch_one, fetch_slice
from projections.table import Projection, Rows, Table, Wanted, says
from projections.told import Told


class Account(Struct, frozen=True):
    account_id: Annotated[str, says("The account")]
    trader_id: Annotated[str, says("Whose it is; the person is kept elsewhere")]
    challenge_id: Annotated[str | None, says("Empty: opened on a sandbox directly")]
    venue_id: Annotated[str, says("live, or a sandbox")]
    phase: Annotated[str, says("The phase of the challenge that it serves")]
    terms_hash: Annotated[str, says("Of the terms sold with it, which bind for ever")]
    zone: Annotated[str, says("Time zone of its day boundary")]
    turns_at: Annotated[str, says("Local time of its day boundary")]
    currency: Annotated[str, says("Of deposit and balance")]
    deposit: Annotated[Decimal, says("The balance it began with, or was scaled to")]
    balance: Annotated[Decimal, says("Deposit, realised profit, costs and flows")]
    flows: Annotated[Decimal, says("What came in, or went out, by no trade")]
    status: Annotated[
        AccountStatus,
        says("paused: until its next day boundary; frozen: until looked at"),
    ]
    trading_days: Annotated[int, says("Days on which a trade was opened")]
    last_trading_day: Annotated[date | None, says("The latest such day")]
    open_trades: Annotated[int, says("Trades with lots left")]
    opened_at: Annotated[datetime, says("Engine time of the opening")]
    ended_at: Annotated[
        datetime | None, says("When it was passed, breached or expired")
    ]
    partition: Annotated[str, says("Where its events are stored")]
    position: Annotated[int, says("Of its latest event in that partition")]
    version: Annotated[int, says("Of its stream at that event")]


TABLE = Table(
    "accounts",
    Account,
    key="account_id",
    comment="A row an account: its terms of opening, and its standing by its events",
    indexes=(
        "(trader_id, opened_at, account_id)",
        "(challenge_id)",
        "(venue_id) WHERE status = 'paused'",
        "(ended_at) WHERE status = 'passed'",
        "(partition) WHERE status = 'frozen'",
    ),
    fillfactor=70,
    also="status = 'paused' AND venue_id = ANY($2::text[])",
)

Change = (
    PositionOpened
    | PositionIncreased
    | PositionClosed
    | RuleBreached
    | ObjectivesMet
    | AccountWarned
    | AccountExpired
    | AccountQuarantined
    | AccountObserved
    | SwapPosted
    | SwapAccrued
    | MarginCalled
    | MarginRestored
    | NegativeBalanceCleared
    | CapitalEvent
    | ReviewEvent
    | OrderPlaced
    | OrderChanged
    | OrderTriggered
    | OrderCancelled
    | PositionProtected
)


def wanted(page: Sequence[Told]) -> Wanted:
    turned = frozenset(
        each.subject for each in page if isinstance(each.fact, DayBoundaryPassed)
    )
    return Wanted(frozenset(each.subject for each in page) - turned, also=turned)


def fold(rows: Rows[Account], told: Told) -> None:
    fact = told.fact
    if isinstance(fact, DayBoundaryPassed):
        end_pauses(rows, told.subject, fact)
    elif isinstance(fact, AccountOpened):
        rows.put(fact.account_id, opened(told, fact))
    elif isinstance(fact, Change):
        account = rows.get(told.subject)
        assert account is not None, "an account begins with its opening"
        seen = replace(account, position=told.position, version=told.version)
        rows.put(account.account_id, after(seen, fact))


def end_pauses(rows: Rows[Account], venue_id: str, fact: DayBoundaryPassed) -> None:
    """A boundary is one event for all accounts whose day it is."""
    day = fact.trading_day
    for account_id, account in rows.find(lambda row: row.status == "paused"):
        mine = (account.venue_id, account.zone, account.turns_at)
        if mine == (venue_id, day.zone, day.turns_at):
            rows.put(account_id, replace(account, status="active"))


def opened(told: Told, fact: AccountOpened) -> Account:
    return Account(
        account_id=fact.account_id,
        trader_id=fact.trader_id,
        challenge_id=fact.challenge_id,
        venue_id=fact.venue_id,
        phase=fact.phase.name,
        terms_hash=fact.terms_hash,
        zone=fact.phase.trading_day.zone,
        turns_at=fact.phase.trading_day.turns_at,
        currency=fact.deposit.currency,
        deposit=fact.deposit.amount,
        balance=fact.deposit.amount,
        flows=Decimal(0),
        status="active",
        trading_days=0,
        last_trading_day=None,
        open_trades=0,
        opened_at=fact.at,
        ended_at=None,
        partition=told.partition,
        position=told.position,
        version=told.version,
    )


def after(account: Account, fact: Change) -> Account:  # noqa: C901, PLR0911 - a case a fact
    match fact:
        case PositionOpened():
            is_new_day = fact.trading_day != account.last_trading_day
            return replace(
                account,
                balance=fact.balance.amount,
                trading_days=account.trading_days + is_new_day,
                last_trading_day=fact.trading_day,
                open_trades=account.open_trades + 1,
            )
        case PositionIncreased():
            is_new_day = fact.trading_day != account.last_trading_day
            return replace(
                account,
                balance=fact.balance.amount,
                trading_days=account.trading_days + is_new_day,
                last_trading_day=fact.trading_day,
            )
        case PositionClosed():
            ended = sum(not fill.left for fill in fact.fills)
            return replace(
                account,
                balance=fact.balance.amount,
                open_trades=account.open_trades - ended,
            )
        case RuleBreached():
            return breached(account, fact)
        case ObjectivesMet():
            return replace(account, status="passed", ended_at=fact.at)
        case SwapPosted() | NegativeBalanceCleared():
            return replace(account, balance=fact.balance.amount)
        case (
            AccountWarned()
            | SwapAccrued()
            | MarginCalled()
            | MarginRestored()
            | OrderPlaced()
            | OrderChanged()
            | OrderTriggered()
            | OrderCancelled()
            | PositionProtected()
        ):
            return account
        case AccountExpired():
            return replace(account, status="expired", ended_at=fact.at)
        case AccountQuarantined():
            return replace(account, status="frozen")
        case AccountObserved():
            return observed(account, fact)
        case _:
            return funded(account, fact)


def funded(account: Account, fact: CapitalEvent | ReviewEvent) -> Account:
    match fact:
        case FlowPosted() | AccountScaled():
            return flowed(account, fact)
        case PayoutHeld() | PayoutReleased():
            return account
        case BreachAnnulled() | BreachConfirmed() | BreachDismissed():
            return reviewed(account, fact)
        case _:
            assert_never(fact)


def breached(account: Account, fact: RuleBreached) -> Account:
    if fact.opens_review:
        return replace(account, status="frozen")
    if Verdict(breaches=fact.breaches).is_hard:
        return replace(account, status="breached", ended_at=fact.at)
    is_paused = bool(silenced(fact.breaches))
    if fact.source is not None or not is_paused:  # what was observed has told of pauses
        return account
    return replace(account, status="paused")


def observed(account: Account, fact: AccountObserved) -> Account:
    status = account.status
    if status in {"active", "paused"}:
        status = "paused" if fact.is_paused else "active"
    return replace(
        account,
        balance=fact.balance.amount,
        trading_days=fact.trading_days,
        status=status,
    )


def reviewed(account: Account, fact: ReviewEvent) -> Account:
    match fact:
        case BreachConfirmed():
            return replace(account, status="breached", ended_at=fact.at)
        case BreachDismissed():
            return replace(account, status="active")
        case BreachAnnulled():
            return replace(
                account,
                status="paused" if fact.paused else "active",
                balance=fact.balance.amount,
                ended_at=None,
            )
        case _:
            assert_never(fact)


def flowed(account: Account, fact: FlowPosted | AccountScaled) -> Account:
    account = replace(
        account,
        balance=fact.balance.amount,
        flows=account.flows + fact.amount.amount,
    )
    if isinstance(fact, FlowPosted):
        return account
    return replace(account, deposit=fact.deposit.amount, terms_hash=fact.terms_hash)


HEARS = (DayBoundaryPassed, AccountOpened, *get_args(Change))
ACCOUNTS = Projection(TABLE, HEARS, wanted, fold)


class AccountRow(Struct, frozen=True, kw_only=True):
    account_id: str
    trader_id: str
    challenge_id: str | None
    venue_id: str
    phase: str
    terms_hash: str
    currency: str
    deposit: Decimal
    balance: Decimal
    status: AccountStatus
    trading_days: int
    opened_at: datetime
    ended_at: datetime | None
    position: str
    version: int


class Owner(Struct, frozen=True):
    trader_id: str
    partition: str


SELECT = """
    SELECT account_id, trader_id, challenge_id, venue_id, phase, terms_hash, currency,
        deposit, balance, status, trading_days, opened_at, ended_at,
        partition || '-' || position AS position, version
    FROM read.accounts
"""
AFTER = """
    AND (opened_at, account_id) < (
        SELECT opened_at, account_id FROM read.accounts WHERE account_id = %(after)s
    )
"""
NEWEST_FIRST = " ORDER BY opened_at DESC, account_id DESC LIMIT %(limit)s"


async def accounts_of(
    pool: Pool, trader_id: str, *, after: str | None = None, limit: int
) -> Slice[AccountRow]:
    """List a trader's accounts, the newest first."""
    query = SELECT + " WHERE trader_id = %(of)s" + (AFTER if after else "")
    given = {"of": trader_id, "after": after}
    return await fetch_slice(
        pool, query + NEWEST_FIRST, given, AccountRow, limit=limit, key="account_id"
    )


async def account(pool: Pool, account_id: str) -> AccountRow | None:
    query = SELECT + " WHERE account_id = %(account_id)s"
    return await fetch_one(pool, query, {"account_id": account_id}, AccountRow)


async def account_owner(pool: Pool, account_id: str) -> Owner | None:
    """Tell whose it is, and in which partition its events are."""
    query = "SELECT trader_id, partition FROM read.accounts WHERE account_id = %(id)s"
    return await fetch_one(pool, query, {"id": account_id}, Owner)
