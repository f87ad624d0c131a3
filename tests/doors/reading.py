"""Readers of streams, over real sockets: events of a page, and a WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from httpx import AsyncClient, Response
from msgspec import Struct
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PATIENCE_SECONDS = 20


class Event(Struct, frozen=True):
    id: int | None
    type: str
    data: Any


class Page:
    """What a page of the browser does with an `EventSource`."""

    def __init__(self, answer: Response) -> None:
        self.status = answer.status_code
        self.headers = answer.headers
        self._lines = answer.aiter_lines()

    @classmethod
    @asynccontextmanager
    async def reading(
        cls,
        http: AsyncClient,
        channels: str,
        after: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> AsyncIterator[Self]:
        sent = dict(headers or {})
        if after is not None:
            sent["Last-Event-ID"] = str(after)
        async with http.stream(
            "GET", "/api/v1/stream", params={"channels": channels}, headers=sent
        ) as answer:
            yield cls(answer)

    async def next(self, *types: str) -> Event:
        """Give the next event, or the next of these types."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                event = await self._next()
                if not types or event.type in types:
                    return event

    async def ended(self) -> None:
        """Read on until the server ends it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for _ in self._lines:
                pass

    async def _next(self) -> Event:
        fields: dict[str, str] = {}
        async for line in self._lines:
            if not line:
                if "data" in fields:
                    break
                fields = {}
                continue
            name, _, value = line.partition(": ")
            fields[name] = value
        number = fields.get("id")
        return Event(
            None if number is None else int(number),
            fields["event"],
            json.loads(fields["data"]),
        )


class Talk:
    """What a trader's program does with a WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._waiting: list[Any] = []

    @classmethod
    async def connected(cls, address: tuple[str, int], **settings: Any) -> Self:
        url = f"ws://{address[0]}:{address[1]}/api/v1/stream"
        return cls(await connect(url, proxy=None, **settings))

    @classmethod
    @asynccontextmanager
    async def open(
        cls, address: tuple[str, int], token: str | None = None, **settings: Any
    ) -> AsyncIterator[Self]:
        talk = await cls.connected(address, **settings)
        async with talk.socket:
            if token is not None:
                await talk.says(type="auth", token=token)
                await talk.next("authenticated")
            yield talk

    async def says(self, **members: Any) -> None:
        await self.socket.send(json.dumps(members))

    async def subscribes(
        self, *channels: str, resume_from: dict[str, int] | None = None
    ) -> None:
        resumed = {"resume_from": resume_from} if resume_from else {}
        await self.says(type="subscribe", channels=channels, **resumed)

    async def next(self, *types: str) -> Any:
        """Give the next message, or the next of these types."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                while not self._waiting:
                    self._waiting = json.loads(await self.socket.recv())
                message = self._waiting.pop(0)
                if not types or message["type"] in types:
                    return message

    async def closed(self) -> int | None:
        """Read on to the end, and give the code that it was closed with."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed:
                return self.socket.close_code
