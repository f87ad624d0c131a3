"""What has changed is saved, off the write path, for the next start to begin from."""

import asyncio
from datetime import datetime
from typing import Final

from msgspec import Struct, msgpack

from application.engine.allocations import Allocation
from application.engine.images import SHAPE, Images, line
from application.engine.journal import Checkpoint, Image, Journal
from application.engine.memory import Entry, Memory
from application.engine.unread import Unread
from application.engine.venue import Venue
from domain.account.state import Account
from domain.challenge.state import Challenge

SLICE: Final = 250  # states encoded before others get a turn
SLICE_OF_STALE: Final = 64  # likewise decoded, with what has happened to them since


class CheckpointBody(Struct, frozen=True):
    policies: dict[str, int]
    unread: tuple[Unread, ...] = ()  # what the images lack
    shape: str = ""  # of the images


async def refresh(memory: Memory) -> None:
    """Leave no image behind the ticks of its venue's: a start goes on from those."""
    for number, stream in enumerate(memory.outdated(), start=1):
        memory.shown(stream)
        if number % SLICE_OF_STALE == 0:
            await asyncio.sleep(0)


async def save(  # noqa: PLR0913 - a checkpoint is of that many things at once
    journal: Journal,
    memory: Memory,
    venues: dict[str, Venue],
    images: Images,
    *,
    position: int,
    at: datetime,
    policies: dict[str, int],
    unread: tuple[Unread, ...] = (),
) -> None:
    """Store what has changed since the last time, as of one and the same batch.

    States never change, so what stood at this instant is written down in slices,
    between which commands go on.
    """
    entries = memory.unsaved()
    shown = [(venue, venue.shown) for venue in venues.values() if venue.is_unsaved]
    body = msgpack.encode(CheckpointBody(policies, unread, SHAPE))
    checkpoint = Checkpoint(position=position, taken_at=at, body=body)
    made = [
        Image(
            stream=f"venue-{venue.venue_id}",
            version=image.version,
            body=msgpack.encode(image),
        )
        for venue, image in shown
    ]
    for number, (stream, entry) in enumerate(entries.items(), start=1):
        made.append(image_of(stream, entry, venues, images))
        if number % SLICE == 0:
            await asyncio.sleep(0)
    shared = images.unsaved()
    await journal.checkpoint(checkpoint, (*shared, *made))
    images.saved(shared)
    memory.saved(entries)
    for venue, image in shown:
        if venue.shown is image:
            venue.is_unsaved = False


def image_of(
    stream: str, entry: Entry, venues: dict[str, Venue], images: Images
) -> Image:
    state, index = entry.state, b""
    if isinstance(state, Account):
        index = line(venues[state.venue_id].index(state))
    elif isinstance(state, Challenge):
        index = msgpack.encode(Allocation.of(state))
    return Image(
        stream=stream, version=entry.version, body=images.body(state), index=index
    )
