"""Finds kept answers: before each batch is decided, so on a connection at hand."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from application.engine.journal import Receipt
from infrastructure.event_store import statements
from infrastructure.event_store.arrays import uuids
from infrastructure.event_store.wire import (
    Call,
    Failed,
    Lost,
    Row,
    Wire,
    with_options,
)

ATTEMPTS = 2  # a restart may lie between two batches: the second connection is new


class Receipts:
    def __init__(self, dsn: str, partition: str) -> None:
        self._dsn = with_options(dsn, f"receipts-{partition}", statement_timeout="5s")
        self._prepared = statements.lookups(partition)
        self._wire: Wire | None = None
        self._turn = asyncio.Lock()

    async def find(self, command_ids: Sequence[UUID]) -> dict[UUID, Receipt]:
        """Give those that there are. Raises `ConnectionError` when nobody answers."""
        call = Call(b"receipts_of", (uuids(command_ids),))
        async with self._turn:
            found = map(_receipt, await self._run(call))
            return {each.command_id: each for each in found}

    async def _run(self, call: Call, attempts: int = ATTEMPTS) -> list[Row]:
        try:
            if self._wire is None or self._wire.is_lost:
                self._wire = await Wire.open(self._dsn, self._prepared)
            return await self._wire.run((call,))
        except Failed as failed:
            raise ConnectionError(str(failed)) from failed
        except Lost as lost:
            if attempts == 1:
                raise ConnectionError(str(lost)) from lost
        return await self._run(call, attempts - 1)

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()


def _receipt(row: Row) -> Receipt:
    command_id, request_hash, status, body, position = row
    assert command_id is not None
    assert request_hash is not None
    assert status is not None
    assert body is not None
    assert position is not None
    return Receipt(
        command_id=UUID(bytes=command_id),
        request_hash=request_hash,
        status=int.from_bytes(status, "big", signed=True),
        body=body,
        position=int.from_bytes(position, "big", signed=True),
    )
