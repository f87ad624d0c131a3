"""The product as a browser meets it: on a port, with quotes and with its tables."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import uvicorn
from httpx import AsyncClient

from api.asgi import listening_config
from api.bootstrap import build, connection_pool
from infrastructure.clock import SystemClock
from infrastructure.embedded.servers import Servers
from infrastructure.identity.hashing import CHEAP, Argon2Hasher
from infrastructure.identity.people import PostgresPeople
from infrastructure.identity.seed import seed_people
from infrastructure.ids import TimeOrderedIds
from infrastructure.roles import Role
from infrastructure.settings import Environment, Settings
from projections.process import project
from tests.doors.desk import Desk

PATIENCE_SECONDS: Final = 60
T = TypeVar("T")


class Site:
    """Lives in a loop of its own thread: the browser's driver wants ours to itself."""

    def __init__(self, url: str, loop: asyncio.AbstractEventLoop) -> None:
        self.url = url
        self._loop = loop
        self.http = AsyncClient(base_url=url, timeout=PATIENCE_SECONDS)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something at the API meanwhile, as any other client would."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(
            PATIENCE_SECONDS
        )

    def desk(self, handle: str | None = None) -> Desk:
        return self.run(Desk.opened(self.http, handle))


@contextmanager
def serving(servers: Servers, folder: Path) -> Iterator[Site]:
    listener = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    settings = Settings(data=folder, feed="live")
    server = uvicorn.Server(listening_config(build(settings, servers), "127.0.0.1", 0))
    life = threading.Thread(
        target=loop.run_until_complete, args=(live(server, servers, listener),)
    )
    life.start()
    host, port = listener.getsockname()
    site = Site(f"http://{host}:{port}", loop)
    try:
        site.run(ready(site))
        yield site
    finally:
        site.run(site.http.aclose())
        server.should_exit = True
        life.join(PATIENCE_SECONDS)
        loop.close()


async def live(
    server: uvicorn.Server, servers: Servers, listener: socket.socket
) -> None:
    await seeded(servers)
    projecting = asyncio.create_task(project(servers.database_url(Role.PROJECTOR)))
    try:
        await server.serve(sockets=[listener])
    finally:
        projecting.cancel()
        await asyncio.wait((projecting,))


async def ready(site: Site) -> None:
    """Return when BTCUSD, which trades at all hours, can be bought."""
    desk = await Desk.opened(site.http)
    while (await desk.get("/market-data/symbols/BTCUSD"))["bid"] is None:  # noqa: ASYNC110 - only the API says so
        await asyncio.sleep(0.05)


async def seeded(servers: Servers) -> None:
    async with connection_pool(servers.database_url(Role.APP)) as pool:
        await seed_people(
            Environment.DEV,
            PostgresPeople(pool),
            Argon2Hasher(CHEAP),
            SystemClock(),
            TimeOrderedIds(),
        )
