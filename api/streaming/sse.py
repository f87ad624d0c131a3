"""`GET /api/v1/stream`: server-sent events, which a page can read without a library."""

import asyncio
import re
from contextlib import suppress
from typing import Annotated, Any, Final

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import QueryParameter, SkipValidation
from litestar.types import ASGIApp, Receive, Scope, Send
from litestar.types.asgi_types import HTTPResponseBodyEvent, HTTPResponseStartEvent

from api.doors import ANYONE, bearer_token
from api.streaming.framing import events
from api.streaming.hub import Change
from api.streaming.line import GRACE_SECONDS, address_of, line_of
from api.streaming.messages import MOST_CHANNELS, NAME
from api.streaming.streams import Streams

EVENT_STREAM: Final = "text/event-stream"
COME_BACK: Final = b"retry: 1000\n\n"
EVENT_ID: Final = re.compile(rb"[0-9]{1,16}")

Channels = Annotated[
    str,
    QueryParameter(
        description="Which channels, with commas between them.",
        pattern=rf"^{NAME}(,{NAME}){{0,{MOST_CHANNELS - 1}}}$(?!\n)",
    ),
]


@get(
    "/stream",
    opt=dict(ANYONE),
    media_type=EVENT_STREAM,
    responses={
        200: ResponseSpec(str, media_type=EVENT_STREAM, description="Events, endless.")
    },
)
async def stream(
    request: Request[Any, Any, Any],
    streams: NamedDependency[SkipValidation[Streams]],
    channels: Channels,
) -> ASGIApp:
    """Show what happens in the channels, as it happens. See `docs/streaming.md`."""
    names = tuple(dict.fromkeys(channels.split(",")))
    scope: Scope = request.scope
    streams.must_have_room(address_of(scope))
    token = bearer_token(scope) if has_token(scope) else None
    caller = None if token is None else await streams.authenticate(token)
    for name in names:
        await streams.open(name, caller)
    return Reading(streams, names, token, last_event_id(scope))


class Reading:
    """The answer: it ends when the reader goes, or may not read on."""

    def __init__(
        self,
        streams: Streams,
        names: tuple[str, ...],
        token: bytes | None,
        after: int | None,
    ) -> None:
        self._streams = streams
        self._token = token
        self._change = Change(joins=names, after_number=after, is_told=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line = line_of(scope)
        with self._streams.subscriber(line, events, address_of(scope)) as subscriber:
            if self._token is not None:
                self._streams.hold(subscriber, self._token)
            await send(start())
            await send(body(COME_BACK, more=True))
            line.take()
            self._streams.hub.change(subscriber, self._change)
            gone = asyncio.create_task(until_gone(receive))
            try:
                await asyncio.wait(
                    (gone, subscriber.ended), return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                gone.cancel()
                line.give_up()
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await send(body(b"", more=False))


def start() -> HTTPResponseStartEvent:
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"transfer-encoding", b"chunked"),  # as `framing.events` makes it
            (b"x-accel-buffering", b"no"),
            (b"connection", b"close"),
        ],
    }


async def until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def body(part: bytes, *, more: bool) -> HTTPResponseBodyEvent:
    return {"type": "http.response.body", "body": part, "more_body": more}


def last_event_id(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"last-event-id" and EVENT_ID.fullmatch(value):
            return int(value)
    return None


def has_token(scope: Scope) -> bool:
    return any(name == b"authorization" for name, _ in scope["headers"])
