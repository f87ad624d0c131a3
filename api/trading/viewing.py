"""Who may look at an account: at a public one anybody, at others owner and house.

Outside production the live venue is a glass house: everybody sees its accounts under
their handles. In production an account is its owner's affair. Commands, and every
other door of the API, ask for a bearer token as ever.
"""

from typing import Any

from litestar import Request
from msgspec import Struct

from api.doors import Authenticate, bearer_token
from api.trading.asking import owner_for
from application.caller import Caller
from application.gateway import Gateway
from application.refusals import NotFound, Unauthenticated
from application.views.account import AccountView

LIVE = "live"

AnyRequest = Request[Any, Any, Any]


class Seen(Struct, frozen=True):
    account: AccountView
    is_mine: bool


class Viewing:
    def __init__(
        self, gateway: Gateway, authenticate: Authenticate, *, shows_live: bool
    ) -> None:
        self.gateway = gateway
        self._authenticate = authenticate
        self._shows_live = shows_live

    async def viewer(self, request: AnyRequest) -> Caller | None:
        """Nobody in particular, unless a token is sent: then it must be good."""
        if "authorization" not in request.headers:
            return None
        return await self._authenticate(bearer_token(request.scope))

    def see(self, account_id: str, viewer: Caller | None) -> Seen:
        """Tell a stranger the same of what is not public and of what does not exist."""
        try:
            account = self.gateway.account(account_id, None)
        except NotFound:
            raise _nothing(account_id, viewer) from None
        is_mine = viewer is not None and self._is_of(account_id, viewer.trader_id)
        if not (is_mine or self._is_open(account, viewer)):
            raise _nothing(account_id, viewer)
        return Seen(account, is_mine)

    def _is_open(self, account: AccountView, viewer: Caller | None) -> bool:
        if viewer is not None and owner_for(viewer) is None:
            return True
        return self._shows_live and account.venue_id == LIVE

    def _is_of(self, account_id: str, trader_id: str) -> bool:
        try:
            self.gateway.see_account(account_id, trader_id)
        except NotFound:
            return False
        return True


def _nothing(account_id: str, viewer: Caller | None) -> Exception:
    return Unauthenticated() if viewer is None else NotFound(account_id)
