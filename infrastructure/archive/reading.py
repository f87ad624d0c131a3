"""Reads what was archived, as the log would: in order, and nothing that was changed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from application.engine.journal import TickBlock
from application.engine.tick_block import Link, check
from infrastructure.archive import manifest
from infrastructure.archive.manifest import ArchiveBroken, Day, must_be
from infrastructure.archive.parquet import blocks_in, rows_of, ticks_in

FOLDER = Path("archive", "ticks")


class TickArchive:
    """All that is archived of one partition; `data` is the product's own folder."""

    def __init__(self, data: Path, partition: str) -> None:
        self._folder = data / FOLDER / partition
        self.partition = partition

    def folder(self, venue_id: str) -> Path:
        return self._folder / venue_id

    def manifest(self, venue_id: str) -> manifest.Manifest:
        return manifest.read(self.folder(venue_id), self.partition, venue_id)

    async def blocks(
        self, venue_id: str, after_sequence: int, before_number: int
    ) -> AsyncIterator[TickBlock]:
        """Give those that reach beyond a sequence, up to the first of the database.

        Raises `ArchiveBroken` where one of them is missing.
        """
        known = self.manifest(venue_id)
        if known.link.number < before_number - 1:
            raise ArchiveBroken(
                f"block {before_number - 1} of {venue_id} is neither in the database"
                f" nor in {self.folder(venue_id)}"
            )
        for day in known.days:
            if day.last_sequence < after_sequence or day.first_number >= before_number:
                continue
            path = await asyncio.to_thread(must_be, day.blocks, self.folder(venue_id))
            groups = blocks_in(path)
            while group := await asyncio.to_thread(next, groups, None):
                for block in group:
                    end = max(block.first_sequence, block.last_sequence)
                    if end > after_sequence and block.number < before_number:
                        yield block

    def after(self, venue_id: str, number: int, limit: int) -> list[TickBlock]:
        """Give the next blocks after a number; none where the archive ends."""
        folder = self.folder(venue_id)
        for day in self.manifest(venue_id).days:
            if day.last_number <= number:
                continue
            found: list[TickBlock] = []
            for group in blocks_in(must_be(day.blocks, folder)):
                found += [each for each in group if each.number > number]
                if len(found) >= limit:
                    break
            return found[:limit]
        return []


def verified(archive: TickArchive, venue_id: str) -> Iterator[Day]:
    """Read every day back: files, chain, and each quote in both of its forms.

    Raises `ArchiveBroken` or `ChainBroken`.
    """
    link = Link(venue_id)
    for day in archive.manifest(venue_id).days:
        link = read_back(archive.folder(venue_id), day, link)
        yield day


def read_back(folder: Path, day: Day, link: Link) -> Link:
    """Follow the chain through a day, and hold its ticks against its blocks."""
    blocks, ticks = must_be(day.blocks, folder), ticks_in(must_be(day.ticks, folder))
    accepted = refused = 0
    for group in blocks_in(blocks):
        for block in group:
            check(block, link)
            link = Link.of(block)
            for row in rows_of(block):
                if next(ticks, None) != row:
                    raise ArchiveBroken(f"{day.ticks.name}: not what the blocks say")
                accepted += row["accepted"]
                refused += not row["accepted"]
    if next(ticks, None) is not None:
        raise ArchiveBroken(f"{day.ticks.name}: more than the blocks say")
    ends = (link.number, link.last_sequence, link.sha256)
    if ends != day.link or (accepted, refused) != (day.accepted, day.refused):
        raise ArchiveBroken(f"{day.day}: not what the manifest says")
    return link
