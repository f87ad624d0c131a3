"""Tells the tables a page: all of them and the checkpoint at once, or nothing.

A page is one transaction in one round trip, and each fact counts exactly once: first
the checkpoint is moved, which fails for everybody but the one who has told the page
before. So whoever succeeds knew the rows as they stood; those that are not remembered
are asked for beforehand. The commit is not waited for: should the server lose the
latest ones, table and checkpoint fall back together, and the page is told again.
"""

from collections.abc import Sequence
from typing import Any, Final, Self, cast

import psycopg
from msgspec.structs import replace

from infrastructure.event_store.statements import bigint, is_content
from infrastructure.event_store.wire import Call, Failed, Lost, Wire, with_options
from projections.listening import Listening
from projections.pages import Page
from projections.parking import LeftOut, left_out, log_parked, parking
from projections.remembered import Remembered
from projections.schema import CHANNEL, PROJECTIONS, READ, SHAPE, checkpoints
from projections.table import Projection

BEGIN: Final = Call(b"begin")
ROLLBACK: Final = Call(b"rollback")
SESSION: Final = {
    "synchronous_commit": "off",
    "timezone": "UTC",
    "statement_timeout": "5s",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",  # what was planned for an empty table lasts as it grows
}


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
        self._remembered = {each.table.name: Remembered[Any]() for each in projections}
        self._position = 0
        self._oid = b""  # of the checkpoints: other tables have another one
        self.left_out: list[LeftOut] = []  # until these tables are the live ones

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
        for each in self._remembered.values():
            each.forget()
        place = self._partition.encode()
        calls = (Call(b"enter", (place, SHAPE.encode())), Call(b"place", (place,)))
        ((position, oid, shape),) = cast(
            "list[tuple[bytes, ...]]", await self._wire.run(calls)
        )
        if shape.decode() != SHAPE:
            message = f"the tables are of shape {shape.decode()}, this program {SHAPE}"
            raise ShapeChanged(message)
        self._position, self._oid = int.from_bytes(position), oid
        return self._position

    async def tell(self, page: Page) -> bool:
        """Tell a page: False when the tables are not where it begins."""
        return await self._tell(page, self._projections)

    async def tell_whom_it_suits(self, page: Page) -> bool:
        """Tell one event to one table after the other; park those that it breaks."""
        broken: list[LeftOut] = []
        suited: list[Projection[Any]] = []
        for projection in self._projections:
            try:
                await self._try(page, projection)
                suited.append(projection)
            except Exception as fault:
                if not is_of_the_event(fault):
                    raise
                name = projection.table.name
                broken.append(left_out(self._partition, page.last, name, fault))
        left = (*page.left_out, *broken)
        return await self._tell(replace(page, left_out=left), suited)

    async def _try(self, page: Page, projection: Projection[Any]) -> None:
        """Tell one table, and take it back."""
        changes = await self._changes(self._listening(page, (projection,)))
        try:
            await self._wire.run((BEGIN, *changes, ROLLBACK))
        except Failed:
            await self._wire.run((ROLLBACK,))
            raise

    async def _tell(self, page: Page, projections: Sequence[Projection[Any]]) -> bool:
        if page.first != self._position + 1:
            return False
        listening = self._listening(page, projections)
        changes = await self._changes(listening)
        try:
            await self._wire.run((self._move(page), *changes, *self._parting(page)))
        except Failed:
            if await self._is_elsewhere():
                return False
            raise
        self._position = page.last
        for each in listening:
            each.remember()
        for left in page.left_out:
            self._set_aside(left)
        return True

    def _listening(
        self, page: Page, projections: Sequence[Projection[Any]]
    ) -> list[Listening[Any]]:
        return [
            Listening(each, self._remembered[each.table.name], heard)
            for each in projections
            if (heard := each.heard(page.facts))
        ]

    async def _changes(self, listening: Sequence[Listening[Any]]) -> list[Call]:
        asked = [(each, each.asks()) for each in listening]
        calls = [call for _, calls in asked for call in calls]
        answers = iter(await self._wire.run(calls) if calls else ())
        return [
            change
            for each, calls in asked
            for change in each.changes([next(answers) for _ in calls])
        ]

    async def _is_elsewhere(self) -> bool:
        """Whether it failed because another has told the tables, or changed them."""
        before = self._position, self._oid
        await self.position()
        return (self._position, self._oid) != before

    def _move(self, page: Page) -> Call:
        place, before = self._partition.encode(), bigint(page.first - 1)
        return Call(b"move", (place, bigint(page.last), before, self._oid))

    def _parting(self, page: Page) -> list[Call]:
        """What goes with the change: what is parked, and the word."""
        if not self._is_live:
            return []
        said = f"{self._partition} {page.last}".encode()
        parked = [
            Call(b"park", tuple(text.encode() for text in each.row))
            for each in page.left_out
        ]
        return [*parked, Call(b"say", (CHANNEL.encode(), said))]

    def _set_aside(self, left: LeftOut) -> None:
        if self._is_live:
            log_parked(left)
        else:
            self.left_out.append(left)


def statements(
    schema: str, partition: str, projections: Sequence[Projection[Any]]
) -> dict[bytes, str]:
    prepared = {
        b"begin": "BEGIN",
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
