"""Moves whole days of ticks out of the database: written, read back, then dropped.

Dropping is asked for separately. It deletes nothing that has not been read back from
the archive just before, and leaves the last block where it is.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final, LiteralString

import psycopg
from msgspec.structs import replace
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier

from application.engine.journal import TickBlock
from application.engine.tick_block import Link, check, unpack
from infrastructure.archive import manifest
from infrastructure.archive.manifest import Day, Manifest, described
from infrastructure.archive.parquet import BLOCKS_AT_ONCE, Writing
from infrastructure.archive.reading import TickArchive, read_back, verified

DROPPED_AT_ONCE: Final = 1_000  # blocks; the engine waits for the lock meanwhile

Heard = Callable[[int], None]

BLOCKS: Final[LiteralString] = """
    SELECT venue_id, number, first_sequence, last_sequence, engine_from, engine_to,
        body, sha256, previous_sha256
    FROM {p}.tick_blocks
    WHERE venue_id = %s AND number > %s ORDER BY number LIMIT %s
"""
LAST: Final[LiteralString] = """
    SELECT number, engine_to FROM {p}.tick_blocks
    WHERE venue_id = %s ORDER BY number DESC LIMIT 1
"""
UNLOCK: Final[LiteralString] = (
    "ALTER TABLE {p}.tick_blocks DISABLE TRIGGER ticks_are_facts"
)
LOCK: Final[LiteralString] = (
    "ALTER TABLE {p}.tick_blocks ENABLE ALWAYS TRIGGER ticks_are_facts"
)
DROP: Final[LiteralString] = (
    "DELETE FROM {p}.tick_blocks WHERE venue_id = %s AND number <= %s"
)


class Archiving:
    """One venue, over a connection that may read its ticks."""

    def __init__(
        self, connection: psycopg.Connection[Any], archive: TickArchive, venue_id: str
    ) -> None:
        self._connection = connection
        self._archive = archive
        self._venue_id = venue_id
        self._schema = Identifier(archive.partition)
        self._folder = archive.folder(venue_id)

    def last_block(self) -> tuple[int, datetime] | None:
        query = SQL(LAST).format(p=self._schema)
        return self._connection.execute(query, (self._venue_id,)).fetchone()

    def archive(self, before: date, heard: Heard) -> Iterator[Day]:
        """Write every whole day before a date that is not archived yet."""
        last = self.last_block()
        if last is None:
            return
        before = min(before, last[1].date())  # the day of the last block goes on
        known = self._archive.manifest(self._venue_id)
        days = groupby(self._blocks(known.link), key=lambda each: each.engine_to.date())
        for day, blocks in days:
            if day >= before:
                return
            written = self._written(day, blocks, known.link, heard)
            known = known.with_day(written)
            manifest.write(self._folder, known)
            yield written

    def _blocks(self, link: Link) -> Iterator[TickBlock]:
        query, after = SQL(BLOCKS).format(p=self._schema), link.number
        cursor = self._connection.cursor(row_factory=class_row(TickBlock), binary=True)
        while page := cursor.execute(
            query, (self._venue_id, after, BLOCKS_AT_ONCE)
        ).fetchall():
            for block in page:
                check(block, link)
                link = Link.of(block)
                yield block
            after = link.number

    def _written(
        self, day: date, blocks: Iterator[TickBlock], link: Link, heard: Heard
    ) -> Day:
        """Write both files under other names, read them back, and then name them."""
        self._folder.mkdir(parents=True, exist_ok=True)
        names = [f"{day.isoformat()}.{kind}.parquet" for kind in ("blocks", "ticks")]
        paths = [self._folder / f"new.{name}" for name in names]
        writing, waiting = Writing(*paths), list[TickBlock]()
        first, accepted, refused = link.number + 1, 0, 0
        after = link
        try:
            for block in blocks:
                content = unpack(block)
                accepted += len(content.accepted)
                refused += len(content.refused)
                after = Link.of(block)
                waiting.append(block)
                if len(waiting) == BLOCKS_AT_ONCE:
                    writing.write(waiting)
                    waiting.clear()
                    heard(after.number)
            if waiting:
                writing.write(waiting)
                heard(after.number)
        finally:
            writing.close()
        files = [replace(described(path), name=path.name) for path in paths]
        written = Day(
            day=day,
            first_number=first,
            last_number=after.number,
            last_sequence=after.last_sequence,
            accepted=accepted,
            refused=refused,
            previous_sha256=link.sha256.hex(),
            sha256=after.sha256.hex(),
            blocks=files[0],
            ticks=files[1],
        )
        read_back(self._folder, written, link)
        for path, name in zip(paths, names, strict=True):
            path.replace(self._folder / name)
        named = [replace(f, name=name) for f, name in zip(files, names, strict=True)]
        return replace(written, blocks=named[0], ticks=named[1])

    def drop(self, before: date, now: datetime, heard: Heard) -> int:
        """Delete the archived days before a date; how many blocks that were.

        For the owner of the database alone, and only what reads back well.
        """
        known = self._archive.manifest(self._venue_id)
        until = 0
        for day in verified(self._archive, self._venue_id):
            if day.day < before:
                until = day.last_number
        dropped = 0
        for number in range(known.dropped_to + DROPPED_AT_ONCE, until, DROPPED_AT_ONCE):
            dropped += self._drop_to(number)
            heard(number)
        dropped += self._drop_to(until)
        heard(until)
        self._note(replace(known, dropped_to=until, dropped_at=now))
        return dropped

    def _drop_to(self, number: int) -> int:
        """The guard is down for one transaction, in sight of all."""
        with self._connection.transaction():
            self._connection.execute(SQL(UNLOCK).format(p=self._schema))
            cursor = self._connection.execute(
                SQL(DROP).format(p=self._schema), (self._venue_id, number)
            )
            self._connection.execute(SQL(LOCK).format(p=self._schema))
        return cursor.rowcount

    def _note(self, known: Manifest) -> None:
        manifest.write(self._folder, known)
