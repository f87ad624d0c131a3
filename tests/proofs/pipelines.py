"""What a writer sends to PostgreSQL, read a pipeline at a time, as it came."""

from asyncio import StreamReader
from collections.abc import AsyncIterator
from typing import Final

from msgspec import Struct

BIND: Final = b"B"
SYNC: Final = b"S"
READY: Final = b"Z"  # the server's last word on a pipeline
AWAITING_SYNC: Final = (b"P", BIND, b"D", b"E", b"C")
WRITER: Final = b"application_name\0journal-"


class Pipeline(Struct, frozen=True):
    """Every byte up to a Sync, the names of the statements in it, and its batch."""

    content: bytes
    statements: tuple[str, ...]
    batch: int | None  # the number that its fence moves the head to


async def pipelines(reader: StreamReader) -> AsyncIterator[Pipeline]:
    """Ends with an `IncompleteReadError`, as the connection does."""
    while True:
        content, statements, batch = b"", [], None
        kind = AWAITING_SYNC[0]
        while kind in AWAITING_SYNC:
            sent = await message(reader)
            content += sent
            kind = sent[:1]
            if kind == BIND:
                _portal, name, parameters = sent[5:].split(b"\0", 2)
                statements.append(name.decode())
                if name == b"fence":
                    batch = first_bigint(parameters)
        yield Pipeline(content, tuple(statements), batch)


async def message(reader: StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(int.from_bytes(head[1:]) - 4)


async def greeting(reader: StreamReader) -> bytes:
    """The first message has no kind, only a length; it names the application."""
    length = await reader.readexactly(4)
    return length + await reader.readexactly(int.from_bytes(length) - 4)


def first_bigint(parameters: bytes) -> int:
    """Skip the format codes, the count of the parameters and the first one's length."""
    at = 2 + 2 * int.from_bytes(parameters[:2]) + 2 + 4
    return int.from_bytes(parameters[at : at + 8], signed=True)
