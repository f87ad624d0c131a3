"""What the public calls a trader: asked for when it is shown, and kept nowhere."""

from collections.abc import Collection

from infrastructure.identity.people import Pool


class PostgresHandles:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of(self, trader_ids: Collection[str]) -> dict[str, str]:
        """By trader's id; who is not known, or was erased, is not in it."""
        async with self._pool.connection() as connection:
            found = await connection.execute(
                "SELECT trader_id, handle FROM identity.people"
                " WHERE trader_id = ANY(%s)",
                (list(trader_ids),),
            )
            return dict(await found.fetchall())
