"""Five hundred who read a stream, in one process beside the server.

They say when all are there, and when each has read all; some of them also look at what
they read. Frames are taken apart by hand: a library would be what is measured.
"""

import asyncio
import base64
import os
import socket
import sys
from typing import Final, cast

import msgspec
import uvloop

from benchmarks.told import CHANNEL, MARK

TEXT: Final = 1
LONG: Final = {126: 2, 127: 8}  # bytes that tell the length
SMALL_BUFFER: Final = 64 * 1024  # of those who never read
SHORTEST: Final = 2
END_OF_HEAD: Final = b"\r\n\r\n"
MOST_LOOKS: Final = 5  # readers that look at all they read
AT_ONCE: Final = 10
SUBSCRIBES: Final = {
    "/api/v1/stream": b'{"type":"subscribe","channels":["%b"]}' % CHANNEL.encode()
}


class Readers:
    def __init__(self, readers: int, messages: int) -> None:
        self.messages = messages
        self.to_end = readers
        self.have_all = asyncio.Event()
        self._there = asyncio.Semaphore(0)

    def came(self) -> None:
        self._there.release()

    async def are_there(self, many: int) -> None:
        for _ in range(many):
            await self._there.acquire()

    def ended(self) -> None:
        self.to_end -= 1
        if not self.to_end:
            self.have_all.set()


class Reader(asyncio.Protocol):
    def __init__(
        self, all_of_them: Readers, path: str, *, looks: bool, is_deaf: bool
    ) -> None:
        self._all = all_of_them
        self._path = path
        self._looks = looks
        self._is_deaf = is_deaf
        self._is_joining = True
        self._rest = b""
        self._read = 0
        self._sequence = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        at = 0
        if self._is_joining:
            at = data.find(END_OF_HEAD) + len(END_OF_HEAD)
            if at < len(END_OF_HEAD):
                self._rest = data
                return
            assert data.startswith(b"HTTP/1.1 101"), data
            self._is_joining = False
            if self._path in SUBSCRIBES:
                self._transport.write(masked(SUBSCRIBES[self._path]))
            else:
                self._join()
        self._rest = data[self._take_frames(data, at) :]

    def _join(self) -> None:
        self._all.came()
        if self._is_deaf:
            self._transport.pause_reading()

    def _take_frames(self, data: bytes, at: int) -> int:
        """Take whole frames; give where the rest begins."""
        while len(data) - at >= SHORTEST:
            length, begins = data[at + 1], at + SHORTEST
            if (extra := LONG.get(length)) is not None:
                length = int.from_bytes(data[begins : begins + extra])
                begins += extra
            ends = begins + length
            if ends > len(data):
                break
            if data[at] & 0xF == TEXT:
                self._take(data, begins, ends)
            at = ends
        return at

    def _take(self, data: bytes, begins: int, ends: int) -> None:
        many = data.count(MARK, begins, ends)
        if not many:
            if b"snapshot" in data[begins:ends]:
                self._join()
            return
        if self._looks:
            self._look(data[begins:ends])
        self._read += many
        if self._read == self._all.messages:
            self._all.ended()

    def _look(self, text: bytes) -> None:
        told = msgspec.json.decode(text)
        for message in told if isinstance(told, list) else [told]:
            assert message["channel"] == CHANNEL
            assert message["data"]["sequence"] == self._sequence
            self._sequence += 1


def masked(text: bytes) -> bytes:
    """A client's frame, with a mask that changes nothing."""
    return bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text


async def read(port: int, path: str, readers: int, deaf: int, messages: int) -> None:
    reading = Readers(readers, messages)
    loop = asyncio.get_running_loop()

    async def join(number: int) -> None:
        is_deaf = number >= readers
        connecting = socket.socket()
        if is_deaf:
            connecting.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        connecting.setblocking(False)
        await loop.sock_connect(connecting, ("127.0.0.1", port))
        await loop.create_connection(
            lambda: Reader(reading, path, looks=number < MOST_LOOKS, is_deaf=is_deaf),
            sock=connecting,
        )

    for numbers in (range(readers), range(readers, readers + deaf)):
        for start in numbers[::AT_ONCE]:
            await asyncio.gather(*map(join, range(start, start + AT_ONCE)))
        await reading.are_there(len(numbers))
    say("here")
    await reading.have_all.wait()
    say("done")
    await asyncio.Event().wait()  # until it is ended: who is deaf stays


def say(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(read(int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])))
