"""People on Postgres: who is behind a trader's id, kept apart so it can be erased."""

from datetime import datetime
from typing import Any, Final

from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from application.caller import Role
from application.ports import Letter, Person

COLUMNS: Final = "trader_id, email, handle, password_hash, roles, verified_at"

Pool = AsyncConnectionPool[Any]


class PostgresPeople:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def by_email(self, email: str) -> Person | None:
        return await self._one("email = %s", email)

    async def by_id(self, trader_id: str) -> Person | None:
        return await self._one("trader_id = %s", trader_id)

    async def add(self, person: Person, at: datetime) -> bool:
        """Store a new person; False when the address is already known."""
        async with self._pool.connection() as connection:
            added = await connection.execute(
                f"INSERT INTO identity.people ({COLUMNS}, created_at)"  # noqa: S608 - a constant
                " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (
                    person.trader_id,
                    person.email,
                    person.handle,
                    person.password_hash,
                    sorted(person.roles),
                    at if person.is_verified else None,
                    at,
                ),
            )
        return bool(added.rowcount)

    async def _one(self, condition: str, value: str) -> Person | None:
        async with self._pool.connection() as connection:
            found = await connection.execute(
                f"SELECT {COLUMNS} FROM identity.people WHERE {condition}",  # noqa: S608 - constants
                (value,),
            )
            row = await found.fetchone()
        return None if row is None else _person(row)


class PostgresMail:
    """Keeps letters in a table: the mailbox of dev, and the outbox elsewhere."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def send(self, letter: Letter) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO identity.mail (to_address, subject, body, at)"
                " VALUES (%s, %s, %s, %s)",
                (letter.to, letter.subject, letter.text, letter.at),
            )

    async def sent_to(self, address: str, limit: int) -> tuple[Letter, ...]:
        """List the newest letters first."""
        async with self._pool.connection() as connection:
            found = await connection.execute(
                "SELECT to_address, subject, body, at FROM identity.mail"
                " WHERE to_address = %s ORDER BY id DESC LIMIT %s",
                (address, limit),
            )
            rows = await found.fetchall()
        return tuple(
            Letter(to=to, subject=subject, text=text, at=at)
            for to, subject, text, at in rows
        )


def _person(row: TupleRow) -> Person:
    trader_id, email, handle, password_hash, roles, verified_at = row
    return Person(
        trader_id=trader_id,
        email=email,
        handle=handle,
        password_hash=password_hash,
        roles=frozenset(Role(role) for role in roles),
        is_verified=verified_at is not None,
    )
