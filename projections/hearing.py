"""Hears what is said on one channel of the database; a hint, never the truth.

A connection that only listens: what arrives is passed on in the very turn of the event
loop that brings it. Whoever listens has to look now and then all the same.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import psycopg
from psycopg.sql import SQL, Identifier

from infrastructure.event_store.wire import connect

Heard = Callable[[str], None]


class Ear:
    """Tells `heard` every notice. Lost, it is deaf for ever: open another one."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], heard: Heard) -> None:
        self._connection = connection  # owns the socket; only its `pgconn` is driven
        self._socket = connection.pgconn.socket
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._readable)
        self.is_lost = False

    @classmethod
    async def open(cls, dsn: str, channel: str, heard: Heard) -> Self:
        """Raise `Lost` when nobody answers."""
        connection = await connect(dsn)
        await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
        return cls(connection, heard)

    def close(self) -> None:
        if not self.is_lost:
            self.is_lost = True
            self._loop.remove_reader(self._socket)  # before the number is used again
            self._connection.pgconn.finish()

    def _readable(self) -> None:
        try:
            self._connection.pgconn.consume_input()
        except psycopg.OperationalError:
            self.close()
            return
        while notice := self._connection.pgconn.notifies():
            self._heard(notice.extra.decode())
