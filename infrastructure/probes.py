"""Signs of life of the servers, asked on connections that no request waits for."""

import asyncio
from typing import Any

import psycopg
from redis.asyncio import Redis

CONNECT_SECONDS = 1


class PostgresAlive:
    """Keeps one connection, and makes a new one when that was lost."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._turn = asyncio.Lock()

    async def __call__(self) -> None:
        async with self._turn:
            try:
                if self._connection is None:
                    self._connection = await psycopg.AsyncConnection.connect(
                        self._dsn, autocommit=True, connect_timeout=CONNECT_SECONDS
                    )
                await self._connection.execute("SELECT 1")
            except BaseException:
                await self.close()
                raise

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class ValkeyAlive:
    def __init__(self, url: str) -> None:
        self._valkey = Redis.from_url(
            url, socket_timeout=0.5, socket_connect_timeout=0.5, max_connections=2
        )

    async def __call__(self) -> None:
        await self._valkey.ping()

    async def close(self) -> None:
        await self._valkey.aclose()
