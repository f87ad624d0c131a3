"""What everybody may hear of the live venue: who was breached, and who has passed."""

from datetime import datetime
from decimal import Decimal
from typing import Literal, LiteralString

from msgspec import Struct

from projections.asking import Pool, fetch, fetch_one


class Happening(Struct, frozen=True, kw_only=True):
    kind: Literal["breach", "pass"]
    at: datetime
    account_id: str
    handle: str
    phase: str
    currency: str
    deposit: Decimal
    balance: Decimal
    breach_id: str | None  # of a breach, like the four below
    rule: str | None
    effect: Literal["hard", "pause"] | None
    floor: Decimal | None
    observed: Decimal | None


# A name is a person's, so it is asked for now and kept nowhere; without one a mask.
LATEST: LiteralString = """
    SELECT happened.*, coalesce(
        handle, 'trader-' || left(encode(sha256(account_id::bytea), 'hex'), 6)
    ) AS handle
    FROM (
        (
            SELECT 'breach' AS kind, b.decided_at AS at, account_id, a.trader_id,
                a.phase, a.currency, a.deposit, b.balance, b.breach_id, b.rule,
                b.effect, b.floor, b.observed
            FROM read.breaches b JOIN read.accounts a USING (account_id)
            WHERE a.venue_id = %(venue)s AND b."primary"
            ORDER BY b.decided_at DESC LIMIT %(limit)s
        )
        UNION ALL
        (
            SELECT 'pass', ended_at, account_id, trader_id, phase, currency, deposit,
                balance, NULL, NULL, NULL, NULL, NULL
            FROM read.accounts
            WHERE venue_id = %(venue)s AND status = 'passed'
            ORDER BY ended_at DESC LIMIT %(limit)s
        )
    ) AS happened
    LEFT JOIN identity.people USING (trader_id)
    ORDER BY at DESC, account_id LIMIT %(limit)s
"""
OF_ACCOUNT: LiteralString = """
    SELECT coalesce(
        handle, 'trader-' || left(encode(sha256(account_id::bytea), 'hex'), 6)
    ) AS handle
    FROM read.accounts LEFT JOIN identity.people USING (trader_id)
    WHERE account_id = %(account_id)s
"""


class _Named(Struct, frozen=True):
    handle: str


async def latest(pool: Pool, venue_id: str, limit: int) -> tuple[Happening, ...]:
    """List the newest first."""
    return await fetch(pool, LATEST, {"venue": venue_id, "limit": limit}, Happening)


async def handle_of(pool: Pool, account_id: str) -> str | None:
    """Tell under which name an account is shown; None: the tables do not know it."""
    named = await fetch_one(pool, OF_ACCOUNT, {"account_id": account_id}, _Named)
    return named.handle if named else None
