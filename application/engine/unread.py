"""A stream that cannot be read is set aside whole, and the engine begins without it.

Its account is frozen as it stood before, and a fact says so: nobody is judged by half
a history. Any other stream stays where it could still be read: what is decided on it
meets the log's own versions, and is refused there. Nothing is lost: as soon as a
version can read it, everything is folded again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog
from msgspec import Struct
from msgspec.structs import asdict, replace

from application.engine.draft import Draft
from application.engine.envelope import Envelope, written
from application.engine.journal import Journal, Recorded
from application.engine.memory import Entry, Memory
from application.engine.parking import plain
from application.engine.venue import Venue
from application.parked import Failure, Kind
from domain.account.events import AccountQuarantined
from domain.account.state import Account, Status

log = structlog.get_logger("tradesense.engine")

MOST: Final = 10  # streams; where more cannot be read the version is at fault
CAUSE: Final = "Unreadable"
QUARANTINED: Final = AccountQuarantined.__struct_config__.tag


class IllegibleLog(Exception):
    """Too much of the log cannot be read to judge by it: the engine must not start."""


class Unread(Struct, frozen=True):
    """The first event of a stream that could not be read."""

    position: int
    stream: str
    name: str
    cause: str

    def __str__(self) -> str:
        return f"position {self.position}, {self.stream}, {self.name}: {self.cause}"


class SetAside:
    """What a start could not read; the streams stay as they were before it."""

    def __init__(self, memory: Memory, venues: Mapping[str, Venue]) -> None:
        self._memory = memory
        self._venues = venues
        self._unread: dict[str, Unread] = {}
        self._untold: dict[str, None] = {}  # frozen, and no fact says so yet

    def __contains__(self, stream: str) -> bool:
        return stream in self._unread

    def known(self, unread: Sequence[Unread]) -> None:
        """Take what an earlier start has set aside; its fact is in the log."""
        self._unread.update({each.stream: each for each in unread})

    def begin(self, recorded: Recorded, fault: Exception) -> None:
        """Raise `IllegibleLog` where too much would depend on it."""
        unread = Unread(
            position=recorded.position,
            stream=recorded.stream,
            name=recorded.name,
            cause=plain(str(fault)),
        )
        log.critical("unreadable", **asdict(unread))
        if recorded.stream.startswith("venue-"):
            raise IllegibleLog(f"every account there is judged by it: {unread}")
        if len(self._unread) == MOST:
            raise IllegibleLog(f"more than {MOST} streams, of the last {unread}")
        self._unread[recorded.stream] = unread
        self._freeze(recorded)

    def go_on(self, recorded: Recorded) -> None:
        """Pass over what follows in the stream, but for its number."""
        if recorded.name == QUARANTINED:
            self._untold.pop(recorded.stream, None)
        self._freeze(recorded)

    def _freeze(self, recorded: Recorded) -> None:
        entry = self._memory.working(recorded.stream)
        if entry is None or not isinstance(entry.state, Account):
            return
        frozen = replace(entry.state, status=Status.FROZEN, closing=frozenset())
        self._memory.put(recorded.stream, Entry(recorded.version, frozen))
        self._venues[frozen.venue_id].follow(frozen)
        if recorded.name != QUARANTINED:
            self._untold[recorded.stream] = None

    def number(self) -> None:
        """Leave room in each stream for the fact that `tell` will add to it."""
        for stream in self._untold:
            entry = self._memory.working(stream)
            assert entry is not None
            self._memory.put(stream, replace(entry, version=entry.version + 1))

    def tell(self, draft: Draft) -> None:
        """Have the log say which accounts are frozen from here on."""
        for stream in self._untold:
            entry = self._memory.working(stream)
            assert entry is not None
            assert isinstance(entry.state, Account)
            venue = self._venues[entry.state.venue_id]
            fact = AccountQuarantined(at=venue.clock, tick=venue.sequence, cause=CAUSE)
            envelope = Envelope(
                venue=venue.venue_id,
                as_of_tick=venue.sequence,
                engine_time=venue.clock,
                command_id=None,
                causation=f"unread:{self._unread[stream].position}",
                correlation="start",
                actor="system",
                recorded_at=draft.recorded_at,
            )
            draft.record(stream, entry.version, fact, written(envelope))

    async def park(self, journal: Journal, partition: str, at: datetime) -> None:
        """List it until somebody has looked, however often it is met."""
        for each in self.unread:
            token = f"{partition}-{each.position}"
            failure = Failure(
                kind=Kind.EVENT,
                subject=token,
                origin=token,
                cause=plain(f"{each.stream} {each.name}: {each.cause}"),
                body=b"",
                at=at,
            )
            await journal.park(failure)

    @property
    def unread(self) -> tuple[Unread, ...]:
        return tuple(self._unread.values())
