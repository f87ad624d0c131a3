"""A refresh token is good for one rotation; used again, it ends its session."""

import base64
import binascii
import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from application.caller import Role
from application.ports import Opened, Standing

TOKEN_BYTES: Final = 32
LIFETIME: Final = timedelta(days=30)
GRACE: Final = timedelta(seconds=10)  # a client whose answer was lost asks again

READ = """
    SELECT family, trader_id, expires_at, rotated_at, successor, revoked_at
    FROM identity.refresh_tokens WHERE token_hash = %s FOR UPDATE"""
STANDING = """
    SELECT (SELECT roles FROM identity.people WHERE trader_id = %(trader)s),
        count(*), count(*) FILTER (WHERE revoked_at IS NULL)
    FROM identity.refresh_tokens
    WHERE family = %(family)s AND trader_id = %(trader)s"""
END_SESSION = """
    UPDATE identity.refresh_tokens SET revoked_at = %s
    WHERE family = %s AND revoked_at IS NULL"""
END_ALL = """
    UPDATE identity.refresh_tokens SET revoked_at = %s
    WHERE trader_id = %s AND revoked_at IS NULL"""

Pool = AsyncConnectionPool[Any]


class PostgresSessions:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, trader_id: str, at: datetime) -> Opened:
        family, token = uuid4(), secrets.token_bytes(TOKEN_BYTES)
        async with self._pool.connection() as connection:
            await connection.execute(
                "DELETE FROM identity.refresh_tokens"
                " WHERE trader_id = %s AND expires_at < %s",
                (trader_id, at),
            )
            await _insert(connection, token, family, trader_id, at)
        return _opened(token, family, trader_id)

    async def rotate(self, refresh_token: str, at: datetime) -> Opened | None:
        """Give the successor, or None; a token used twice ends its session."""
        if (token := _bytes(refresh_token)) is None:
            return None
        async with self._pool.connection() as connection, connection.transaction():
            found = await connection.execute(READ, (_hash(token),))
            if (row := await found.fetchone()) is None:
                return None
            family, trader_id, expires_at, rotated_at, sealed, revoked_at = row
            if revoked_at is not None or expires_at <= at:
                return None
            if rotated_at is None:
                successor = secrets.token_bytes(TOKEN_BYTES)
                await connection.execute(
                    "UPDATE identity.refresh_tokens SET rotated_at = %s, successor = %s"
                    " WHERE token_hash = %s",
                    (at, _seal(successor, token), _hash(token)),
                )
                await _insert(connection, successor, family, trader_id, at)
            elif at - rotated_at <= GRACE:
                successor = _seal(sealed, token)
            else:
                await connection.execute(END_SESSION, (at, family))
                return None
        return _opened(successor, family, trader_id)

    async def session_of(self, refresh_token: str) -> str | None:
        if (token := _bytes(refresh_token)) is None:
            return None
        async with self._pool.connection() as connection:
            found = await connection.execute(
                "SELECT family FROM identity.refresh_tokens WHERE token_hash = %s",
                (_hash(token),),
            )
            row = await found.fetchone()
        return None if row is None else str(row[0])

    async def end(self, session: str, at: datetime) -> None:
        if (family := _uuid(session)) is not None:
            async with self._pool.connection() as connection:
                await connection.execute(END_SESSION, (at, family))

    async def end_all(self, trader_id: str, at: datetime) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(END_ALL, (at, trader_id))

    async def standing(self, session: str, trader_id: str) -> Standing:
        async with self._pool.connection() as connection:
            found = await connection.execute(
                STANDING,
                {"family": _uuid(session), "trader": trader_id},
            )
            row = await found.fetchone()
        assert row is not None, "an aggregate always gives a row"
        roles, links, live = row
        return Standing(
            roles=None if roles is None else frozenset(Role(role) for role in roles),
            is_known=links > 0,
            has_ended=links > 0 and live == 0,
        )


async def _insert(
    connection: AsyncConnection[Any],
    token: bytes,
    family: UUID,
    trader_id: str,
    at: datetime,
) -> None:
    await connection.execute(
        "INSERT INTO identity.refresh_tokens"
        " (token_hash, family, trader_id, issued_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s)",
        (_hash(token), family, trader_id, at, at + LIFETIME),
    )


def _seal(secret: bytes, token: bytes) -> bytes:
    """Hide the successor from all but the holder of `token`; sealing twice opens.

    A pad used once: the table gives the successor to nobody who has not its parent.
    """
    pad = hashlib.sha256(b"successor of " + token).digest()
    return bytes(a ^ b for a, b in zip(secret, pad, strict=True))


def _hash(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _opened(token: bytes, family: UUID, trader_id: str) -> Opened:
    text = base64.urlsafe_b64encode(token).rstrip(b"=").decode()
    return Opened(refresh_token=text, session=str(family), trader_id=trader_id)


def _bytes(refresh_token: str) -> bytes | None:
    try:
        padded = refresh_token.encode("ascii") + b"="
        token = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    return token if len(token) == TOKEN_BYTES else None


def _uuid(session: str) -> UUID | None:
    try:
        return UUID(session)
    except ValueError:
        return None
