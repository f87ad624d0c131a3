"""What is read from the tables, and how new it must be when it is."""

from contextlib import suppress
from typing import Any, Final

from psycopg_pool import AsyncConnectionPool

from api.conventions import cursor_of, place_of, position
from application.gateway import Gateway
from application.refusals import ProjectionBehind
from projections.asking import Slice
from projections.read_positions import ReadPositions

OWN_WRITES_SECONDS: Final = 2.0


class Reads:
    """The pool is the API's own; the positions are watched, not asked for."""

    def __init__(
        self,
        pool: AsyncConnectionPool[Any],
        positions: ReadPositions,
        gateway: Gateway,
    ) -> None:
        self.pool = pool
        self._positions = positions
        self._gateway = gateway

    async def reach(self, min_position: str | None) -> None:
        """Wait for what the caller must see. Raises `ProjectionBehind`."""
        if min_position is not None:
            wanted = position(min_position)
            await self._positions.wait_for(wanted.partition, wanted.number)

    async def catch_up(self, partition: str, min_position: str | None) -> str:
        """Show callers what they have just done, even when they do not ask for it.

        Without `min_position` it is a courtesy: tables that stay behind are served
        as they are, and the position told is theirs.
        """
        await self.reach(min_position)
        with suppress(ProjectionBehind):
            await self._positions.wait_for(
                partition, self._gateway.position(partition), OWN_WRITES_SECONDS
            )
        return self.told(partition)

    async def know_all(self, *partitions: str) -> None:
        """Wait for all that was answered: only then may tables say what is not there.

        Raises `ProjectionBehind`.
        """
        for partition in partitions:
            await self._positions.wait_for(partition, self._gateway.position(partition))

    def told(self, partition: str) -> str:
        return f"{partition}-{self._positions.position(partition)}"


def cursor_after(found: Slice[Any]) -> str | None:
    return None if found.next is None else cursor_of(found.next)


def after(cursor: str | None) -> str | None:
    """Read the id after which a page begins."""
    return None if cursor is None else place_of(cursor, tuple[str])[0]
