"""What the engine remembers: as it is being decided, and as it is already on disk.

Deciding works on the newest state; answers and queries see only what is durable.
When a batch fails, what was worked on falls back to what is shown.
"""

from collections.abc import Iterator

from msgspec import Struct

from domain.account.state import Account
from domain.challenge.state import Challenge
from domain.plan.decider import Plan

State = Account | Challenge | Plan


class Entry(Struct, frozen=True):
    version: int
    state: State


class Memory:
    def __init__(self) -> None:
        self._working: dict[str, Entry] = {}
        self._shown: dict[str, Entry] = {}
        self._touched: dict[str, None] = {}
        self._unsaved: dict[str, None] = {}

    def working(self, stream: str) -> Entry | None:
        return self._working.get(stream)

    def shown(self, stream: str) -> Entry | None:
        return self._shown.get(stream)

    def all_shown(self) -> Iterator[tuple[str, Entry]]:
        return iter(self._shown.items())

    def all_working(self) -> Iterator[tuple[str, Entry]]:
        return iter(self._working.items())

    def put(self, stream: str, entry: Entry) -> None:
        self._working[stream] = entry
        self._touched[stream] = None

    def settle(self) -> None:
        """The batch is on disk: show it."""
        for stream in self._touched:
            self._shown[stream] = self._working[stream]
        self._unsaved.update(self._touched)
        self._touched.clear()

    def drop(self) -> dict[str, Entry]:
        """The batch is not on disk: fall back, and give what was lost."""
        lost = {stream: self._working[stream] for stream in self._touched}
        for stream in lost:
            if stream in self._shown:
                self._working[stream] = self._shown[stream]
            else:
                del self._working[stream]
        self._touched.clear()
        return lost

    @property
    def has_unsaved(self) -> bool:
        return bool(self._unsaved)

    def unsaved(self) -> dict[str, Entry]:
        """What has changed since the last checkpoint."""
        return {stream: self._shown[stream] for stream in self._unsaved}

    def saved(self, streams: dict[str, Entry]) -> None:
        for stream, entry in streams.items():
            if self._shown[stream] is entry:
                self._unsaved.pop(stream, None)
