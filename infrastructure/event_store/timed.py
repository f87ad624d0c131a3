"""The log of a partition with a watch: how long commits take, how often it was away."""

import asyncio

from application.engine.journal import Batch
from application.engine.tally import Tally
from infrastructure.archive.reading import TickArchive
from infrastructure.event_store.journal import PostgresJournal


class TimedJournal(PostgresJournal):
    def __init__(
        self,
        dsn: str,
        partition: str,
        tally: Tally,
        archive: TickArchive | None = None,
    ) -> None:
        super().__init__(dsn, partition, archive)
        self._tally = tally

    async def commit(self, batch: Batch) -> None:
        """Time what is stored; what is not, its commands tell of."""
        began = asyncio.get_running_loop().time()
        await super().commit(batch)
        self._tally.commits.add(asyncio.get_running_loop().time() - began)

    def _note_trouble(self) -> None:
        self._tally.outages += self.is_available
        super()._note_trouble()
