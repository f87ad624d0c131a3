"""Tells the tables a page: all of them and the checkpoint at once, or nothing.

Two round trips: the first holds the checkpoint and brings the rows that the facts will
change, the second stores these. Both are one transaction, so that each fact counts
exactly once. Its commit is not waited for: should the server lose the latest ones,
table and checkpoint fall back together, and the page is told again.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Self

import psycopg
from msgspec.structs import replace

from infrastructure.event_store.statements import bigint, is_content
from infrastructure.event_store.wire import Call, Failed, Lost, Row, Wire, with_options
from projections.pages import Page
from projections.parking import LeftOut, left_out, log_parked, parking
from projections.schema import CHANNEL, PROJECTIONS, READ, SHAPE, checkpoints
from projections.table import Projection, Rows
from projections.told import Told

BEGIN: Final = Call(b"begin")
COMMIT: Final = Call(b"commit")
ROLLBACK: Final = Call(b"rollback")
SESSION: Final = {
    "synchronous_commit": "off",
    "timezone": "UTC",
    "statement_timeout": "5s",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",  # what was planned for an empty table lasts as it grows
}

Hearing = tuple[Projection[Any], list[Told]]


class ShapeChanged(Exception):
    """The tables are those of another version of this program: rebuild them."""


class Tables:
    """The tables of one schema, as far as they tell of one partition."""

    def __init__(
        self,
        wire: Wire,
        schema: str,
        partition: str,
        projections: Sequence[Projection[Any]],
    ) -> None:
        self._wire = wire
        self._is_live = schema == READ
        self._partition = partition
        self._projections = projections
        self.left_out: list[LeftOut] = []

    @classmethod
    async def open(
        cls,
        dsn: str,
        partition: str,
        schema: str = READ,
        projections: Sequence[Projection[Any]] = PROJECTIONS,
    ) -> Self:
        """Connect to tables that are there. Raises `Lost` when nobody answers."""
        name = "projector" if schema == READ else "rebuild"
        session = with_options(dsn, f"{name}-{partition}", **SESSION)
        wire = await Wire.open(session, statements(schema, partition, projections))
        return cls(wire, schema, partition, projections)

    def close(self) -> None:
        self._wire.close()

    async def position(self) -> int:
        """Ask how far they are; a partition that they have never heard of begins."""
        place = self._partition.encode()
        calls = (Call(b"enter", (place, SHAPE.encode())), Call(b"hold", (place,)))
        return _position(await self._wire.run(calls))

    async def tell(self, page: Page) -> bool:
        """Tell a page: False when the tables are not where it begins."""
        return await self._tell(page, self._projections)

    async def tell_whom_it_suits(self, page: Page) -> bool:
        """Tell one event to one table after the other; park those that it breaks."""
        broken: list[LeftOut] = []
        suited: list[Projection[Any]] = []
        for projection in self._projections:
            try:
                if not await self._tell(page, (projection,), is_kept=False):
                    return False
                suited.append(projection)
            except Exception as fault:
                if not is_of_the_event(fault):
                    raise
                name = projection.table.name
                broken.append(left_out(self._partition, page.last, name, fault))
        left = (*page.left_out, *broken)
        return await self._tell(replace(page, left_out=left), suited)

    async def _tell(
        self,
        page: Page,
        projections: Sequence[Projection[Any]],
        *,
        is_kept: bool = True,
    ) -> bool:
        hearings = [
            (each, heard) for each in projections if (heard := each.heard(page.facts))
        ]
        async with self._undone_by_a_fault():
            found = await self._begin(page.first - 1, hearings)
            if found is None:
                await self._wire.run((ROLLBACK,))
                return False
            changes = [
                call
                for (projection, heard), rows in zip(hearings, found, strict=True)
                for call in projection.changes(rows, heard)
            ]
            end = (*self._parting(page), COMMIT) if is_kept else (ROLLBACK,)
            await self._wire.run((*changes, *end))
        if is_kept:
            self.left_out += page.left_out
        return True

    async def _begin(
        self, position: int, hearings: Sequence[Hearing]
    ) -> list[Rows[Any]] | None:
        """Hold the checkpoint and find the rows; None when it is somewhere else."""
        finding = [projection.finding(heard) for projection, heard in hearings]
        held = Call(b"hold", (self._partition.encode(),))
        calls = (BEGIN, held, *(call for calls in finding for call in calls))
        answers = await self._wire.run(calls)
        asked = sum(map(len, finding))
        if len(answers) == asked or _position(answers) != position:
            return None
        rows = iter(answers[1:])
        return [
            projection.table.found(next(rows)) if calls else Rows({})
            for (projection, _), calls in zip(hearings, finding, strict=True)
        ]

    def _parting(self, page: Page) -> list[Call]:
        """What goes with the change: the checkpoint, what is parked, and the word."""
        place = self._partition.encode()
        calls = [Call(b"move", (place, bigint(page.last)))]
        if self._is_live:
            for each in page.left_out:
                log_parked(each)
                calls.append(Call(b"park", tuple(text.encode() for text in each.row)))
            said = f"{self._partition} {page.last}".encode()
            calls.append(Call(b"say", (CHANNEL.encode(), said)))
        return calls

    @asynccontextmanager
    async def _undone_by_a_fault(self) -> AsyncIterator[None]:
        try:
            yield
        except Exception:
            with suppress(Lost):
                await self._wire.run((ROLLBACK,))
            raise


def statements(
    schema: str, partition: str, projections: Sequence[Projection[Any]]
) -> dict[bytes, str]:
    prepared = {
        b"begin": "BEGIN",
        b"commit": "COMMIT",
        b"rollback": "ROLLBACK",
        b"say": "SELECT pg_notify($1::text, $2::text)",
        b"park": parking(partition),
        **checkpoints(schema),
    }
    for projection in projections:
        prepared |= projection.table.statements(schema)
    return prepared


def is_of_the_event(fault: Exception) -> bool:
    """Whether what it says is at fault, rather than the database or its schema."""
    if isinstance(fault, Failed):
        return is_content(fault.sqlstate)
    return not isinstance(fault, Lost | ConnectionError | ShapeChanged | psycopg.Error)


def _position(answers: Sequence[Row]) -> int:
    position, shape = answers[0]
    assert position is not None
    assert shape is not None
    if shape.decode() != SHAPE:
        message = f"the tables have shape {shape.decode()}, this program has {SHAPE}"
        raise ShapeChanged(message)
    return int.from_bytes(position)
