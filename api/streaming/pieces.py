"""One message as it goes out: encoded once, when it is first sent."""

from typing import Protocol

import msgspec
from msgspec import Struct

from api.streaming.messages import Message

ENCODE = msgspec.json.Encoder().encode


class Piece(Protocol):
    @property
    def number(self) -> int:
        """Of all that the hub was told; whoever has it has all before it."""
        ...

    @property
    def json(self) -> bytes: ...

    @property
    def event(self) -> bytes:
        """As a server-sent event."""
        ...


class Entry:
    """A message of a channel, kept for those who lag or come back."""

    __slots__ = ("_event", "_json", "_message", "number")

    def __init__(self, number: int, message: Message) -> None:
        self.number = number
        self._message = message
        self._json = b""
        self._event = b""

    @property
    def seq(self) -> int:
        return self._message.seq

    @property
    def data(self) -> Struct | msgspec.Raw | None:
        return self._message.data

    @property
    def json(self) -> bytes:
        if not self._json:
            self._json = ENCODE(self._message)
        return self._json

    @property
    def event(self) -> bytes:
        if not self._event:
            kind = self._message.type.encode()
            self._event = b"id: %d\n%b" % (self.number, event(kind, self.json))
        return self._event


class Note:
    """What is said to one subscriber, or to all: kept by nobody."""

    __slots__ = ("_told", "number")

    def __init__(self, number: int, told: Struct) -> None:
        self.number = number
        self._told = told

    @property
    def json(self) -> bytes:
        return ENCODE(self._told)

    @property
    def event(self) -> bytes:
        told = self._told
        kind = (
            told.type if isinstance(told, Message) else type(told).__struct_config__.tag
        )
        return event(str(kind).encode(), self.json)


class Landmark(Note):
    """A note after which a browser that comes back has missed nothing before it."""

    @property
    def event(self) -> bytes:
        return b"id: %d\n%b" % (self.number, super().event)


def event(kind: bytes, data: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind, data)
