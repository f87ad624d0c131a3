"""Row 15 of the contract: a venue's symbols, their last quotes, candles and ticks.

Of the live venue everybody who is signed in sees them, refused quotes too: by them
anybody can check what the gate made of the market. Of a sandbox only its owner.
"""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, SkipValidation

from api.conventions import CursorText, Limit, Page, cursor_of, place_of
from api.doors import SIGNED_IN
from api.problems import refused_at
from api.trading.asking import owner_for
from api.trading.reads import Reads
from application.caller import Caller
from application.candles import Candle, Interval, length
from application.gateway import LIVE_PARTITION, Gateway
from application.refusals import NotFound
from application.views.venue import SymbolView
from infrastructure.event_store import tick_history
from infrastructure.event_store.tick_history import Place, Said, quoted
from projections import candles as table

SymbolInPath = Annotated[
    str, PathParameter(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,23}$(?!\n)")
]
VenueId = Annotated[
    str, QueryParameter(name="venue_id", pattern=r"^[A-Za-z0-9_-]{1,80}$(?!\n)")
]

Since = Annotated[datetime | None, QueryParameter(name="from")]
Until = Annotated[datetime | None, QueryParameter(name="to")]
IntervalInQuery = Annotated[Interval, QueryParameter(name="interval")]
IsAccepted = Annotated[bool | None, QueryParameter(name="accepted")]
END_OF_TIME: Final = datetime(9999, 12, 31, tzinfo=UTC)
PATIENCE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.05


@get("/market-data/symbols", opt=dict(SIGNED_IN))
async def symbols(
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    venue_id: VenueId = "live",
) -> Page[SymbolView]:
    """List a venue's symbols; there are at most two hundred, so they make one page."""
    items = gateway.symbols(venue_id, owner_for(caller))
    position = f"{LIVE_PARTITION}-{gateway.position(LIVE_PARTITION)}"
    return Page(items=items, next=None, position=position)


@get("/market-data/symbols/{symbol:str}", opt=dict(SIGNED_IN))
async def one_symbol(
    symbol: SymbolInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    venue_id: VenueId = "live",
) -> SymbolView:
    return listed(gateway, venue_id, symbol, caller)


@get("/market-data/symbols/{symbol:str}/candles", opt=dict(SIGNED_IN))
async def candles(  # noqa: PLR0913, PLR0917 - Litestar names what it gives
    symbol: SymbolInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    interval: IntervalInQuery = Interval.MINUTE,
    since: Since = None,
    until: Until = None,
    cursor: CursorText = None,
    limit: Limit = 50,
    venue_id: VenueId = "live",
) -> Page[Candle]:
    """List candles from an instant on, or the last ones before `to`; oldest first."""
    known = listed(gateway, venue_id, symbol, caller)
    start, end = instant(since, "from"), instant(until, "to") or END_OF_TIME
    if cursor:
        start = place_of(cursor, tuple[datetime])[0]
    await caught_up(reads, gateway, venue_id)
    found = await table.candles(
        reads.pool,
        table.Wanted(
            venue_id=venue_id,
            symbol=known.symbol,
            interval=interval,
            since=start,
            until=end,
            limit=limit,
        ),
    )
    following = None
    if start is not None and len(found) == limit:
        following = cursor_of((found[-1].opens_at + length(interval)).isoformat())
    return Page(items=found, next=following, position=told(gateway, venue_id))


@get("/market-data/symbols/{symbol:str}/ticks", opt=dict(SIGNED_IN))
async def ticks(  # noqa: PLR0913, PLR0917 - as above
    symbol: SymbolInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    since: Since = None,
    until: Until = None,
    accepted: IsAccepted = None,
    cursor: CursorText = None,
    limit: Limit = 50,
    venue_id: VenueId = "live",
) -> Page[Said]:
    """List every quote, accepted or refused with its reason, in the order it came.

    Without `from` the last hour; a page may be short, `next` says whether it goes on.
    """
    known = listed(gateway, venue_id, symbol, caller)
    now = gateway.now(venue_id, None)
    found = await quoted(
        reads.pool,
        tick_history.Wanted(
            partition=gateway.partition_of_venue(venue_id),
            venue_id=venue_id,
            symbol=known.symbol,
            since=instant(since, "from") or now - length(Interval.HOUR),
            until=instant(until, "to") or END_OF_TIME,
            accepted=accepted,
            limit=limit,
        ),
        Place(*place_of(cursor, tuple[int, int])) if cursor else None,
    )
    following = cursor_of(found.next.number, found.next.seen) if found.next else None
    return Page(items=found.items, next=following, position=told(gateway, venue_id))


def listed(gateway: Gateway, venue_id: str, symbol: str, caller: Caller) -> SymbolView:
    for each in gateway.symbols(venue_id, owner_for(caller)):
        if each.symbol == symbol:
            return each
    raise NotFound(symbol)


async def caught_up(reads: Reads, gateway: Gateway, venue_id: str) -> None:
    """Show the owner of a sandbox what has just been quoted there; a courtesy.

    A live market never stands still: its candles are a moment behind.
    """
    if gateway.partition_of_venue(venue_id) == LIVE_PARTITION:
        return
    wanted = gateway.last_block(venue_id)
    waited = 0.0
    while waited < PATIENCE_SECONDS:
        if await table.told_to(reads.pool, venue_id) >= wanted:
            return
        await asyncio.sleep(LOOK_SECONDS)
        waited += LOOK_SECONDS


def instant(at: datetime | None, name: str) -> datetime | None:
    """Raise `Problem` for an instant without a zone: nobody knows when that is."""
    if at is not None and at.tzinfo is None:
        raise refused_at(name, "an instant has a zone, as 2026-01-05T09:00:00Z")
    return at


def told(gateway: Gateway, venue_id: str) -> str:
    partition = gateway.partition_of_venue(venue_id)
    return f"{partition}-{gateway.position(partition)}"
