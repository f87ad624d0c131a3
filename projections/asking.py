"""How queries ask the tables: typed rows out, newest first, a slice at a time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Generic, LiteralString, TypeVar

import msgspec
from msgspec import Struct
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[Any]

T = TypeVar("T", bound=Struct)


class Slice(Struct, Generic[T], frozen=True):
    """`next` is the id after which the following slice begins; None: that was all."""

    items: tuple[T, ...]
    next: str | None


async def fetch(
    pool: Pool, query: LiteralString, given: Mapping[str, object], row: type[T]
) -> tuple[T, ...]:
    async with pool.connection() as connection:
        cursor = await connection.execute(query, given)
        names = [column.name for column in cursor.description or ()]
        found = await cursor.fetchall()
    return tuple(
        msgspec.convert(dict(zip(names, map(_in_utc, values), strict=True)), row)
        for values in found
    )


async def fetch_one(
    pool: Pool, query: LiteralString, given: Mapping[str, object], row: type[T]
) -> T | None:
    rows = await fetch(pool, query, given, row)
    return rows[0] if rows else None


async def fetch_slice(
    pool: Pool,
    query: LiteralString,
    given: Mapping[str, object],
    row: type[T],
    *,
    limit: int,
    key: str,
) -> Slice[T]:
    """Ask for one more than `limit`, to know whether there is a next slice."""
    rows = await fetch(pool, query, {**given, "limit": limit + 1}, row)
    items = rows[:limit]
    return Slice(items, getattr(items[-1], key) if len(rows) > limit else None)


def _in_utc(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
