"""The way of an account's equity, computed from its events and from the tick log.

Nothing is kept for it but the last answers: a restart loses no point.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation
from msgspec import Struct
from msgspec.structs import replace
from psycopg_pool import AsyncConnectionPool

from api.conventions import IdInPath
from api.doors import ANYONE
from api.trading.viewing import AnyRequest, Viewing
from application.curve import Curve, Point, thinned
from application.gateway import Gateway
from application.refusals import Busy
from application.views.account import AccountStatus, AccountView
from infrastructure.event_store.looking_back import Drawing, looked_back

MOST_POINTS: Final = 600
USUAL_POINTS: Final = 300
KEPT: Final = 256
FRESH_SECONDS: Final = 2.0
MOST_WAITING: Final = 16
TRADING: Final = frozenset({"active", "paused"})

Points = Annotated[int, QueryParameter(ge=2, le=MOST_POINTS)]


class CurveView(Struct, frozen=True, kw_only=True):
    """Floors by their rule's id. The last point is exact; the way to it is sampled."""

    account_id: str
    currency: str
    deposit: Decimal
    status: AccountStatus
    ended_at: datetime | None  # by what ended the account: no point comes after it
    is_whole: bool  # False: it has more events than are looked at
    points: Sequence[Point]


class Kept(Struct, frozen=True):
    at: float
    version: int
    curve: CurveView


@get("/accounts/{account_id:str}/curve", opt=dict(ANYONE))
async def curve(
    request: AnyRequest,
    account_id: IdInPath,
    viewing: NamedDependency[SkipValidation[Viewing]],
    curves: NamedDependency[SkipValidation["Curves"]],
    points: Points = USUAL_POINTS,
) -> CurveView:
    """Give equity, balance and every floor over time, ending with the account."""
    seen = viewing.see(account_id, await viewing.viewer(request))
    found = await curves.of(seen.account)
    return replace(found, points=thinned(found.points, points))


class Curves:
    """Drawn one at a time, in a thread: the engine's loop goes on meanwhile."""

    def __init__(self, pool: AsyncConnectionPool[Any], gateway: Gateway) -> None:
        self._pool = pool
        self._gateway = gateway
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def of(self, account: AccountView) -> CurveView:
        """Raise `Busy` where too many wait for theirs."""
        if (known := self._known(account)) is not None:
            return known
        if self._waiting >= MOST_WAITING:
            raise Busy("too many curves are being drawn")
        self._waiting += 1
        try:
            async with self._turn:
                return self._known(account) or await self._draw(account)
        finally:
            self._waiting -= 1

    def _known(self, account: AccountView) -> CurveView | None:
        """Nothing moves what has ended; the rest is good for a moment."""
        kept = self._kept.get(account.account_id)
        if kept is None or kept.version != account.version:
            return None
        age = asyncio.get_running_loop().time() - kept.at
        is_good = account.status not in TRADING or age < FRESH_SECONDS
        return kept.curve if is_good else None

    async def _draw(self, account: AccountView) -> CurveView:
        found = await looked_back(
            self._pool,
            self._gateway.partition_of_account(account.account_id),
            account,
        )
        instruments = self._gateway.instruments(account.venue_id)
        points = await asyncio.to_thread(drawn, account, found, Curve(instruments))
        is_over = account.status not in TRADING
        view = CurveView(
            account_id=account.account_id,
            currency=account.currency,
            deposit=account.deposit,
            status=account.status,
            ended_at=points[-1].at if is_over and found.is_whole else None,
            is_whole=found.is_whole,
            points=points,
        )
        now = asyncio.get_running_loop().time()
        self._kept[account.account_id] = Kept(now, account.version, view)
        self._kept.move_to_end(account.account_id)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return view


def drawn(account: AccountView, found: Drawing, curve: Curve) -> list[Point]:
    points = list(curve.points(found.facts, found.turns, found.samples()))
    if account.status in TRADING and found.is_whole:
        floors = {limit.rule: limit.floor for limit in account.limits}
        now = Point(account.valued_at, account.equity, account.balance, floors)
        points = [*(each for each in points if each.at < now.at), now]
    return thinned(points, MOST_POINTS)
