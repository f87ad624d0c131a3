"""Rows 9 and 10 of the contract: what stands on an account, and how it came about."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from api.conventions import CursorText, IdInPath, Limit, MinPosition, Page
from api.doors import SIGNED_IN
from api.trading.asking import owner_for
from api.trading.reads import Reads, after, cursor_after
from application.caller import Caller
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION, Gateway
from application.views.account import AccountView
from infrastructure.event_store.history import Happened, history
from projections.accounts import accounts_of

AfterPosition = Annotated[
    str,
    QueryParameter(
        name="after_position", pattern=r"^([a-z][a-z0-9]{0,30}-)?[0-9]{1,18}$(?!\n)"
    ),
]


@get("/accounts", opt=dict(SIGNED_IN))
async def accounts(
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    min_position: MinPosition = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Page[AccountView]:
    """List mine, the newest first, each as it stands now."""
    await reads.catch_up(SANDBOX_PARTITION, min_position)
    position = await reads.catch_up(LIVE_PARTITION, None)
    found = await accounts_of(
        reads.pool, caller.trader_id, after=after(cursor), limit=limit
    )
    items = tuple(
        gateway.account(row.account_id, caller.trader_id) for row in found.items
    )
    return Page(items=items, next=cursor_after(found), position=position)


@get("/accounts/{account_id:str}", opt=dict(SIGNED_IN))
async def one_account(
    account_id: IdInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    min_position: MinPosition = None,
) -> AccountView:
    """Show what stands: always as new as the account's last answered command."""
    await reads.reach(min_position)
    return gateway.account(account_id, owner_for(caller))


@get("/accounts/{account_id:str}/events", opt=dict(SIGNED_IN))
async def account_events(
    account_id: IdInPath,
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
    reads: NamedDependency[SkipValidation[Reads]],
    after_position: AfterPosition = "0",
    min_position: MinPosition = None,
    limit: Limit = 50,
) -> Page[Happened]:
    """List the log of one account, in order, straight from where it is kept."""
    await reads.reach(min_position)
    partition = gateway.see_account(account_id, owner_for(caller))
    facts = await history(
        reads.pool,
        partition,
        f"account-{account_id}",
        after_position=int(after_position.rpartition("-")[2]),
        limit=limit,
    )
    following = facts[-1].position if len(facts) == limit else None
    position = f"{partition}-{gateway.position(partition)}"
    return Page(items=facts, next=following, position=position)
