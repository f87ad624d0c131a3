"""Tells readers on `ts_<partition>` that the log has grown; a hint, never the truth.

Sent from a connection of its own, so that no batch waits for it, and coalesced: while
one hint is on its way, only the newest position is remembered.
"""

import asyncio

from infrastructure.event_store.wire import Call, Failed, Lost, Wire, with_options

CLOSE_SECONDS = 2.0  # for the hint that is on its way
_SEND = {b"hint": "SELECT pg_notify($1::text, $2::text)"}


def channel(partition: str) -> str:
    return f"ts_{partition}"


class Hints:
    def __init__(self, dsn: str, partition: str) -> None:
        self._dsn = with_options(
            dsn,
            f"hints-{partition}",
            statement_timeout="2s",
            synchronous_commit="off",  # a hint must not cost the disk a flush
        )
        self._channel = channel(partition).encode()
        self._wire: Wire | None = None
        self._newest: int | None = None
        self._sending: asyncio.Task[None] | None = None

    def give(self, position: int) -> None:
        self._newest = position
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def close(self) -> None:
        self._newest = None
        if self._sending is not None:
            await asyncio.wait({self._sending}, timeout=CLOSE_SECONDS)
            self._sending.cancel()
        if self._wire is not None:
            self._wire.close()

    async def _send(self) -> None:
        try:
            while (position := self._newest) is not None:
                self._newest = None
                if self._wire is None or self._wire.is_lost:
                    self._wire = await Wire.open(self._dsn, _SEND)
                text = str(position).encode()
                await self._wire.run((Call(b"hint", (self._channel, text)),))
        except (Lost, Failed):
            return  # readers poll; the next commit tries again
