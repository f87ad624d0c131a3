"""What the engine remembers: as it is being decided, and as it is already on disk.

Deciding works on the newest state; answers and queries see only what is durable.
Between the two lies one sealed batch, on its way to the disk. When that fails, all
that was worked on falls back to what is shown.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from application.parked import Settled
from domain.account.state import Account
from domain.challenge.state import Challenge
from domain.plan.decider import Plan

State = Account | Challenge | Plan | Settled


class Entry(Struct, frozen=True):
    version: int
    state: State


class Shelved(Struct, frozen=True):
    """An entry as it was saved: decoded when somebody asks for it."""

    version: int
    body: bytes


Load = Callable[[str, Shelved], Entry]


class Memory:
    def __init__(self) -> None:
        self._working: dict[str, Entry] = {}
        self._shown: dict[str, Entry] = {}
        self._shelved: dict[str, Shelved] = {}
        self._outdated: dict[str, None] = {}  # shelved, and quotes have moved it since
        self._load: Load | None = None
        self._plans: dict[str, None] = {}
        self._touched: dict[str, None] = {}
        self._sealed: dict[str, Entry] = {}
        self._unsaved: dict[str, None] = {}

    def shelve(self, shelved: dict[str, Shelved], load: Load) -> None:
        """Take what a checkpoint holds; `load` makes an entry current."""
        self._shelved.update(shelved)
        self._plans.update(dict.fromkeys(filter(is_plan, shelved)))
        self._load = load

    def is_shelved(self, stream: str) -> bool:
        return stream in self._shelved

    def outdate(self, stream: str) -> None:
        """What is shelved no longer tells how its marks stand."""
        self._outdated[stream] = None

    def outdated(self) -> tuple[str, ...]:
        """What only has to be asked for to be up to date again."""
        return tuple(self._outdated)

    def working(self, stream: str) -> Entry | None:
        if stream in self._shelved:
            return self._unshelved(stream)
        return self._working.get(stream)

    def shown(self, stream: str) -> Entry | None:
        if stream in self._shelved:
            return self._unshelved(stream)
        return self._shown.get(stream)

    def _unshelved(self, stream: str) -> Entry:
        assert self._load is not None
        entry = self._load(stream, self._shelved.pop(stream))
        self._outdated.pop(stream, None)
        self._working[stream] = self._shown[stream] = entry
        self._unsaved[stream] = None  # ticks may have lifted its marks since
        return entry

    def all_shown(self) -> Iterator[tuple[str, Entry]]:
        """Everything, decoded: for comparisons, not for every day."""
        for stream in tuple(self._shelved):
            self._unshelved(stream)
        return iter(self._shown.items())

    def all_loaded(self) -> Iterator[tuple[str, Entry]]:
        return iter(self._working.items())

    def plans(self) -> Iterator[Entry]:
        for stream in self._plans:
            if entry := self.shown(stream):
                yield entry

    def __len__(self) -> int:
        return len(self._shown) + len(self._shelved)

    def put(self, stream: str, entry: Entry) -> None:
        self._working[stream] = entry
        self._touched[stream] = None
        if is_plan(stream):
            self._plans[stream] = None

    def seal(self) -> None:
        """The batch is complete: what is decided from here on belongs to the next."""
        assert not self._sealed, "one batch at a time is on its way"
        self._sealed = {stream: self._working[stream] for stream in self._touched}
        self._touched.clear()

    def settle(self) -> None:
        """The sealed batch is on disk: show it."""
        self._shown.update(self._sealed)
        self._unsaved.update(dict.fromkeys(self._sealed))
        self._sealed = {}

    def drop(self) -> dict[str, Entry]:
        """Nothing newer is on disk: fall back, and give what was lost."""
        lost = {s: self._working[s] for s in (*self._sealed, *self._touched)}
        for stream in lost:
            if stream in self._shown:
                self._working[stream] = self._shown[stream]
            else:
                del self._working[stream]
        self._sealed = {}
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


def is_plan(stream: str) -> bool:
    return stream.startswith("plan-")
