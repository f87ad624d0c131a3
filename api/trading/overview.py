"""An account on one page: what stands, what is open, what was closed and crossed."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Struct
from msgspec.structs import replace

from api.conventions import IdInPath, MinPosition
from api.doors import ANYONE
from api.trading.reads import Reads
from api.trading.viewing import AnyRequest, Seen, Viewing
from application.views.account import AccountView
from application.views.position import PositionView
from application.views.trade import TradeView
from domain.rules.limit import Effect
from projections.breaches import BreachView, breaches_of
from projections.happenings import handle_of
from projections.trades import trades_of

MOST_TRADES: Final = 20
MOST_BREACHES: Final = 20
UNNAMED: Final = "trader"  # until the tables know the account


class Crossed(Struct, frozen=True, kw_only=True):
    """A breach in brief; its own page has the evidence."""

    breach_id: str
    rule: str
    effect: Effect
    primary: bool
    floor: Decimal
    observed: Decimal
    decided_at: datetime


class Overview(Struct, frozen=True, kw_only=True):
    account: AccountView
    handle: str
    is_mine: bool
    positions: tuple[PositionView, ...]
    trades: tuple[TradeView, ...]  # closed, the newest first
    breaches: tuple[Crossed, ...]
    position: str


@get("/accounts/{account_id:str}/overview", opt=dict(ANYONE))
async def overview(
    request: AnyRequest,
    account_id: IdInPath,
    reads: NamedDependency[SkipValidation[Reads]],
    viewing: NamedDependency[SkipValidation[Viewing]],
    min_position: MinPosition = None,
) -> Overview:
    """Show a public account to anybody, any other one to its owner and the house."""
    viewer = await viewing.viewer(request)
    await reads.reach(min_position)
    return await overview_of(reads, viewing, viewing.see(account_id, viewer))


async def overview_of(reads: Reads, viewing: Viewing, seen: Seen) -> Overview:
    account_id = seen.account.account_id
    partition = viewing.gateway.partition_of_account(account_id)
    position = await reads.catch_up(partition, None)
    trades = await trades_of(
        reads.pool, account_id=account_id, status="closed", limit=MOST_TRADES
    )
    crossed = await breaches_of(reads.pool, account_id=account_id, limit=MOST_BREACHES)
    return Overview(
        account=seen.account,
        handle=await handle_of(reads.pool, account_id) or UNNAMED,
        is_mine=seen.is_mine,
        positions=viewing.gateway.positions(account_id, None),
        trades=trades.items if seen.is_mine else tuple(map(unsigned, trades.items)),
        breaches=tuple(map(brief, crossed.items)),
        position=position,
    )


def unsigned(trade: TradeView) -> TradeView:
    """A client order id is what its sender wrote: it is theirs."""
    return replace(trade, client_order_id=None)


def brief(breach: BreachView) -> Crossed:
    return Crossed(
        breach_id=breach.breach_id,
        rule=breach.rule,
        effect=breach.effect,
        primary=breach.primary,
        floor=breach.floor,
        observed=breach.observed,
        decided_at=breach.decided_at,
    )
