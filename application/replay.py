"""Judge everything again from nothing, and hold it against what was recorded.

Ticks and boundaries are judged by the very functions that judged them live. Each
verdict must stand in the log, in its place, to the byte; each state must come out as
the engine last saved it. Nothing is written.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final

from msgspec import Struct, msgpack

from application.catalogue import encode, name_of
from application.engine.journal import Checkpoint, Image, Journal, Recorded
from application.engine.memory import Entry, Memory
from application.engine.recovery import Recovery
from application.engine.venue import Venue, VenueImage
from application.parked import ParkedEvent
from domain.account.decider import judged, turn_day, witness
from domain.account.events import AccountEvent
from domain.account.state import Account, evolve
from domain.challenge.events import ChallengeEvent
from domain.plan.events import PlanEvent

MOST_DIFFERENCES: Final = 1_000
PROGRESS_EVERY: Final = 10_000

Progress = Callable[[int], None]


class Difference(Struct, frozen=True, kw_only=True):
    account_id: str
    position: int | None
    recorded: str | None
    replayed: str | None


class StateHash(Struct, frozen=True, kw_only=True):
    state_hash: str


class Report(Struct, frozen=True, kw_only=True):
    """`live` is what the engine saved; `replayed` is what the log makes of it."""

    equal: bool
    accounts: int
    events: int
    live: StateHash
    replayed: StateHash
    differences: tuple[Difference, ...]


class Replay(Recovery):
    """Folds like a start does, but judges where a start only observes."""

    def __init__(
        self, journal: Journal, memory: Memory, venues: dict[str, Venue]
    ) -> None:
        super().__init__(journal, memory, venues)
        self.differences: list[Difference] = []
        self.events = 0
        self._expected: dict[str, deque[AccountEvent]] = defaultdict(deque)

    async def run_to(
        self, position: int, ticks: dict[str, int], progress: Progress
    ) -> None:
        """Stop after the event at `position` and each venue's tick."""
        async for recorded in self._journal.events(0, position):
            await self._fold(recorded)
            self.events += 1
            if self.events % PROGRESS_EVERY == 0:
                progress(self.events)
        for venue_id, sequence in ticks.items():
            await self._catch_up(self._venues[venue_id], sequence)
        for account_id, missing in self._expected.items():
            for fact in missing:
                self._differ(account_id, None, None, name_of(fact))

    def _at_tick(self, account_id: str, symbol: str, venue: Venue) -> None:
        account = self._account(account_id)
        after, events = witness(account, symbol, venue.moment())
        self._judged_again(after, events)

    def _at_boundary(self, account_id: str, venue: Venue) -> None:
        after, events = turn_day(self._account(account_id), venue.moment())
        self._judged_again(after, events)

    def _judged_again(self, after: Account, events: Iterable[AccountEvent]) -> None:
        self._replace(after.account_id, after)
        for fact in events:
            self._expected[after.account_id].append(fact)

    def _evolve(
        self,
        recorded: Recorded,
        fact: AccountEvent | ChallengeEvent | PlanEvent | ParkedEvent,
        venue: Venue | None,
    ) -> None:
        if not isinstance(fact, AccountEvent):
            super()._evolve(recorded, fact, venue)
            return
        assert venue is not None
        known = self._memory.working(recorded.stream)
        state = known.state if known else None
        assert state is None or isinstance(state, Account)
        account_id = recorded.stream.partition("-")[2]
        expected = self._expected[account_id]
        if expected:  # this fact has been folded when it was judged
            self._compare(account_id, recorded, expected.popleft())
            assert state is not None
            account = state
        else:  # what a command did; what follows from it is judged here
            account = evolve(state, fact)
            account, verdict = judged(account, venue.moment())
            expected.extend(verdict)
        venue.follow(account)
        self._memory.put(recorded.stream, Entry(recorded.version, account))

    def _compare(
        self, account_id: str, recorded: Recorded, expected: AccountEvent
    ) -> None:
        if encode(expected) != recorded.payload:
            self._differ(
                account_id, recorded.position, recorded.name, name_of(expected)
            )

    def _differ(
        self,
        account_id: str,
        position: int | None,
        recorded: str | None,
        replayed: str | None,
    ) -> None:
        if len(self.differences) < MOST_DIFFERENCES:
            self.differences.append(
                Difference(
                    account_id=account_id,
                    position=position,
                    recorded=recorded,
                    replayed=replayed,
                )
            )


async def replay(
    journal: Journal,
    checkpoint: Checkpoint | None,
    images: Iterable[Image],
    account_id: str | None,
    progress: Progress,
) -> Report:
    """Compare at the cut of `checkpoint`, whose `images` the live engine saved."""
    live: dict[str, Account] = {}
    ticks: dict[str, int] = {}
    for image in images:
        kind, _, name = image.stream.partition("-")
        if kind == "account" and account_id in (None, name):
            live[name] = msgpack.decode(image.body, type=Account)
        elif kind == "venue":
            ticks[name] = msgpack.decode(image.body, type=VenueImage).sequence
    memory, venues = Memory(), dict[str, Venue]()
    again = Replay(journal, memory, venues)
    await again.run_to(checkpoint.position if checkpoint else 0, ticks, progress)
    replayed = {
        entry.state.account_id: entry.state
        for _, entry in memory.all_loaded()
        if isinstance(entry.state, Account)
        and account_id in (None, entry.state.account_id)
    }
    differences = [
        each for each in again.differences if account_id in (None, each.account_id)
    ]
    differences.extend(
        Difference(
            account_id=name,
            position=None,
            recorded=state_hash(live, name),
            replayed=state_hash(replayed, name),
        )
        for name in sorted(live.keys() | replayed.keys())
        if live.get(name) != replayed.get(name)
    )
    return Report(
        equal=not differences,
        accounts=len(live),
        events=again.events,
        live=StateHash(state_hash=hash_of(live)),
        replayed=StateHash(state_hash=hash_of(replayed)),
        differences=tuple(differences[:MOST_DIFFERENCES]),
    )


def state_hash(accounts: dict[str, Account], name: str) -> str | None:
    return hash_of({name: accounts[name]}) if name in accounts else None


def hash_of(accounts: dict[str, Account]) -> str:
    """SHA-256 over the accounts in the order of their ids; sets are sorted."""
    digest = sha256()
    for name in sorted(accounts):
        digest.update(msgpack.encode(accounts[name], order="deterministic"))
    return f"sha256:{digest.hexdigest()}"
