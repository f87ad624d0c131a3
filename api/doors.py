"""Every route says who may come in; without that the app does not start."""

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any, Final

from litestar import Litestar, Request
from litestar.handlers import BaseRouteHandler
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct

from api.problems import Problem
from application.caller import Caller, Role
from application.refusals import Forbidden, Unauthenticated

DOOR: Final = "door"
BEARER: Final = b"bearer "
TOKEN_BYTES: Final = 4096

NOT_FROM_MEMORY: Final = ("/health", "/live", "/ready", "/metrics", "/static/")

Authenticate = Callable[[bytes], Awaitable[Caller]]
Confirm = Callable[[], Awaitable[None]]


class Door(Struct, frozen=True):
    """Who may come in: anyone, or the signed in who hold one of the roles."""

    open: bool = False
    roles: frozenset[Role] = frozenset()  # empty: every role will do


ANYONE: Final[Mapping[str, Any]] = {DOOR: Door(open=True)}
SIGNED_IN: Final[Mapping[str, Any]] = {DOOR: Door()}


def only(*roles: Role) -> Mapping[str, Any]:
    """Pass as `opt=` of a route; a super admin comes in everywhere."""
    return {DOOR: Door(roles=frozenset(roles))}


def doorkeeper(authenticate: Authenticate) -> Callable[[ASGIApp], ASGIApp]:
    """Build a middleware, since Litestar copies a route for each of its guards."""

    def beside(app: ASGIApp) -> ASGIApp:
        async def keep(scope: Scope, receive: Receive, send: Send) -> None:
            handler = scope["route_handler"]
            door: Door | None = handler.opt.get(DOOR)
            if door is None:
                if not _is_options(handler):  # Litestar's own, which lists the methods
                    raise Forbidden
            elif not door.open:
                caller = await authenticate(bearer_token(scope))
                if door.roles and not caller.has(*door.roles):
                    raise Forbidden
                scope["user"] = caller
            _refuse_unspoken(scope, handler)
            await app(scope, receive, send)

        return keep

    return beside


def confirming(confirm: Confirm) -> Callable[[ASGIApp], ASGIApp]:
    """Build a middleware: what is answered from memory is confirmed beforehand."""

    def before(app: ASGIApp) -> ASGIApp:
        async def wait(scope: Scope, receive: Receive, send: Send) -> None:
            if not scope["path"].startswith(NOT_FROM_MEMORY):
                await confirm()
            await app(scope, receive, send)

        return wait

    return before


def caller(request: Request[Caller, Any, Any]) -> Caller:
    """Who the door let in, for handlers that take `caller: NamedDependency[Caller]`."""
    return request.user


def bearer_token(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"authorization":
            token: bytes = value[len(BEARER) :]
            if value[: len(BEARER)].lower() == BEARER and len(token) <= TOKEN_BYTES:
                return token
            break
    raise Unauthenticated


def refuse_doorless(app: Litestar) -> None:
    """Fail the start, not the request."""
    doorless = sorted(
        f"{handler.owner}: {path}"
        for route in app.routes
        for handler in _handlers(route)
        for path in (route.path,)
        if DOOR not in handler.opt and not _is_options(handler)
    )
    if doorless:
        raise RuntimeError(f"no door in opt= of: {', '.join(doorless)}")


def _handlers(route: Any) -> list[BaseRouteHandler]:  # noqa: ANN401 - Litestar has three kinds
    return getattr(route, "route_handlers", None) or [route.route_handler]


def _is_options(handler: BaseRouteHandler) -> bool:
    return isinstance(handler, HTTPRouteHandler) and handler.http_methods == {"OPTIONS"}


def _refuse_unspoken(scope: Scope, handler: BaseRouteHandler) -> None:
    """Refuse what would be answered in a media type the client does not read."""
    for name, accept in scope["headers"]:
        if name == b"accept" and b"*/*" not in accept:
            spoken = _spoken(handler)
            if spoken and not _accepts(accept.decode("latin-1"), spoken):
                raise Problem("not-acceptable")
            return


def _spoken(handler: BaseRouteHandler) -> str:
    if produces := handler.opt.get("produces"):
        return str(produces)
    if isinstance(handler, HTTPRouteHandler):
        kind = handler.media_type
        return kind.value if isinstance(kind, Enum) else str(kind)
    return ""


def _accepts(accept: str, spoken: str) -> bool:
    family = f"{spoken.partition('/')[0]}/*"
    wanted = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return not wanted.isdisjoint({spoken.partition(";")[0], family, "*/*"})
