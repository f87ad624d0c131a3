"""What is derived from the log, made from it once more, and the same to the byte.

`tradesense projections` and `tradesense audit replay` without the start of a process.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from application.replay import Report, replay
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.event_store.saved import saved_cut
from projections.digest import Digest, digest
from projections.rebuild import rebuild

ATTEMPTS: Final = 5


class Derived(Struct, frozen=True):
    """Over connections of its own; `projector` and `auditor` are DSNs."""

    projector: str
    auditor: str

    async def must_agree(self, heads: Mapping[str, int], accounts: int) -> None:
        """Tables and accounts must know all that is in the log up to `heads`."""
        await asyncio.gather(
            self._tables_agree(heads), self._accounts_agree(heads, accounts)
        )

    async def _tables_agree(self, heads: Mapping[str, int]) -> None:
        """Only digests at the same positions compare; the live market may go on."""
        for _ in range(ATTEMPTS):
            before = await digest(self.projector)
            await rebuild(self.projector, tuple(heads))
            after = await digest(self.projector)
            if before.position == after.position:
                assert knows(before, heads)
                assert before.tables == after.tables
                if before.ticks == after.ticks:
                    assert before.candles == after.candles
                return
        raise AssertionError("the log never stood still")

    async def _accounts_agree(self, heads: Mapping[str, int], accounts: int) -> None:
        found = 0
        for partition, head in heads.items():
            report = await self._replayed(partition, head)
            assert report.equal, report.differences
            assert report.live == report.replayed
            found += report.accounts
        assert found >= accounts

    async def _replayed(self, partition: str, head: int) -> Report:
        checkpoint, images = await saved_cut(self.auditor, partition)
        assert checkpoint is not None
        assert checkpoint.position >= head
        journal = PostgresJournal(self.auditor, partition)
        try:
            return await replay(journal, checkpoint, images, None, lambda _: None)
        finally:
            await journal.close()


def knows(digest: Digest, heads: Mapping[str, int]) -> bool:
    return all(digest.position[each] >= head for each, head in heads.items())
