"""Who has made most of a deposit, by what the events of the live venue say.

Equity is known here only where an event settles it: at the opening, whenever the last
open trade is closed (it is the balance then), and where a verdict states it. Between
events it moves with every tick, and that is not looked at yet: a fall that was made
good before the next such event does not count in `equity_drawdown`.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from typing import Annotated, Final, assert_never, get_args

from msgspec import Struct
from msgspec.structs import replace

from application.engine.deciding import LIVE
from domain.account.events import (
    AccountExpired,
    AccountOpened,
    AccountQuarantined,
    AccountScaled,
    BreachAnnulled,
    FlowPosted,
    NegativeBalanceCleared,
    ObjectivesMet,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    RuleBreached,
    SwapPosted,
)
from domain.rules.adjudicate import Verdict
from projections.asking import Pool, fetch
from projections.table import Projection, Rows, Table, Wanted, says
from projections.told import Told

MAIN: Final = "main"
OFF: Final = ""
HUNDRED: Final = Decimal(100)
STEP: Final = Decimal("0.0001")


class Score(Struct, frozen=True):
    account_id: Annotated[str, says("The account that competes")]
    board: Annotated[
        str, says("main: live accounts that trade; empty: it was breached")
    ]
    trader_id: Annotated[str, says("Whose it is; the person is kept elsewhere")]
    phase: Annotated[str, says("The phase that the account serves")]
    deposit: Annotated[Decimal, says("What the return is measured from")]
    capital: Annotated[
        Decimal, says("The deposit, and what came or went by no trade since")
    ]
    balance: Annotated[Decimal, says("Open trades do not count")]
    carried_percent: Annotated[
        Decimal, says("The return by when it was scaled to the deposit it has")
    ]
    return_percent: Annotated[
        Decimal, says("Balance above the capital, in per cent of the deposit")
    ]
    reached_at: Annotated[datetime, says("When the balance came to where it is")]
    peak_equity: Annotated[Decimal, says("The highest that an event has shown")]
    equity_drawdown: Annotated[
        Decimal,
        says("Largest fall below the peak, in per cent of it, that events have shown"),
    ]
    trades: Annotated[int, says("Trades opened; without one it is on no board")]
    open_trades: Annotated[int, says("Trades with lots left")]
    tie_break: Annotated[
        str, says("SHA-256 of the account's id, for what else is equal")
    ]
    partition: Annotated[str, says("Where its events are stored")]
    position: Annotated[int, says("Of its latest event in that partition")]


TABLE = Table(
    "leaderboard",
    Score,
    key="account_id",
    comment="A row an account that competes; breached, expired or frozen it leaves",
    indexes=(
        """(board, return_percent DESC, equity_drawdown, reached_at, tie_break)
        WHERE trades > 0""",
    ),
    fillfactor=70,
)

Change = (
    PositionOpened
    | PositionIncreased
    | PositionClosed
    | RuleBreached
    | ObjectivesMet
    | AccountExpired
    | AccountQuarantined
    | FlowPosted
    | AccountScaled
    | BreachAnnulled
    | SwapPosted
    | NegativeBalanceCleared
)


def wanted(page: Sequence[Told]) -> Wanted:
    return Wanted(frozenset(each.subject for each in page))


def fold(rows: Rows[Score], told: Told) -> None:
    fact = told.fact
    if isinstance(fact, AccountOpened):
        if fact.venue_id == LIVE:
            rows.put(fact.account_id, entered(told, fact))
    elif isinstance(fact, Change) and (score := rows.get(told.subject)):
        if isinstance(fact, AccountExpired | AccountQuarantined):
            rows.remove(score.account_id)
        else:
            moved = after(score, fact)
            rows.put(score.account_id, replace(moved, position=told.position))


def entered(told: Told, fact: AccountOpened) -> Score:
    return Score(
        account_id=fact.account_id,
        board=MAIN,
        trader_id=fact.trader_id,
        phase=fact.phase.name,
        deposit=fact.deposit.amount,
        capital=fact.deposit.amount,
        balance=fact.deposit.amount,
        carried_percent=per_cent(Decimal(0), fact.deposit.amount),
        return_percent=per_cent(Decimal(0), fact.deposit.amount),
        reached_at=fact.at,
        peak_equity=fact.deposit.amount,
        equity_drawdown=per_cent(Decimal(0), fact.deposit.amount),
        trades=0,
        open_trades=0,
        tie_break=sha256(fact.account_id.encode()).hexdigest(),
        partition=told.partition,
        position=told.position,
    )


def after(score: Score, fact: Change) -> Score:
    match fact:
        case PositionOpened():
            score = replace(
                score, trades=score.trades + 1, open_trades=score.open_trades + 1
            )
            return banked(score, fact.balance.amount, fact.at)
        case PositionClosed():
            ended = sum(not fill.left for fill in fact.fills)
            score = replace(score, open_trades=score.open_trades - ended)
            score = banked(score, fact.balance.amount, fact.at)
            return score if score.open_trades else known(score, score.balance)
        case RuleBreached(breaches=breaches) if Verdict(breaches=breaches).is_hard:
            return replace(score, board=OFF)  # a breach may be annulled
        case RuleBreached() | ObjectivesMet():
            return known(score, fact.equity.amount)
        case BreachAnnulled():
            score = banked(score, fact.balance.amount, fact.at)
            return known(replace(score, board=MAIN), score.balance)
        case PositionIncreased() | SwapPosted() | NegativeBalanceCleared():
            return banked(score, fact.balance.amount, fact.at)
        case AccountExpired() | AccountQuarantined():
            return score
        case FlowPosted():
            return flowed(score, fact)
        case AccountScaled():
            return scaled(score, fact)
        case _:
            assert_never(fact)


def banked(score: Score, balance: Decimal, at: datetime) -> Score:
    if balance == score.balance:
        return score
    gained = per_cent(balance - score.capital, score.deposit)
    return replace(
        score,
        balance=balance,
        return_percent=score.carried_percent + gained,
        reached_at=at,
    )


def flowed(score: Score, fact: FlowPosted | AccountScaled) -> Score:
    """It is no return, and no fall below the peak."""
    return replace(
        score,
        capital=score.capital + fact.amount.amount,
        balance=fact.balance.amount,
        peak_equity=score.peak_equity + fact.amount.amount,
    )


def scaled(score: Score, fact: AccountScaled) -> Score:
    """What was earned on less stays what it was; from here on more is asked for it."""
    return replace(
        flowed(score, fact),
        deposit=fact.deposit.amount,
        capital=fact.balance.amount,
        carried_percent=score.return_percent,
    )


def known(score: Score, equity: Decimal) -> Score:
    if score.board == OFF:
        return score
    peak = max(score.peak_equity, equity)
    fall = per_cent(peak - equity, peak) if peak > 0 else Decimal(0)
    return replace(
        score,
        peak_equity=peak,
        equity_drawdown=max(score.equity_drawdown, fall),
    )


def per_cent(part: Decimal, whole: Decimal) -> Decimal:
    return (part * HUNDRED / whole).quantize(STEP, ROUND_HALF_EVEN) + 0  # no -0.0000


LEADERBOARD = Projection(TABLE, (AccountOpened, *get_args(Change)), wanted, fold)


class Ranked(Struct, frozen=True, kw_only=True):
    rank: int
    handle: str
    account_id: str
    phase: str
    return_percent: Decimal
    equity_drawdown: Decimal


# A name is a person's, so it is asked for now and kept nowhere; without one a mask.
BOARD = """
    SELECT rank, coalesce(handle, 'trader-' || left(tie_break, 6)) AS handle,
        account_id, phase, return_percent, equity_drawdown
    FROM (
        SELECT *, dense_rank() OVER (
            ORDER BY return_percent DESC, equity_drawdown, reached_at
        ) AS rank
        FROM read.leaderboard
        WHERE board = %(board)s AND trades > 0
        ORDER BY return_percent DESC, equity_drawdown, reached_at, tie_break
        LIMIT %(limit)s
    ) AS best
    LEFT JOIN identity.people USING (trader_id)
    ORDER BY rank, tie_break
"""


async def leaderboard(pool: Pool, board: str, limit: int) -> tuple[Ranked, ...]:
    """Give the best of a board; only those alike in all three figures share a rank."""
    return await fetch(pool, BOARD, {"board": board, "limit": limit}, Ranked)
