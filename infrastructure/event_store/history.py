"""One stream's facts in order, as whoever they are about may read them."""

from contextlib import suppress
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from msgspec import Raw, Struct
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from infrastructure.event_store.upcasters import upcast


class Happened(Struct, frozen=True, kw_only=True):
    position: str
    stream: str
    version: int
    type: str
    at: datetime  # engine time
    recorded_at: datetime | None
    command_id: str | None
    actor: str | None
    payload: Raw  # JSON


class _Envelope(Struct, frozen=True, kw_only=True):
    """What a reader sees of it; an event of the library's tools may have none."""

    recorded_at: datetime | None = None
    command_id: str | None = None
    actor: str | None = None


class _Dated(Struct, frozen=True):
    at: datetime


# The version that a page ended at is looked up, so that a late page costs no more.
EVENTS: LiteralString = """
    SELECT notification_id, originator_version, topic, state, envelope::text
    FROM {partition}.events
    WHERE originator_id = %(stream)s AND notification_id > %(after)s
      AND originator_version > coalesce((
          SELECT originator_version FROM {partition}.events
          WHERE notification_id = %(after)s AND originator_id = %(stream)s
      ), -1)
    ORDER BY originator_version LIMIT %(limit)s
"""


async def history(
    pool: AsyncConnectionPool[Any],
    partition: str,
    stream: str,
    *,
    after_position: int = 0,
    limit: int,
) -> tuple[Happened, ...]:
    """List a stream's facts after a position of its partition, the oldest first."""
    query = SQL(EVENTS).format(partition=Identifier(partition))
    given = {"stream": stream, "after": after_position, "limit": limit}
    async with pool.connection() as connection:
        cursor = await connection.execute(query, given)
        rows = await cursor.fetchall()
    return tuple(happened(partition, stream, *row) for row in rows)


def happened(
    partition: str,
    stream: str,
    position: int,
    version: int,
    topic: str,
    state: bytes,
    envelope: str,
) -> Happened:
    name, payload = topic, state
    with suppress(Exception):  # then as it is stored, which is the truth too
        name, payload = upcast(topic, state)
    known = msgspec.json.decode(envelope, type=_Envelope)
    return Happened(
        position=f"{partition}-{position}",
        stream=stream,
        version=version,
        type=name,
        at=msgspec.json.decode(payload, type=_Dated).at,
        recorded_at=known.recorded_at,
        command_id=known.command_id,
        actor=known.actor,
        payload=Raw(payload),
    )
