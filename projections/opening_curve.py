"""Whose curve the live page opens with: the best of those who trade now."""

from typing import LiteralString

from msgspec import Struct

from projections.asking import Pool, fetch_one

BEST: LiteralString = """
    SELECT account_id
    FROM read.leaderboard JOIN read.accounts USING (account_id)
    WHERE board = %(board)s AND trades > 0 AND status = 'active'
    ORDER BY leaderboard.open_trades > 0 DESC, return_percent DESC, tie_break
    LIMIT 1
"""


class _Watched(Struct, frozen=True):
    account_id: str


async def best_trading(pool: Pool, board: str) -> str | None:
    """Prefer whoever holds something: an account with nothing open does not move."""
    found = await fetch_one(pool, BEST, {"board": board}, _Watched)
    return found.account_id if found else None
