"""What the machine takes: the same bytes, framed beforehand, to sockets and no more."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, cast

from api.streaming.channel import KEPT
from api.streaming.framing import framed
from benchmarks.told import messages

HELLO: Final = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
UNSENT_BYTES: Final = 64 * 1024


class Reader(asyncio.Protocol):
    def __init__(self, readers: list[asyncio.Transport]) -> None:
        self._readers = readers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        reader = cast("asyncio.Transport", transport)
        self._readers.append(reader)
        reader.write(HELLO)


@asynccontextmanager
async def serving(
    listener: socket.socket,
) -> AsyncIterator[Callable[[int, int], Awaitable[None]]]:
    readers: list[asyncio.Transport] = []
    loop = asyncio.get_running_loop()

    async def publish(many: int, _deaf: int) -> None:
        told = list(messages(many))
        for start in range(0, many, KEPT):
            frame = framed(b"[%b]" % b",".join(told[start : start + KEPT]))
            for reader in readers:
                while reader.get_write_buffer_size() > UNSENT_BYTES:  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(0)
                reader.write(frame)

    async with await loop.create_server(lambda: Reader(readers), sock=listener):
        yield publish
