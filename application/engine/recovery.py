"""How an engine finds its feet: the last checkpoint, then the log and ticks after it.

Nothing is judged again. Facts are folded in their one recorded order: before each
event, the ticks that it had seen; after the last event, the ticks that nobody has
acted on. What folds is what the engine itself folds while it runs.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import Final

from msgspec import Struct, msgpack
from msgspec import json as msgspec_json

from application.catalogue import Fact, Unreadable, fact_of
from application.engine.allocations import Allocation, Allocations
from application.engine.envelope import Envelope
from application.engine.journal import (
    Checkpoint,
    Image,
    Journal,
    Recorded,
    TickBlock,
)
from application.engine.memory import Entry, Memory, Shelved, State
from application.engine.tick_block import Accepted, Link, Refused, check, unpack
from application.engine.unread import SetAside, Unread
from application.engine.venue import Index, Venue, VenueImage
from application.parked import ParkedEvent, Settled
from application.parked import evolve as evolve_parked
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

SLICE: Final = 250  # accounts encoded before others get a turn

Fold = Callable[[Account, Moment], Account]  # what time or a quote does to marks

_ENVELOPES = msgspec_json.Decoder(Envelope)
_VENUES = msgpack.Decoder(VenueImage)
_INDEXES = msgpack.Decoder(Index)
_ALLOCATIONS = msgpack.Decoder(Allocation)
STATES: Final[dict[str, msgpack.Decoder[State]]] = {
    "account": msgpack.Decoder(Account),
    "challenge": msgpack.Decoder(Challenge),
    "plan": msgpack.Decoder(Plan),
    "parked": msgpack.Decoder(Settled),
}
IMAGED: Final = (Account, Challenge, Plan, Settled, VenueImage, Index, Allocation)
_, _COMPONENTS = msgspec_json.schema_components(IMAGED)
SHAPE: Final = sha256(msgspec_json.encode(_COMPONENTS, order="sorted")).hexdigest()


class Restored(Struct, frozen=True):
    """Where the log ended, and what each policy had done by the checkpoint."""

    position: int
    policies: dict[str, int]
    trades: dict[str, str]  # open ones, and whose account holds them
    allocations: Allocations


class CheckpointBody(Struct, frozen=True):
    policies: dict[str, int]
    unread: tuple[Unread, ...] = ()  # what the images lack
    shape: str = ""  # of the images


class Recovery:
    def __init__(
        self, journal: Journal, memory: Memory, venues: dict[str, Venue]
    ) -> None:
        self._journal = journal
        self._memory = memory
        self._venues = venues
        self._ticks: dict[str, TickTail] = {}
        self._trades: dict[str, str] = {}
        self._allocations = Allocations()
        self.set_aside = SetAside(memory, venues)

    async def run(self) -> Restored:
        checkpoint, images = await self._saved()
        position, policies = 0, dict[str, int]()
        if checkpoint is not None:
            body = msgpack.decode(checkpoint.body, type=CheckpointBody)
            policies = body.policies
            is_ours = body.shape == SHAPE  # else the log tells it anew
            if is_ours and not await self._is_any_readable(body.unread):
                position = checkpoint.position
                self.set_aside.known(body.unread)
                self._take_note(images)
        async for recorded in self._journal.events(position):
            await self._take_up(recorded)
            position = recorded.position
        self.set_aside.number()
        for venue in self._venues.values():
            await self._catch_up(venue, None)
            venue.is_touched = True  # also where no clock has moved: show it all
            venue.seal()
            venue.settle()
        self._memory.seal()
        self._memory.settle()
        for _, entry in self._memory.all_loaded():
            if isinstance(entry.state, Account):
                for held in entry.state.positions:
                    self._trades[held.trade_id] = entry.state.account_id
        return Restored(position, policies, self._trades, self._allocations)

    async def _saved(self) -> tuple[Checkpoint | None, list[Image]]:
        """Read both as of one checkpoint: an older owner may just be ending one."""
        checkpoint = await self._journal.latest_checkpoint()
        while checkpoint is not None:
            images = [image async for image in self._journal.images()]
            before, checkpoint = checkpoint, await self._journal.latest_checkpoint()
            if checkpoint == before:
                return checkpoint, images
        return None, []

    async def _is_any_readable(self, unread: Iterable[Unread]) -> bool:
        """Then no image counts: they were saved without what can be read now."""
        for each in unread:
            async for recorded in self._journal.events(
                each.position - 1, each.position
            ):
                with suppress(Unreadable):
                    read(recorded)
                    return True
        return False

    def _take_note(self, images: Iterable[Image]) -> None:
        """Know of every account; decode it when somebody asks for it."""
        shelved: dict[str, Shelved] = {}
        indexed: dict[str, Index] = {}
        for image in images:
            kind, _, name = image.stream.partition("-")
            if kind == "venue":
                self._venues[name] = Venue(_VENUES.decode(image.body))
                continue
            shelved[image.stream] = Shelved(image.version, image.body)
            if kind == "account":
                indexed[name] = _INDEXES.decode(image.index)
            elif kind == "challenge":
                self._allocations.note(name, _ALLOCATIONS.decode(image.index))
        self._memory.shelve(shelved, self._load)
        for account_id, index in indexed.items():
            self._venues[index.venue_id].follow_indexed(account_id, index)
            for trade_id in index.trades:
                self._trades[trade_id] = account_id

    def _load(self, stream: str, shelved: Shelved) -> Entry:
        """Decode, and fold the ticks that came since: they were judged already."""
        state = STATES[stream.partition("-")[0]].decode(shelved.body)
        if not isinstance(state, Account):
            return Entry(shelved.version, state)
        for held in state.positions:  # from here on its state tells
            self._trades.pop(held.trade_id, None)
        if state.venue_id in self._ticks:
            venue = self._venues[state.venue_id]
            state = self._ticks[state.venue_id].folded(state, venue)
        return Entry(shelved.version, state)

    async def _take_up(self, recorded: Recorded) -> None:
        if recorded.stream in self.set_aside:
            self.set_aside.go_on(recorded)
            return
        try:
            await self._fold(recorded)
        except Unreadable as fault:
            self.set_aside.begin(recorded, fault)

    async def _fold(self, recorded: Recorded) -> None:
        envelope, fact = read(recorded)
        if isinstance(fact, VenueOpened):
            self._venues[fact.venue_id] = Venue.opening(fact, recorded.version)
            return
        venue = self._venues[envelope.venue] if envelope.venue else None
        if venue is not None:
            await self._catch_up(venue, envelope.as_of_tick)
            self._before(fact, venue, envelope.engine_time)
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
        fact: AccountEvent | ChallengeEvent | PlanEvent | ParkedEvent,
        venue: Venue | None,
    ) -> None:
        known = self._memory.working(recorded.stream)
        state = known.state if known else None
        after: State
        if isinstance(fact, AccountEvent):
            assert venue is not None
            assert state is None or isinstance(state, Account)
            account = evolve(state, fact)
            venue.follow(account)
            after = observe(account, venue.moment())
        elif isinstance(fact, ChallengeEvent):
            assert state is None or isinstance(state, Challenge)
            after = evolve_challenge(state, fact)
            self._allocations.follow(after)
        elif isinstance(fact, ParkedEvent):
            after = evolve_parked(fact)
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

    def _before(self, fact: Fact, venue: Venue, at: datetime) -> None:
        """What was due before that fact is in the log too: nothing is judged here."""

    def _before_tick(self, venue: Venue, at: datetime) -> None:
        """Likewise."""

    async def _catch_up(self, venue: Venue, until: int | None) -> None:
        """Apply the ticks up to `until`; without it, all that the log holds."""
        if until is not None and venue.sequence >= until:
            return
        if venue.venue_id not in self._ticks:
            self._ticks[venue.venue_id] = TickTail(self._journal, venue)
        tail = self._ticks[venue.venue_id]
        while (tick := await tail.next(until)) is not None:
            self._before_tick(venue, tick.engine_time)
            venue.repeat(tick.quote, tick.engine_time)
            for account_id in venue.screen.touched(tick.quote.symbol):
                stream = f"account-{account_id}"
                if self._memory.is_shelved(stream):
                    self._memory.outdate(stream)
                else:
                    self._at_tick(account_id, tick.quote.symbol, venue)
        if until is None:
            venue.link = tail.link
            for jump in tail.jumps.values():
                venue.doubt(jump)
            if tail.engine_to is not None:
                venue.advance(tail.engine_to)
                venue.heard_at = tail.engine_to

    async def _chained(self, venue: Venue, until: int) -> Link:
        if venue.venue_id not in self._ticks:
            self._ticks[venue.venue_id] = TickTail(self._journal, venue)
        return await self._ticks[venue.venue_id].chained(until)

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


def read(recorded: Recorded) -> tuple[Envelope, Fact]:
    """Raise `Unreadable`, before anything has been done about it."""
    try:
        envelope = _ENVELOPES.decode(recorded.envelope)
    except Exception as fault:
        raise Unreadable(f"its envelope: {fault}") from fault
    return envelope, fact_of(recorded)


def unmoved(account: Account, moment: Moment) -> Account:  # noqa: ARG001 - a fold
    """A deadline lifts no mark."""
    return account


def refolded(fold: Fold, account: Account, moment: Moment) -> Account:
    """What cannot be valued stays as it is: the fact that froze it comes next."""
    try:
        return fold(account, moment)
    except Exception:  # noqa: BLE001 - whatever it was stopped the engine no more
        return account


class TickTail:
    """The ticks of one venue after its image, a block at a time."""

    def __init__(self, journal: Journal, venue: Venue) -> None:
        self.link: Link = venue.link
        self._quotes = dict(venue.quotes)  # before the first of them
        self._applied: list[Accepted] = []
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
            self._follow(block)
            self.engine_to = block.engine_to
            content = unpack(block)
            self._ready.extend(content.accepted)
            for refused in content.refused:
                if refused.reason is Reason.SPIKE:
                    self.jumps[refused.raw.symbol] = refused
        if until is not None and self._ready[0].quote.sequence > until:
            return None
        self._applied.append(self._ready.popleft())
        return self._applied[-1]

    def _follow(self, block: TickBlock) -> None:
        """Refuse a chain that lacks a block: its ticks were seen by facts."""
        before, self.link = self.link, Link.of(block)
        check(block, before)

    async def chained(self, until: int) -> Link:
        """Follow the chain through what no account needs any more."""
        while self.link.number < until:
            block = await anext(self._blocks, None)
            if block is None:
                break
            self._follow(block)
        return self.link

    def folded(self, account: Account, venue: Venue) -> Account:
        """Raise the marks of an account that none of these ticks has moved yet."""
        if not account.positions or not self._applied:
            return account
        symbols = account.symbols(venue.market)
        quotes = dict(self._quotes)
        market = venue.market_of(quotes)
        for tick in self._applied:
            quotes[tick.quote.symbol] = tick.quote
            if tick.quote.symbol in symbols:
                moment = Moment(tick.engine_time, tick.quote.sequence, market)
                account = refolded(observe, account, moment)
        return account


async def refresh(memory: Memory) -> None:
    """Leave no image behind the ticks of its venue's: a start goes on from those."""
    for number, stream in enumerate(memory.outdated(), start=1):
        memory.shown(stream)
        if number % SLICE == 0:
            await asyncio.sleep(0)


async def save(
    journal: Journal,
    memory: Memory,
    venues: dict[str, Venue],
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
    images = [
        Image(
            stream=f"venue-{venue.venue_id}",
            version=image.version,
            body=msgpack.encode(image),
        )
        for venue, image in shown
    ]
    for number, (stream, entry) in enumerate(entries.items(), start=1):
        images.append(image_of(stream, entry, venues))
        if number % SLICE == 0:
            await asyncio.sleep(0)
    await journal.checkpoint(checkpoint, images)
    memory.saved(entries)
    for venue, image in shown:
        if venue.shown is image:
            venue.is_unsaved = False


def image_of(stream: str, entry: Entry, venues: dict[str, Venue]) -> Image:
    state, index = entry.state, b""
    if isinstance(state, Account):
        index = msgpack.encode(venues[state.venue_id].index(state))
    elif isinstance(state, Challenge):
        index = msgpack.encode(Allocation.of(state))
    return Image(
        stream=stream, version=entry.version, body=msgpack.encode(state), index=index
    )
