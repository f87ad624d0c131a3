"""What the engine last saved of a partition, read as of one instant."""

import asyncio
import time
from typing import Final

import psycopg
from psycopg import IsolationLevel
from psycopg.sql import SQL, Identifier

from application.engine.journal import Checkpoint, Image
from infrastructure.event_store.wire import with_options

WAIT_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.1


async def saved_cut(
    dsn: str, partition: str
) -> tuple[Checkpoint | None, tuple[Image, ...]]:
    """Wait, bounded, for a checkpoint of all that is in the log; else take the last.

    A running engine saves each second; one that was killed saves when it is back.
    """
    schema = Identifier(partition)
    options = with_options(dsn, f"audit-{partition}", timezone="UTC")
    async with await psycopg.AsyncConnection.connect(
        options, autocommit=True
    ) as connection:
        await _await_checkpoint(connection, schema)
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        async with connection.transaction():
            found = await connection.execute(
                SQL("SELECT position, taken_at, body FROM {}.checkpoints").format(
                    schema
                )
            )
            row = await found.fetchone()
            images = await connection.execute(
                SQL(
                    "SELECT stream, version, body FROM {}.images ORDER BY stream"
                ).format(schema)
            )
            rows = await images.fetchall()
    checkpoint = (
        Checkpoint(position=row[0], taken_at=row[1], body=row[2]) if row else None
    )
    return checkpoint, tuple(
        Image(stream=stream, version=version, body=body)
        for stream, version, body in rows
    )


async def _await_checkpoint(
    connection: psycopg.AsyncConnection[tuple[object, ...]], schema: Identifier
) -> None:
    behind = SQL(
        "SELECT FROM {p}.partition_head h"
        " WHERE h.position > coalesce((SELECT position FROM {p}.checkpoints), 0)"
    ).format(p=schema)
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        if (await connection.execute(behind)).rowcount == 0:
            return
        await asyncio.sleep(POLL_SECONDS)
