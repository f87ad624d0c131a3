"""One contestant as a process of its own, which tells everybody the same.

It says its port, waits for the word, publishes, and then says what memory it took.
"""

import asyncio
import gc
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import uvloop

from benchmarks import streaming
from benchmarks.peers import bytes_only, channels, websockets_broadcast

KERNEL_BYTES: Final = 128 * 1024  # of unsent bytes, for all alike

Publish = Callable[[int, int], Awaitable[None]]
Contestant = Callable[[socket.socket], AbstractAsyncContextManager[Publish]]
CONTESTANTS: Final[dict[str, Contestant]] = {
    "ours": streaming.serving,
    "websockets broadcast": websockets_broadcast.serving,
    "Litestar Channels": channels.serving,
    "limit": bytes_only.serving,
}


async def run(serving: Contestant) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1_000)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
    async with serving(listener) as publish:
        say(listener.getsockname()[1])
        messages, deaf = map(int, (await heard()).split())
        gc.collect()
        gc.freeze()
        gc.set_threshold(1000, 10, 50)  # as `api/asgi.py` does
        before = mebibytes("VmRSS")
        await publish(messages, deaf)
        await heard()
        say(mebibytes("VmHWM") - before)
        await heard()  # until it is ended


def mebibytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


async def heard() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


def say(what: float) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(run(CONTESTANTS[sys.argv[1]]))
