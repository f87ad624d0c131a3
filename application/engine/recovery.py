"""How the log is folded: before each event, the ticks that it had seen.

Nothing is judged here. What folds is what the engine itself folds while it runs.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime

from msgspec import json as msgspec_json

from application.catalogue import Fact, Unreadable, fact_of
from application.engine.allocations import Allocations
from application.engine.envelope import Envelope
from application.engine.journal import (
    Journal,
    Recorded,
    TickBlock,
)
from application.engine.memory import Entry, Memory, State
from application.engine.tick_block import (
    Accepted,
    Link,
    Refused,
    check,
    in_order,
    place,
    unpack,
)
from application.engine.venue import Venue
from application.parked import ParkedEvent
from application.parked import evolve as evolve_parked
from domain.account.events import (
    AccountEvent,
    CloseReason,
    OrderCancelled,
    OrderTriggered,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
)
from domain.account.state import Account, evolve, observe, turn
from domain.challenge.events import ChallengeEvent
from domain.challenge.state import Challenge
from domain.challenge.state import evolve as evolve_challenge
from domain.plan.decider import Plan
from domain.plan.decider import evolve as evolve_plan
from domain.plan.events import PlanEvent
from domain.values.market import Moment
from domain.venue.events import DayBoundaryPassed, VenueEvent, VenueOpened

Fold = Callable[[Account, Moment], Account]  # what time or a quote does to marks

_ENVELOPES = msgspec_json.Decoder(Envelope)


class Recovery:
    def __init__(
        self, journal: Journal, memory: Memory, venues: dict[str, Venue]
    ) -> None:
        self._journal = journal
        self._memory = memory
        self._venues = venues
        self._ticks: dict[str, TickTail] = {}
        self._allocations = Allocations()
        self._unmarked: dict[str, tuple[int, Account]] = {}  # before which tick

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
        if isinstance(fact, VenueEvent):
            assert venue is not None
            venue.version = recorded.version
            venue.hear(fact)
            self._of_venue(fact, venue)
            return
        self._evolve(recorded, fact, venue, envelope)

    def _evolve(
        self,
        recorded: Recorded,
        fact: AccountEvent | ChallengeEvent | PlanEvent | ParkedEvent,
        venue: Venue | None,
        envelope: Envelope,
    ) -> None:
        self._unmark(recorded.stream.partition("-")[2], set_off_by(fact, envelope))
        known = self._memory.working(recorded.stream)
        state = known.state if known else None
        after: State
        if isinstance(fact, AccountEvent):
            assert venue is not None
            assert state is None or isinstance(state, Account)
            account = evolve(state, fact)
            venue.follow(account)
            after = observe(account, self._moment(venue, envelope))
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

    def _moment(self, venue: Venue, envelope: Envelope) -> Moment:
        return Moment(envelope.engine_time, envelope.as_of_tick, venue.market)

    def _of_venue(self, fact: VenueEvent, venue: Venue) -> None:
        if isinstance(fact, DayBoundaryPassed):
            self._turn(venue, fact)

    def _turn(self, venue: Venue, fact: DayBoundaryPassed) -> None:
        for account_id in venue.turn(fact.at, fact.trading_day):
            self._at_boundary(account_id, venue)

    def _on_tick(self, venue: Venue, tick: Accepted) -> None:
        for account_id in venue.screen.touched(tick.quote.symbol):
            self._at_tick(account_id, tick.quote.symbol, venue)

    def _at_tick(self, account_id: str, symbol: str, venue: Venue) -> None:  # noqa: ARG002 - whoever judges again asks for it
        account = self._account(account_id)
        self._unmarked[account_id] = (venue.sequence, account)
        self._replace(account_id, refolded(observe, account, venue.moment()))

    def _unmark(self, account_id: str, tick: int | None) -> None:
        """Its marks rise after what the tick has set off first, not before."""
        before = self._unmarked.pop(account_id, None)
        if before is not None and before[0] == tick:
            self._replace(account_id, before[1])

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
            if isinstance(tick, Refused):
                venue.repeat_refusal(tick)
                continue
            self._before_tick(venue, tick.engine_time)
            self._apply(venue, tick)
        if until is None:
            venue.link = tail.link
            if tail.engine_to is not None:
                venue.advance(tail.engine_to)
                venue.heard_at = tail.engine_to

    def _apply(self, venue: Venue, tick: Accepted) -> None:
        venue.repeat(tick.quote, tick.engine_time)
        self._on_tick(venue, tick)

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


def set_off_by(fact: Fact, envelope: Envelope) -> int | None:
    """The tick that has set it off at once, if one has."""
    tick = envelope.as_of_tick
    is_of_tick = envelope.causation == f"tick:{tick}"
    return tick if is_of_tick and is_at_once(fact) else None


def is_at_once(fact: Fact) -> bool:
    """Whether a quote does that before any mark is raised by it, unlike a verdict."""
    if isinstance(fact, PositionClosed):
        return fact.reason is not CloseReason.STOP_OUT
    return isinstance(
        fact, PositionOpened | PositionIncreased | OrderTriggered | OrderCancelled
    )


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
        self.engine_to: datetime | None = None
        # also those that refused everything since: they move the chain, not the count
        self._blocks = aiter(journal.tick_blocks(venue.venue_id, venue.sequence - 1))
        self._ready: deque[Accepted | Refused] = deque()

    async def next(self, until: int | None) -> Accepted | Refused | None:
        """Give what was quoted, in order; what was refused is not waited for."""
        while not self._ready:
            block = await anext(self._blocks, None)
            if block is None:
                return None
            if block.number <= self.link.number:
                continue
            self._follow(block)
            self.engine_to = block.engine_to
            self._ready.extend(in_order(unpack(block)))
        if until is not None and place(self._ready[0]) > until:
            return None
        return self._ready.popleft()

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
