"""The `websockets` library as its documentation has it: `broadcast`, a frame a message.

Without compression, and without pings that would close who reads nothing.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, broadcast, serve

from benchmarks.told import SLICE, messages


@asynccontextmanager
async def serving(
    listener: socket.socket,
) -> AsyncIterator[Callable[[int, int], Awaitable[None]]]:
    connected: set[ServerConnection] = set()

    async def handle(connection: ServerConnection) -> None:
        connected.add(connection)
        try:
            await connection.wait_closed()
        finally:
            connected.remove(connection)

    async def publish(many: int, _deaf: int) -> None:
        for number, message in enumerate(messages(many)):
            broadcast(connected, message, text=True)
            if number % SLICE == 0:
                await asyncio.sleep(0)

    async with serve(handle, sock=listener, compression=None, ping_interval=None):
        yield publish
