"""An app on a database of its own, asked without a socket or through one."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvicorn
from httpx import AsyncClient
from litestar import Litestar

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
from tests.databases import Database, database, template
from tests.doors.running import asking, running

__all__ = ("database", "template")

LogIn = Callable[[str, str], Awaitable[dict[str, str]]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, feed="none")


@pytest.fixture
def own_servers(servers: Servers, database: Database) -> Servers:
    return Servers({role: database.dsn(role) for role in Role}, servers.redis_url)


@pytest.fixture
async def app(settings: Settings, own_servers: Servers) -> AsyncIterator[Litestar]:
    async with running(build(settings, own_servers)) as built:
        yield built


@pytest.fixture
async def http(app: Litestar) -> AsyncIterator[AsyncClient]:
    async with asking(app) as client:
        yield client


@pytest.fixture
async def seeded(own_servers: Servers) -> None:
    """The people of development."""
    async with connection_pool(own_servers.database_url(Role.APP)) as pool:
        await seed_people(
            Environment.DEV,
            PostgresPeople(pool),
            Argon2Hasher(CHEAP),
            SystemClock(),
            TimeOrderedIds(),
        )


@pytest.fixture
def log_in(http: AsyncClient, seeded: None) -> LogIn:
    """Give the headers of somebody who is signed in."""

    async def enter(email: str, password: str) -> dict[str, str]:
        answer = await http.post(
            "/api/v1/auth/login", json={"email": email, "password": password}
        )
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    return enter


@pytest.fixture
async def projected(http: AsyncClient, own_servers: Servers) -> AsyncIterator[None]:
    """The projector runs, as it does beside the API."""
    projecting = asyncio.create_task(project(own_servers.database_url(Role.PROJECTOR)))
    yield
    projecting.cancel()
    await asyncio.wait((projecting,))


@pytest.fixture
async def address(
    settings: Settings, own_servers: Servers
) -> AsyncIterator[tuple[str, int]]:
    """The app behind uvicorn, on a port that was free."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = build(settings, own_servers)
    server = uvicorn.Server(listening_config(app, "127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()
    server.should_exit = True
    await serving
