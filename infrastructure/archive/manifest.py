"""What an archive of ticks holds, day by day, and how to know that it is unchanged."""

import os
from datetime import date, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Final

from msgspec import Struct, json
from msgspec.structs import replace

from application.engine.tick_block import GENESIS, Link

NAME: Final = "manifest.json"


class ArchiveBroken(Exception):
    """A file of the archive is not what its manifest says, or is not there."""


class File(Struct, frozen=True, kw_only=True):
    name: str
    bytes: int
    sha256: str


class Day(Struct, frozen=True, kw_only=True):
    """All blocks that ended on one day of UTC, by the venue's clock."""

    day: date
    first_number: int
    last_number: int
    last_sequence: int  # of the accepted quotes, up to the end of the day
    accepted: int
    refused: int
    previous_sha256: str  # of the block before the first
    sha256: str  # of the last block
    blocks: File  # as they were stored: the evidence
    ticks: File  # the same, to be read by anybody

    @property
    def link(self) -> tuple[int, int, bytes]:
        return self.last_number, self.last_sequence, bytes.fromhex(self.sha256)


class Manifest(Struct, frozen=True, kw_only=True):
    partition: str
    venue_id: str
    days: tuple[Day, ...] = ()  # in order, and none is missing between two
    dropped_to: int = 0  # the last block that the database no longer has
    dropped_at: datetime | None = None

    @property
    def link(self) -> Link:
        """Where the archived part of the chain ends."""
        if not self.days:
            return Link(self.venue_id, sha256=GENESIS)
        return Link(self.venue_id, *self.days[-1].link)

    def with_day(self, day: Day) -> "Manifest":
        return replace(self, days=(*self.days, day))


_DECODER: Final = json.Decoder(Manifest)


def read(folder: Path, partition: str, venue_id: str) -> Manifest:
    """Give what is archived; nothing where there is no archive yet."""
    file = folder / NAME
    if not file.exists():
        return Manifest(partition=partition, venue_id=venue_id)
    manifest = _DECODER.decode(file.read_bytes())
    if (manifest.partition, manifest.venue_id) != (partition, venue_id):
        raise ArchiveBroken(f"{file} is the manifest of {manifest.venue_id}")
    return manifest


def write(folder: Path, manifest: Manifest) -> None:
    """Replace it whole: a reader sees the old one or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.format(json.encode(manifest), indent=1) + b"\n"
    replace_file(folder / NAME, text)


def replace_file(file: Path, content: bytes) -> None:
    new = file.with_suffix(".new")
    with new.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)


def described(file: Path) -> File:
    with file.open("rb") as opened:
        sha256 = file_digest(opened, "sha256").hexdigest()
    return File(name=file.name, bytes=file.stat().st_size, sha256=sha256)


def must_be(file: File, folder: Path) -> Path:
    """Raise `ArchiveBroken` unless it is the very file that was written."""
    path = folder / file.name
    if not path.is_file() or described(path) != file:
        raise ArchiveBroken(f"{path} is not what was archived")
    return path
