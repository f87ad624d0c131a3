"""How an engine finds its feet: the last checkpoint, then the log and ticks after it.

What is saved is known at once and decoded when somebody asks for it. Of what happened
to a whole venue since (quotes, boundaries) a list is kept, and each account takes it
in when its turn comes: before its next event, at the end of the start, or later still.
"""

import gc
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Final

from msgspec import Struct, msgpack
from msgspec.structs import replace

from application.catalogue import Unreadable
from application.engine.allocations import Allocation, Allocations
from application.engine.asks import AdvanceClock, Ask
from application.engine.backlog import Happening, Touch
from application.engine.envelope import Envelope
from application.engine.images import FOLLOWINGS, LINES, SHAPE, Images
from application.engine.journal import Checkpoint, Image, Journal, Recorded
from application.engine.memory import Entry, Memory, Shelved
from application.engine.occasion import Occasion, boundary, timer
from application.engine.occasion import tick as said
from application.engine.recovery import Recovery, read, refolded, set_off_by
from application.engine.saving import CheckpointBody
from application.engine.tick_block import Accepted
from application.engine.unread import IllegibleLog, SetAside, Unread
from application.engine.venue import Venue, VenueImage, names_of
from application.parked import ParkedEvent
from domain.account.events import AccountEvent
from domain.account.state import Account, observe, turn
from domain.challenge.events import ChallengeEvent
from domain.plan.events import PlanEvent
from domain.values.market import Market, Moment
from domain.values.quote import Quote, Side
from domain.values.trading_day import TradingDay
from domain.venue.events import (
    DayBoundaryPassed,
    JudgingCaughtUp,
    JudgingDeferred,
    VenueEvent,
)

LIVES_LONG: Final = 2_000  # decoded states, which no collection need look at again
MOST_KEPT: Final = 10_000  # of what happened to a venue; then its accounts take it in

_VENUES = msgpack.Decoder(VenueImage)
_ALLOCATIONS = msgpack.Decoder(Allocation)


class Restored(Struct, frozen=True):
    """Where the log ended, and what each policy had done by the checkpoint."""

    position: int
    policies: dict[str, int]
    trades: dict[str, str]  # open ones and working orders, and in which account
    allocations: Allocations


class Turned(Struct, frozen=True):
    """A boundary of the venue has passed, for those whose day turns there."""

    at: datetime
    tick: int
    trading_day: TradingDay
    quotes: dict[str, Quote]


def stamp(each: Accepted | Turned) -> tuple[datetime, int]:
    """Its place in what happened to the venue; facts have the same."""
    if isinstance(each, Turned):
        return each.at, each.tick
    return each.engine_time, each.quote.sequence


class Touched(Struct, frozen=True):
    """Something that happened, and whom nobody may have judged by it."""

    place: tuple[datetime, int, int]
    at: datetime
    tick: int
    of: Touch
    why: str
    touched: tuple[str, ...]
    before: int  # how much of what happened came before
    until: int  # and with it


def comes_before(each: Accepted | Turned, deadline: datetime) -> bool:
    """Of one instant boundaries come first, then deadlines, then quotes."""
    if isinstance(each, Turned):
        return each.at <= deadline
    return each.engine_time < deadline


