"""Row 16 of the contract: what was crossed, with the numbers that prove it."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, SkipValidation

from api.conventions import CursorText, IdInPath, IdText, Limit, MinPosition, Page
from api.doors import SIGNED_IN
from api.trading.asking import owner_for
from api.trading.reads import Reads, after, cursor_after
from application.caller import Caller
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION, Gateway
from application.refusals import NotFound
from projections.breaches import BreachView, breach, breaches_of


@get("/breaches", opt=dict(SIGNED_IN))
async def breaches(
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    account_id: FromQuery[IdText | None] = None,
    min_position: MinPosition = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Page[BreachView]:
    """List those of one account, or all of mine, as they happened."""
    partition = LIVE_PARTITION
    if account_id is not None:
        partition = gateway.see_account(account_id, owner_for(caller))
    else:
        await reads.catch_up(SANDBOX_PARTITION, None)
    position = await reads.catch_up(partition, min_position)
    found = await breaches_of(
        reads.pool,
        account_id=account_id,
        trader_id=caller.trader_id,
        after=after(cursor),
        limit=limit,
    )
    return Page(items=found.items, next=cursor_after(found), position=position)


@get("/breaches/{breach_id:str}", opt=dict(SIGNED_IN))
async def one_breach(
    breach_id: IdInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    min_position: MinPosition = None,
) -> BreachView:
    await reads.reach(min_position)
    found = await breach(reads.pool, breach_id)
    if found is None:
        raise NotFound(breach_id)
    gateway.see_account(found.account_id, owner_for(caller))
    return found
