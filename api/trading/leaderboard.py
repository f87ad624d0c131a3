"""Row 17 of the contract: who has done best, for everybody to see."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from api.conventions import Limit, MinPosition, Page
from api.doors import ANYONE
from api.trading.reads import Reads
from application.gateway import LIVE_PARTITION
from projections.leaderboard import Ranked
from projections.leaderboard import leaderboard as best_of

Board = Annotated[str, QueryParameter(pattern=r"^[a-z][a-z0-9-]{0,40}$(?!\n)")]


@get("/leaderboard", opt=dict(ANYONE))
async def leaderboard(
    reads: NamedDependency[SkipValidation[Reads]],
    board: Board = "main",
    min_position: MinPosition = None,
    limit: Limit = 50,
) -> Page[Ranked]:
    """Rank simulated accounts by return; results of simulations have limitations."""
    await reads.reach(min_position)
    items = await best_of(reads.pool, board, limit)
    return Page(items=items, next=None, position=reads.told(LIVE_PARTITION))
