"""Row 15 of the contract: the symbols of a venue and their last quotes."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, SkipValidation

from api.conventions import Page
from api.doors import SIGNED_IN
from api.trading.asking import owner_for
from application.caller import Caller
from application.gateway import LIVE_PARTITION, Gateway
from application.refusals import NotFound
from application.views.venue import SymbolView

SymbolInPath = Annotated[
    str, PathParameter(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,23}$(?!\n)")
]
VenueId = Annotated[
    str, QueryParameter(name="venue_id", pattern=r"^[A-Za-z0-9_-]{1,80}$(?!\n)")
]


@get("/market-data/symbols", opt=dict(SIGNED_IN))
async def symbols(
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    venue_id: VenueId = "live",
) -> Page[SymbolView]:
    """List a venue's symbols; there are at most two hundred, so they make one page."""
    listed = gateway.symbols(venue_id, owner_for(caller))
    position = f"{LIVE_PARTITION}-{gateway.position(LIVE_PARTITION)}"
    return Page(items=listed, next=None, position=position)


@get("/market-data/symbols/{symbol:str}", opt=dict(SIGNED_IN))
async def one_symbol(
    symbol: SymbolInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    venue_id: VenueId = "live",
) -> SymbolView:
    for listed in gateway.symbols(venue_id, owner_for(caller)):
        if listed.symbol == symbol:
            return listed
    raise NotFound(symbol)
