"""Row 9 of the contract: what stands on an account, as new as its last answer."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from api.conventions import IdText
from api.doors import SIGNED_IN
from api.trading.asking import owner_for
from application.caller import Caller
from application.gateway import Gateway
from application.views.account import AccountView


@get("/accounts/{account_id:str}", opt=dict(SIGNED_IN))
async def one_account(
    account_id: FromPath[IdText],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[SkipValidation[Gateway]],
) -> AccountView:
    return gateway.account(account_id, owner_for(caller))
