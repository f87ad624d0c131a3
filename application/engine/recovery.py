"""How an engine finds its feet: the last checkpoint, then the log and ticks after it.

Nothing is judged again. Facts are folded in their one recorded order: before each
event, the ticks that it had seen; after the last event, the ticks that nobody has
acted on. What folds is what the engine itself folds while it runs.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct, msgpack
from msgspec import json as msgspec_json

from application.catalogue import decode
from application.engine.envelope import Envelope
from application.engine.journal import Checkpoint, Image, Journal, Recorded
from application.engine.memory import Entry, Memory
from application.engine.tick_block import Accepted, Link, Refused, unpack
from application.engine.venue import Venue, VenueImage
from domain.account.events import AccountEvent
from domain.account.state import Account, evolve, observe, turn
from domain.challenge.events import ChallengeEvent
from domain.challenge.state import Challenge
from domain.challenge.state import evolve as evolve_challenge
from domain.plan.decider import Plan
from domain.plan.decider import evolve as evolve_plan
from domain.plan.events import PlanEvent
from domain.values.market import Moment
from domain.venue.events import (
    ClockAdvanced,
    DayBoundaryPassed,
    FeedGap,
    VenueOpened,
)
from domain.venue.gate import Reason

_ENVELOPES = msgspec_json.Decoder(Envelope)
_VENUES = msgpack.Decoder(VenueImage)
_STATES: dict[str, msgpack.Decoder[Account | Challenge | Plan]] = {
    "account": msgpack.Decoder(Account),
    "challenge": msgpack.Decoder(Challenge),
    "plan": msgpack.Decoder(Plan),
}


class Restored(Struct, frozen=True):
    """Where the log ended, and what each policy had done by the checkpoint."""

    position: int
    policies: dict[str, int]


class CheckpointBody(Struct, frozen=True):
    policies: dict[str, int]


class Recovery:
    def __init__(
        self, journal: Journal, memory: Memory, venues: dict[str, Venue]
    ) -> None:
        self._journal = journal
        self._memory = memory
        self._venues = venues
        self._ticks: dict[str, TickTail] = {}

    async def run(self) -> Restored:
        checkpoint = await self._journal.latest_checkpoint()
        position, policies = 0, dict[str, int]()
        if checkpoint is not None:
            position = checkpoint.position
            policies = msgpack.decode(checkpoint.body, type=CheckpointBody).policies
            await self._load_images()
        async for recorded in self._journal.events(position):
            await self._fold(recorded)
            position = recorded.position
        for venue in self._venues.values():
            await self._catch_up(venue, None)
            venue.settle()
        self._memory.settle()
        return Restored(position, policies)

    async def _load_images(self) -> None:
        async for image in self._journal.images():
            kind = image.stream.partition("-")[0]
            if kind == "venue":
                restored = _VENUES.decode(image.body)
                self._venues[restored.opened.venue_id] = Venue(restored)
            else:
                entry = Entry(image.version, _STATES[kind].decode(image.body))
                self._memory.put(image.stream, entry)
        for _, entry in self._memory.all_working():
            if isinstance(entry.state, Account):
                self._venues[entry.state.venue_id].follow(entry.state)

    async def _fold(self, recorded: Recorded) -> None:
        envelope = _ENVELOPES.decode(recorded.envelope)
        fact = decode(recorded.name, recorded.payload)
        if isinstance(fact, VenueOpened):
            self._venues[fact.venue_id] = Venue.opening(fact, recorded.version)
            return
        venue = self._venues[envelope.venue] if envelope.venue else None
        if venue is not None:
            await self._catch_up(venue, envelope.as_of_tick)
            venue.advance(envelope.engine_time)
        if isinstance(fact, DayBoundaryPassed | ClockAdvanced | FeedGap):
            assert venue is not None
            venue.version = recorded.version
            if isinstance(fact, DayBoundaryPassed):
                self._turn(venue, fact)
            return
        self._evolve(recorded, fact, venue)

    def _evolve(
        self,
        recorded: Recorded,
        fact: AccountEvent | ChallengeEvent | PlanEvent,
        venue: Venue | None,
    ) -> None:
        known = self._memory.working(recorded.stream)
        state = known.state if known else None
        after: Account | Challenge | Plan
        if isinstance(fact, AccountEvent):
            assert venue is not None
            assert state is None or isinstance(state, Account)
            account = evolve(state, fact)
            venue.follow(account)
            after = observe(account, venue.moment())
        elif isinstance(fact, ChallengeEvent):
            assert state is None or isinstance(state, Challenge)
            after = evolve_challenge(state, fact)
        else:
            assert state is None or isinstance(state, Plan)
            after = evolve_plan(state, fact)
        self._memory.put(recorded.stream, Entry(recorded.version, after))

    def _turn(self, venue: Venue, fact: DayBoundaryPassed) -> None:
        for account_id in venue.turn(fact.at, fact.trading_day):
            self._at_boundary(account_id, venue)

    def _at_tick(self, account_id: str, symbol: str, venue: Venue) -> None:  # noqa: ARG002 - whoever judges again asks for it
        account = self._account(account_id)
        self._replace(account_id, refolded(observe, account, venue.moment()))

    def _at_boundary(self, account_id: str, venue: Venue) -> None:
        account = self._account(account_id)
        self._replace(account_id, refolded(turn, account, venue.moment()))

    async def _catch_up(self, venue: Venue, until: int | None) -> None:
        """Apply the ticks up to `until`; without it, all that the log holds."""
        if until is not None and venue.sequence >= until:
            return
        if venue.venue_id not in self._ticks:
            self._ticks[venue.venue_id] = TickTail(self._journal, venue)
        tail = self._ticks[venue.venue_id]
        while (tick := await tail.next(until)) is not None:
            venue.repeat(tick.quote, tick.engine_time)
            for account_id in venue.screen.touched(tick.quote.symbol):
                self._at_tick(account_id, tick.quote.symbol, venue)
        if until is None:
            venue.link = tail.link
            for jump in tail.jumps.values():
                venue.doubt(jump)
            if tail.engine_to is not None:
                venue.advance(tail.engine_to)
                venue.heard_at = tail.engine_to

    def _account(self, account_id: str) -> Account:
        entry = self._memory.working(f"account-{account_id}")
        assert entry is not None
        assert isinstance(entry.state, Account)
        return entry.state

    def _replace(self, account_id: str, after: Account) -> None:
        stream = f"account-{account_id}"
        entry = self._memory.working(stream)
        assert entry is not None
        if after is not entry.state:
            self._memory.put(stream, Entry(entry.version, after))


def refolded(
    fold: Callable[[Account, Moment], Account], account: Account, moment: Moment
) -> Account:
    """What cannot be valued stays as it is: the fact that froze it comes next."""
    try:
        return fold(account, moment)
    except Exception:  # noqa: BLE001 - whatever it was stopped the engine no more
        return account


class TickTail:
    """The ticks of one venue after its image, a block at a time."""

    def __init__(self, journal: Journal, venue: Venue) -> None:
        self.link: Link = venue.link
        self.engine_to: datetime | None = None
        self.jumps: dict[str, Refused] = {}  # the latest of each symbol
        # also those that refused everything since: they move the chain, not the count
        self._blocks = aiter(journal.tick_blocks(venue.venue_id, venue.sequence - 1))
        self._ready: deque[Accepted] = deque()

    async def next(self, until: int | None) -> Accepted | None:
        while not self._ready:
            block = await anext(self._blocks, None)
            if block is None:
                return None
            if block.number <= self.link.number:
                continue
            self.link = Link.of(block)
            self.engine_to = block.engine_to
            content = unpack(block)
            self._ready.extend(content.accepted)
            for refused in content.refused:
                if refused.reason is Reason.SPIKE:
                    self.jumps[refused.raw.symbol] = refused
        if until is not None and self._ready[0].quote.sequence > until:
            return None
        return self._ready.popleft()


async def save(
    journal: Journal,
    memory: Memory,
    venues: dict[str, Venue],
    *,
    position: int,
    at: datetime,
    policies: dict[str, int],
) -> None:
    """Store what has changed since the last time, as of one and the same batch."""
    entries = memory.unsaved()
    images = [
        Image(stream=stream, version=entry.version, body=msgpack.encode(entry.state))
        for stream, entry in entries.items()
    ]
    unsaved = [venue for venue in venues.values() if venue.is_unsaved]
    shown = [(venue, venue.shown) for venue in unsaved]
    images.extend(
        Image(
            stream=f"venue-{venue.venue_id}",
            version=image.version,
            body=msgpack.encode(image),
        )
        for venue, image in shown
    )
    body = msgpack.encode(CheckpointBody(policies))
    await journal.checkpoint(
        Checkpoint(position=position, taken_at=at, body=body), images
    )
    memory.saved(entries)
    for venue, image in shown:
        if venue.shown is image:
            venue.is_unsaved = False
