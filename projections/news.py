"""The latest breaches and passes of the live venue, for who begins to follow them."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from application.engine.deciding import LIVE
from domain.rules.limit import Effect
from projections.asking import Pool, fetch


class Happened(Struct, frozen=True, kw_only=True):
    event: Literal["breach", "pass"]
    account_id: str
    trader_id: str
    phase: str
    currency: str
    deposit: Decimal
    balance: Decimal
    at: datetime
    partition: str
    position: int
    rule: str | None
    kind: str | None
    effect: Effect | None
    floor: Decimal | None
    observed: Decimal | None


NEWS = """
    SELECT * FROM (
        SELECT 'breach' AS event, account_id, trader_id, phase, breaches.currency,
            accounts.deposit, breaches.balance, decided_at AS at,
            breaches.partition, breaches.position,
            rule, kind, effect, floor, observed
        FROM read.breaches JOIN read.accounts USING (account_id)
        WHERE "primary" AND venue_id = %(venue)s
        UNION ALL
        SELECT 'pass', account_id, trader_id, phase, currency,
            deposit, balance, ended_at,
            partition, position,
            NULL, NULL, NULL, NULL, NULL
        FROM read.accounts
        WHERE status = 'passed' AND venue_id = %(venue)s
    ) AS news
    ORDER BY position DESC
    LIMIT %(limit)s
"""


async def latest(pool: Pool, limit: int) -> tuple[Happened, ...]:
    """Give the newest of them, in the order in which they happened."""
    found = await fetch(pool, NEWS, {"venue": LIVE, "limit": limit}, Happened)
    return found[::-1]
