"""What has just happened on the live venue, for everybody to see."""

from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from api.conventions import Limit, MinPosition, Page
from api.doors import ANYONE
from api.trading.reads import Reads
from api.trading.viewing import LIVE
from application.gateway import LIVE_PARTITION
from projections.happenings import Happening, latest

FEW: Final = 20


@get("/feed", opt=dict(ANYONE))
async def feed(
    reads: NamedDependency[SkipValidation[Reads]],
    min_position: MinPosition = None,
    limit: Limit = FEW,
) -> Page[Happening]:
    """List breaches and passes of the live venue, the newest first."""
    position = await reads.catch_up(LIVE_PARTITION, min_position)
    items = await latest(reads.pool, LIVE, limit)
    return Page(items=items, next=None, position=position)
