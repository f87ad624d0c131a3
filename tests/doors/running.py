"""Keeps an app's lifespan in a task of its own, as a server would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from httpx import ASGITransport, AsyncClient
from litestar import Litestar


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[Litestar]:
    started, ended = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await ended.wait()

    life = asyncio.create_task(live())
    up = asyncio.create_task(started.wait())
    await asyncio.wait((life, up), return_when=asyncio.FIRST_COMPLETED)
    if life.done():
        up.cancel()
        await life
    try:
        yield app
    finally:
        ended.set()
        await life


@asynccontextmanager
async def asking(app: Litestar) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app)  # type: ignore[arg-type]
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
