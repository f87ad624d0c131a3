"""Every answer leaves with our request id and with headers that keep browsers safe."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import uuid_utils
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MEDIA_TYPE, Fault, Problem, body_of

SAFE: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
API_ONLY: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
PAGE_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGES_ONLY: Final = ((b"content-security-policy", PAGE_POLICY),)
PAGES: Final = ("/docs", "/console", "/static", "/problems")


def with_safe_headers(app: ASGIApp) -> ASGIApp:
    async def framed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await app(scope, receive, send)
            return
        request_id = str(uuid_utils.uuid7())
        scope.setdefault("state", {})["request_id"] = request_id
        path = scope["path"]
        is_page = path == "/" or path.startswith(PAGES)
        extra = (
            (b"x-request-id", request_id.encode()),
            *SAFE,
            *(PAGES_ONLY if is_page else API_ONLY),
        )

        async def send_framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(header for header in extra if header[0] not in own),
                ]
            await send(message)

        if _names_nul(scope):
            await _refuse_nul(request_id, send_framed)
            return
        await app(scope, receive, send_framed)

    return framed


def _names_nul(scope: Scope) -> bool:
    """No path and no parameter means a NUL; databases choke on it."""
    query = scope["query_string"]
    return "\0" in scope["path"] or (b"%" in query and b"\0" in unquote_to_bytes(query))


async def _refuse_nul(request_id: str, send: Callable[[Any], Awaitable[None]]) -> None:
    problem = Problem("invalid-request", errors=(Fault("", "a NUL in the address"),))
    body = body_of(problem, request_id)
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [
                (b"content-type", MEDIA_TYPE.encode()),
                (b"content-length", str(len(body)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
