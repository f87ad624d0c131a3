"""Litestar's Channels plugin: its backend in memory, and the routes that it makes."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
from litestar import Litestar
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.memory import MemoryChannelsBackend

from benchmarks.told import SLICE, messages

NAME: Final = "quotes"


@asynccontextmanager
async def serving(
    listener: socket.socket,
) -> AsyncIterator[Callable[[int, int], Awaitable[None]]]:
    channels = ChannelsPlugin(
        MemoryChannelsBackend(), channels=[NAME], create_ws_route_handlers=True
    )
    app = Litestar([], plugins=[channels], openapi_config=None, logging_config=None)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            log_config=None,
            access_log=False,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))

    async def publish(many: int, _deaf: int) -> None:
        for number, message in enumerate(messages(many)):
            channels.publish(message, NAME)
            if number % SLICE == 0:
                await asyncio.sleep(0)

    yield publish
    serving.cancel()
