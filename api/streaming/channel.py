"""One subject of interest: what stands, and the latest of what happened.

What stands is one message, and a newer one takes its place; what happened is kept in
a ring. Readers who lag read from here, so nothing is queued for any of them.
"""

from collections import deque
from typing import Final

import msgspec
from msgspec import Struct

from api.streaming.messages import Items, Message
from api.streaming.pieces import ENCODE, Entry

KEPT: Final = 256
CROWD: Final = KEPT // 2
SNAPSHOT_ITEMS: Final = 50


class Channel:
    """`is_log`: it has no standing, so its latest messages are its snapshot."""

    def __init__(self, name: str, number: int, *, is_log: bool = False) -> None:
        self.name = name
        self.seq = number  # so it never goes back, over a restart neither
        self.is_log = is_log
        self.beats_idle = 0
        self._standing: Entry | None = None
        self._happened: deque[Entry] = deque()
        self._lost_seq = self._lost_number = number

    def shows(self, number: int, kind: str, data: Struct | None) -> None:
        """What stands now; nobody is sent what stood before."""
        self._standing = self._next(number, kind, data)

    def happens(self, number: int, kind: str, data: Struct) -> None:
        if len(self._happened) == KEPT:
            lost = self._happened.popleft()
            self._lost_seq, self._lost_number = lost.seq, lost.number
        self._happened.append(self._next(number, kind, data))

    def _next(self, number: int, kind: str, data: Struct | None) -> Entry:
        self.seq += 1
        return Entry(number, Message(self.name, self.seq, kind, data))

    def is_crowded(self, number: int) -> bool:
        """Whether half of what is kept is newer: the rest is for who lags."""
        ring = self._happened
        return len(ring) >= CROWD and ring[-CROWD].number > number

    def has_after(self, number: int) -> bool:
        return number >= self._lost_number

    def after(self, number: int) -> list[Entry]:
        """What is newer than that, in order."""
        found = []
        for entry in reversed(self._happened):
            if entry.number <= number:
                break
            found.append(entry)
        if self._standing is not None and self._standing.number > number:
            found.append(self._standing)
        found.sort(key=number_of)
        return found

    def number_at(self, seq: int) -> int | None:
        """Where a reader of `seq` goes on; None when what follows it is gone."""
        if not self._lost_seq <= seq <= self.seq:
            return None
        found = [each for each in self._happened if each.seq <= seq]
        if self._standing is not None and self._standing.seq <= seq:
            found.append(self._standing)
        return max(map(number_of, found), default=self._lost_number)

    def snapshot(self) -> Message:
        if self.is_log:
            latest = list(self._happened)[-SNAPSHOT_ITEMS:]
            told: Struct | msgspec.Raw = Items(
                tuple(msgspec.Raw(each.json) for each in latest)
            )
        else:
            assert self._standing is not None, "it began with what stands"
            told = msgspec.Raw(ENCODE(self._standing.data))
        return Message(self.name, self.seq, "snapshot", told)


def number_of(entry: Entry) -> int:
    return entry.number
