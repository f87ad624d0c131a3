"""The product's streams, with a market that says as much as its readers take."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import uvicorn
from litestar import Litestar

from api.app import always
from api.asgi import listening_config
from api.streaming.hub import Hub
from api.streaming.pulse import Pulse, Rhythm
from api.streaming.router import stream_router
from api.streaming.streams import Streams
from application.caller import Caller
from application.gateway import LocalGateway
from application.refusals import Unauthenticated
from benchmarks.floor import MONDAY
from benchmarks.told import CHANNEL, FIRST_SEQ, KIND, SLICE, quotes

PAUSE_SECONDS: Final = 0.001
NEVER: Final = Rhythm(beat_seconds=3_600.0)


class Market:
    """A source like any other; who reads it is nobody's business."""

    message = KIND

    def admit(self, subject: str, caller: Caller | None) -> None:
        """Let anyone in."""

    async def opening(self, subject: str) -> None:
        """Nothing has been quoted yet."""


class Monday:
    def now(self) -> datetime:
        return MONDAY


async def nobody(_: bytes) -> Caller:
    raise Unauthenticated


@asynccontextmanager
async def serving(
    listener: socket.socket,
) -> AsyncIterator[Callable[[int, int], Awaitable[None]]]:
    pulse = Pulse(NEVER.apart_seconds)
    hub = Hub(FIRST_SEQ, pulse.ask)
    streams = Streams(
        hub=hub,
        pulse=pulse,
        rhythm=NEVER,
        sources={"quotes": Market()},
        works=(),
        gateway=LocalGateway({}),
        clock=Monday(),
        authenticate=nobody,
    )
    app = Litestar(
        [stream_router()],
        dependencies={"streams": always(streams)},
        lifespan=[streams.alive],
        openapi_config=None,
        logging_config=None,
    )
    server = uvicorn.Server(listening_config(app, "127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))

    async def publish(messages: int, deaf: int) -> None:
        """Wait for those who read; they have come before those who do not."""
        readers = hub.subscribers[: len(hub) - deaf]
        for quote in quotes(messages):
            hub.publish(CHANNEL, KIND, quote)
            if quote.sequence % SLICE == 0:
                await asyncio.sleep(0)
                while any(map(hub.lags, readers)):  # noqa: ASYNC110 - they tell nobody
                    await asyncio.sleep(PAUSE_SECONDS)

    yield publish
    serving.cancel()
