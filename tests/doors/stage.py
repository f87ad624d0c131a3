"""The app behind uvicorn on a free port, with a rhythm of its own, and its streams."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from httpx import AsyncClient
from litestar.di import Provide
from msgspec import Struct

from api.asgi import listening_config
from api.bootstrap import build
from api.streaming.pulse import Rhythm
from api.streaming.streams import Streams
from infrastructure.embedded.servers import Servers
from infrastructure.settings import Settings
from tests.doors.desk import Desk


class Stage(Struct, frozen=True):
    address: tuple[str, int]
    http: AsyncClient
    streams: Streams

    async def desk(self) -> Desk:
        return await Desk.opened(self.http)


@asynccontextmanager
async def stage(
    settings: Settings, servers: Servers, rhythm: Rhythm
) -> AsyncIterator[Stage]:
    listener = socket.create_server(("127.0.0.1", 0))
    address: tuple[str, int] = listener.getsockname()
    app = build(settings, servers, rhythm=rhythm)
    server = uvicorn.Server(listening_config(app, "127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    url = f"http://{address[0]}:{address[1]}"
    try:
        async with AsyncClient(base_url=url, timeout=20, trust_env=False) as http:
            await http.get("/live")  # the port listens before the app is up
            provide = app.dependencies["streams"]
            assert isinstance(provide, Provide)
            yield Stage(address, http, provide.dependency())
    finally:
        server.should_exit = True
        await serving