class Happened:
    """What has happened to all accounts of a venue since they were saved.

    Most hold one symbol on one side, and no mark of theirs rises but at its best price
    so far: those ticks are kept apart, and they take in no others.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._before = dict(venue.quotes)
        self._sequence, self._beginning = venue.sequence, venue.market
        self._list: list[Accepted | Turned] = []
        self._turning: dict[TradingDay, tuple[str, ...]] = {}
        self._best: dict[tuple[str, Side], list[Accepted | Turned]] = {}
        self._record: dict[tuple[str, Side], Decimal] = {}
        self._seen: dict[str, int] = {}  # how much of it by which account
        self._unjudged: dict[str, int] = {}  # who takes in no more than that for now
        self._markets: dict[int, Market] = {}
        self._bare: list[Market] = []  # after each: what is listed, what suspended

    def __len__(self) -> int:
        return len(self._list)

    def tick(self, tick: Accepted) -> None:
        self._list.append(tick)
        self._bare.append(self._venue.market)
        quote = tick.quote
        for side, height in ((Side.BUY, quote.bid), (Side.SELL, -quote.ask)):
            key = (quote.symbol, side)
            record = self._record.get(key)
            if record is None or height > record:
                self._record[key] = height
                self._best.setdefault(key, list(self._turns())).append(tick)

    def turn(self, turned: Turned, account_ids: tuple[str, ...]) -> None:
        self._list.append(turned)
        self._bare.append(self._venue.market)
        self._turning[turned.trading_day] = account_ids
        self._record.clear()  # of the new day
        for best in self._best.values():
            best.append(turned)

    def _turns(self) -> Iterator[Turned]:
        return (each for each in self._list if isinstance(each, Turned))

    def moved(self) -> Iterator[str]:
        """Name the accounts that have something to take in, some more than once."""
        for symbol in {symbol: None for symbol, _ in self._best}:
            yield from self._venue.screen.touched(symbol)
        for account_ids in self._turning.values():
            yield from account_ids

    def place(self, at: datetime, tick: int) -> int:
        """How much of it had happened by then: mostly all."""
        if not self._list or stamp(self._list[-1]) <= (at, tick):
            return len(self._list)
        return bisect_right(self._list, (at, tick), key=stamp)

    def without(self, until: int, tick: int) -> int:
        """So much of it, but not that tick, if it is the last."""
        last = self._list[until - 1] if until else None
        is_last = isinstance(last, Accepted) and last.quote.sequence == tick
        return until - 1 if is_last else until

    def seen(self, account_id: str, until: int) -> None:
        """It knows as much as that of what has happened."""
        self._seen[account_id] = until

    def market(self, until: int) -> Market:
        """The prices after so much of it."""
        if until == len(self._list):
            return self._venue.market
        if until not in self._markets:
            self._markets[until] = self._market_then(until)
        return self._markets[until]

    def unjudged(self, since: int, ask: Ask) -> tuple[list[Happening], dict[str, int]]:
        """What happened from there on, and by which of it each is to be judged first.

        Whoever that is takes in nothing more for now.
        """
        happenings = sorted(
            (*self._touches(since), *self._deadlines()), key=lambda each: each.place
        )
        kept: list[Happening] = []
        behind: dict[str, int] = {}
        for each in happenings:
            market, previous = self._market_then(each.until), None
            if isinstance(each.of, str):
                previous = self.market(each.before).quotes.get(each.of)
            moment = Moment(each.at, each.tick, market, previous)
            occasion = Occasion(self._venue.venue_id, moment, ask, each.why)
            for account_id in each.touched:
                behind.setdefault(account_id, len(kept))
                self._unjudged.setdefault(account_id, each.before)
            kept.append(Happening(occasion, each.of))
        return kept, behind

    def _touches(self, since: int) -> Iterator["Touched"]:
        """Whoever may not have seen a quote or a boundary."""
        tick = self._sequence
        for number, each in enumerate(self._list):
            if isinstance(each, Accepted):
                tick = each.quote.sequence
            if number < since:
                continue
            of: Touch
            if isinstance(each, Turned):
                at, order, of, why = each.at, 0, each.trading_day, boundary(each.at)
                names: Iterable[str] = self._turning[each.trading_day]
            else:
                at, order, of, why = each.engine_time, 2, each.quote.symbol, said(tick)
                names = self._venue.screen.touched(each.quote.symbol)
            touched = tuple(n for n in names if self._seen.get(n, 0) <= number)
            place = (at, order, number)
            yield Touched(place, at, tick, of, why, touched, number, number + 1)

    def _deadlines(self) -> Iterator["Touched"]:
        """Those that have passed; who was struck by then has another one."""
        struck: dict[datetime, list[str]] = defaultdict(list)
        for account_id, at in self._venue.timers.known.items():
            if at <= self._venue.clock:
                struck[at].append(account_id)
        for at, names in struck.items():
            ticks = [each for each in self._list if comes_before(each, at)]
            until = len(ticks)
            tick = max(
                (e.quote.sequence for e in ticks if isinstance(e, Accepted)),
                default=self._sequence,
            )
            touched = tuple(sorted(names))
            place = (at, 1, until)
            yield Touched(place, at, tick, at, timer(at), touched, until, until)

    def _market_then(self, until: int) -> Market:
        bare = self._bare[until - 1] if until else self._beginning
        quotes = dict(self._before)
        for each in islice(self._list, until):
            if isinstance(each, Accepted):
                quotes[each.quote.symbol] = each.quote
        return replace(bare, quotes=quotes)

    def taken_in(self, account: Account, until: int | None = None) -> Account:
        """Fold what the account has not seen yet; it was judged by it already."""
        since = self._seen.get(account.account_id, 0)
        if until is None:
            until = self._unjudged.get(account.account_id, len(self._list))
        if until <= since:
            return account
        self.seen(account.account_id, until)
        venue, day = self._venue, account.phase.trading_day
        symbols = venue.symbols(account)
        quotes = dict(self._before)
        market = venue.market_of(quotes)
        for number, each in self._steps(account, symbols, since, until):
            if isinstance(each, Turned):
                quotes.update(each.quotes)
                if number >= since and each.trading_day == day:
                    moment = Moment(each.at, each.tick, market)
                    account = refolded(turn, account, moment)
                continue
            quotes[each.quote.symbol] = each.quote
            if number >= since and each.quote.symbol in symbols:
                moment = Moment(each.engine_time, each.quote.sequence, market)
                account = refolded(observe, account, moment)
        return account

    def _steps(
        self, account: Account, symbols: frozenset[str], since: int, until: int
    ) -> Iterable[tuple[int, Accepted | Turned]]:
        if not (symbols or self._turning):
            return ()
        sides = {held.side for held in account.positions}
        if since or len(symbols) != 1 or len(sides) != 1:
            return enumerate(islice(self._list, until))
        (symbol,), (side,) = symbols, sides
        best: Iterable[Accepted | Turned]
        best = self._best.get((symbol, side)) or self._turns()
        if until < len(self._list):
            last = stamp(self._list[until - 1])
            best = (each for each in best if stamp(each) <= last)
        return enumerate(best)


class Start(Recovery):
    def __init__(
        self, journal: Journal, memory: Memory, venues: dict[str, Venue]
    ) -> None:
        super().__init__(journal, memory, venues)
        self._trades: dict[str, str] = {}
        self._happened: dict[str, Happened] = {}
        self._late: dict[str, int] = {}  # since when some account is not judged yet
        self._until: int | None = None  # how much of that is taken in; None: all
        self._loaded = 0
        self.images = Images()
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
            if recorded.position != position + 1:
                raise IllegibleLog(f"position {position + 1} is missing")
            await self._take_up(recorded)
            position = recorded.position
        for venue in self._venues.values():
            await self._catch_up(venue, None)
        self._leave_unjudged()
        self._all_take_in()
        self._show()
        return Restored(position, policies, self._trades, self._allocations)

    def _show(self) -> None:
        self.set_aside.number()
        for venue in self._venues.values():
            venue.is_touched = True  # also where no clock has moved: show it all
            venue.seal()
            venue.settle()
        self._memory.seal()
        self._memory.settle()
        for _, entry in self._memory.all_loaded():
            if isinstance(entry.state, Account):
                for name in names_of(entry.state):
                    self._trades[name] = entry.state.account_id

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

    def _take_note(self, images: Sequence[Image]) -> None:
        """Know of every account; decode it when somebody asks for it."""
        self.images.learn(images)
        shelved: dict[str, Shelved] = {}
        followed: dict[bytes, list[str]] = defaultdict(list)
        deadlines: dict[bytes, list[tuple[str, datetime]]] = defaultdict(list)
        for image in images:
            kind, _, name = image.stream.partition("-")
            if kind == "account":
                line = LINES.decode(image.index)
                followed[line.following].append(name)
                if line.deadline is not None:
                    deadlines[line.following].append((name, line.deadline))
                for trade_id in line.trades:
                    self._trades[trade_id] = name
            elif kind == "venue":
                self._venues[name] = Venue(_VENUES.decode(image.body))
                continue
            elif self.images.is_shared(kind):
                continue
            elif kind == "challenge":
                self._allocations.note(name, _ALLOCATIONS.decode(image.index))
            shelved[image.stream] = Shelved(image.version, image.body)
        self._memory.shelve(shelved, self._load)
        for key, account_ids in followed.items():
            following = FOLLOWINGS.decode(key)
            self._venues[following.venue_id].follow_saved(
                account_ids,
                following.trading_day,
                frozenset(following.symbols),
                deadlines[key],
            )

    def _load(self, stream: str, shelved: Shelved) -> Entry:
        """Decode, and take in what has happened since."""
        state = self.images.state(stream.partition("-")[0], shelved.body)
        if isinstance(state, Account):
            for name in names_of(state):  # from here on its state tells
                self._trades.pop(name, None)
            happened = self._so_far(self._venues[state.venue_id])
            state = happened.taken_in(state, self._until)
        self._loaded += 1
        if self._loaded % LIVES_LONG == 0:
            gc.freeze()
        return Entry(shelved.version, state)

    async def _take_up(self, recorded: Recorded) -> None:
        if recorded.stream in self.set_aside:
            self.set_aside.go_on(recorded)
            return
        try:
            await self._fold(recorded)
        except Unreadable as fault:
            self._takes_in(recorded.stream)
            self.set_aside.begin(recorded, fault)

    def _evolve(
        self,
        recorded: Recorded,
        fact: AccountEvent | ChallengeEvent | PlanEvent | ParkedEvent,
        venue: Venue | None,
        envelope: Envelope,
    ) -> None:
        if venue is None or not isinstance(fact, AccountEvent):
            super()._evolve(recorded, fact, venue, envelope)
            return
        happened = self._so_far(venue)
        until = happened.place(envelope.engine_time, envelope.as_of_tick)
        tick = set_off_by(fact, envelope)  # whose marks rise after what it set off
        taken = until if tick is None else happened.without(until, tick)
        self._takes_in(recorded.stream, taken)
        super()._evolve(recorded, fact, venue, envelope)
        happened.seen(recorded.stream.partition("-")[2], until)

    def _moment(self, venue: Venue, envelope: Envelope) -> Moment:
        at, tick = envelope.engine_time, envelope.as_of_tick
        happened = self._so_far(venue)
        return Moment(at, tick, happened.market(happened.place(at, tick)))

    def _of_venue(self, fact: VenueEvent, venue: Venue) -> None:
        super()._of_venue(fact, venue)
        if isinstance(fact, JudgingDeferred):
            self._late[venue.venue_id] = max(0, len(self._so_far(venue)) - 1)
        elif isinstance(fact, JudgingCaughtUp):
            self._late.pop(venue.venue_id, None)

    def _leave_unjudged(self) -> None:
        """The engine goes on where it was: by what, and with whom.

        More may be named than were left, but whoever was judged is judged alike again.
        """
        for venue_id, since in self._late.items():
            venue = self._venues[venue_id]
            kept, behind = self._so_far(venue).unjudged(since, continued(venue))
            venue.backlog.resume(kept, behind)

    def _before_tick(self, venue: Venue, at: datetime) -> None:  # noqa: ARG002 - nothing is due here
        """Nothing is lost of how the venue stood before its first tick."""
        happened = self._so_far(venue)
        if len(happened) >= MOST_KEPT and venue.venue_id not in self._late:
            for account_id in happened.moved():
                self._takes_in(f"account-{account_id}")
            self._happened[venue.venue_id] = Happened(venue)

    def _on_tick(self, venue: Venue, tick: Accepted) -> None:
        self._so_far(venue).tick(tick)

    def _turn(self, venue: Venue, fact: DayBoundaryPassed) -> None:
        account_ids = venue.turn(fact.at, fact.trading_day)
        turned = Turned(
            venue.clock, venue.sequence, fact.trading_day, dict(venue.quotes)
        )
        self._so_far(venue).turn(turned, account_ids)

    def _so_far(self, venue: Venue) -> Happened:
        if venue.venue_id not in self._happened:
            self._happened[venue.venue_id] = Happened(venue)
        return self._happened[venue.venue_id]

    def _takes_in(self, stream: str, until: int | None = None) -> None:
        self._until = until  # also for what is decoded for that
        entry = self._memory.working(stream)
        self._until = None
        if entry is None or not isinstance(entry.state, Account):
            return
        venue = self._venues[entry.state.venue_id]
        after = self._so_far(venue).taken_in(entry.state, until)
        if after is not entry.state:
            self._memory.put(stream, Entry(entry.version, after))

    def _all_take_in(self) -> None:
        """Whoever is not decoded yet does so then; only their images are too old."""
        for stream, _ in tuple(self._memory.all_loaded()):
            self._takes_in(stream)
        for happened in self._happened.values():
            for account_id in happened.moved():
                stream = f"account-{account_id}"
                if self._memory.is_shelved(stream):
                    self._memory.outdate(stream)


def continued(venue: Venue) -> Ask:
    """Who first asked for it is not known any more."""
    return Ask(
        stream=f"venue-{venue.venue_id}",
        command=AdvanceClock(venue_id=venue.venue_id, to=venue.clock),
        actor="system",
        owner=None,
        request_id="start",
    )
