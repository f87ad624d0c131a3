"""The way out to one client: it takes bytes as long as the client takes them.

Frames go straight to the transport, since one made for many costs less than half of
one that the server frames anew for each. It is for what has begun as a stream only:
the server has sent the head of the answer, and leaves the rest to us.
"""

import asyncio
import socket
from typing import Any, Final

from litestar.types import Scope

EXTENSION: Final = "tradesense.line"
UNSENT_BYTES: Final = 64 * 1024
KERNEL_BYTES: Final = 128 * 1024  # Linux books twice as much
GRACE_SECONDS: Final = 2.0


class Line:
    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_taken = False

    def take(self) -> None:
        """Stream from here on. What waits in the kernel is bounded too."""
        self.is_taken = True
        if (connected := self._transport.get_extra_info("socket")) is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)

    @property
    def is_free(self) -> bool:
        return (
            self._transport.get_write_buffer_size() <= UNSENT_BYTES
            and not self._transport.is_closing()
        )

    def write(self, frame: bytes) -> None:
        self._transport.write(frame)

    def give_up(self) -> None:
        """A client that reads no more would keep a closing connection for ever."""
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._transport.abort)


def line_of(scope: Scope) -> Line:
    """Find what `api/listening.py` has put there."""
    extensions: dict[str, Any] = scope["extensions"] or {}
    line: Line = extensions[EXTENSION]["line"]
    return line


def address_of(scope: Scope) -> str:
    return scope["client"][0] if scope["client"] else ""
