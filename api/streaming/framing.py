"""Pieces as the bytes of a WebSocket, and of server-sent events over HTTP/1.1.

Many pieces make one frame: a frame costs a call to the kernel, whatever is in it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from api.streaming.pieces import Piece

FRAME_BYTES: Final = 256 * 1024
TEXT: Final = 0x81  # the one and last frame of a text
SHORT, MEDIUM = 126, 65_536  # from here on a length takes two bytes, or eight


class Frame(Struct, frozen=True):
    bytes: bytes
    number: int  # of its last piece


Form = Callable[[Sequence[Piece]], tuple[Frame, ...]]


def texts(pieces: Sequence[Piece]) -> tuple[Frame, ...]:
    """Each frame is a JSON array."""
    return tuple(
        Frame(framed(b"[%b]" % b",".join(parts)), number)
        for parts, number in bounded((each.json, each.number) for each in pieces)
    )


def events(pieces: Sequence[Piece]) -> tuple[Frame, ...]:
    """Each frame is a chunk of the body, which ends with the connection."""
    return tuple(
        Frame(chunk(b"".join(parts)), number)
        for parts, number in bounded((each.event, each.number) for each in pieces)
    )


def bounded(pieces: Iterator[tuple[bytes, int]]) -> Iterator[tuple[list[bytes], int]]:
    parts: list[bytes] = []
    size = last = 0
    for part, number in pieces:
        if parts and size + len(part) > FRAME_BYTES:
            yield parts, last
            parts, size = [], 0
        parts.append(part)
        size += len(part)
        last = number
    if parts:
        yield parts, last


def framed(payload: bytes) -> bytes:
    """A server's frame carries no mask (RFC 6455, 5.2)."""
    length = len(payload)
    if length < SHORT:
        return bytes((TEXT, length)) + payload
    if length < MEDIUM:
        return bytes((TEXT, 126)) + length.to_bytes(2) + payload
    return bytes((TEXT, 127)) + length.to_bytes(8) + payload


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)
