"""One account as it stood at an instant: what a start folds, and not a fact further.

A pure function of the account's facts, of its venue's boundaries and of its venue's
ticks. Nothing is judged again (`replay` does that), and what came later is not looked
at: asked tomorrow, the answer is the same.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from application.catalogue import Fact
from application.engine.envelope import Envelope
from application.engine.journal import Journal, Recorded
from application.engine.memory import Memory
from application.engine.recovery import Recovery, read
from application.engine.tick_block import Link, unpack
from application.engine.venue import Venue
from domain.account.events import AccountEvent, AccountOpened
from domain.account.state import Account, evolve
from domain.values.instrument import Instrument
from domain.values.market import Market, Moment, pairs_of
from domain.values.quote import Quote
from domain.venue.events import (
    DayBoundaryPassed,
    InstrumentChanged,
    InstrumentListed,
    VenueOpened,
)

NEAR: Final = 100  # ticks before an opening: among these every live symbol is quoted
FURTHER: Final = 10  # times as far, where one was not
PROGRESS_EVERY: Final = 10_000

Progress = Callable[[int], None]


class UnknownAccount(Exception):
    """The log has no fact of it."""


class NotOpenedYet(Exception):
    def __init__(self, opened_at: datetime) -> None:
        super().__init__(opened_at)
        self.opened_at = opened_at


class NotHappenedYet(Exception):
    """What the log tells of the account and its venue ends before."""

    def __init__(self, ends_at: datetime) -> None:
        super().__init__(ends_at)
        self.ends_at = ends_at


class Told(Struct, frozen=True):
    """One of the account's facts, and its place in the log."""

    position: int
    version: int
    fact: AccountEvent


class Stood(Struct, frozen=True):
    account: Account
    moment: Moment
    facts: tuple[Told, ...]  # up to that moment


async def as_of(
    journal: Journal, account_id: str, at: datetime | None, progress: Progress
) -> Stood:
    """Fold up to `at`, and with it what happened at that very instant.

    Without `at`: up to where the log ends. `progress` hears which tick it is at.
    Raises `UnknownAccount`, `NotOpenedYet`, `NotHappenedYet`, and `Unreadable` where
    a fact of it cannot be read.
    """
    return await Refold(journal, account_id, progress).to(at)


class Refold(Recovery):
    """Follows one account; everybody else's facts are left where they are."""

    def __init__(self, journal: Journal, account_id: str, progress: Progress) -> None:
        super().__init__(journal, Memory(), {})
        self._progress = progress
        self._account_id = account_id
        self._stream = f"account-{account_id}"

    async def to(self, at: datetime | None) -> Stood:
        mine = [each async for each in self._journal.stream(self._stream)]
        if not mine:
            raise UnknownAccount(self._account_id)
        _, opened = read(mine[0])
        assert isinstance(opened, AccountOpened)
        if at is not None and at < opened.at:
            raise NotOpenedYet(opened.at)
        venue, theirs = await self._beside(mine, opened)
        facts, is_known = list[Told](), False
        told = [(recorded, *read(recorded)) for recorded in (*mine, *theirs)]
        told.sort(key=lambda each: in_time(each[0], each[1]))
        for recorded, envelope, fact in told:
            if at is not None and at < envelope.engine_time:
                is_known = True
                break
            await self._fold(recorded)
            if isinstance(fact, AccountEvent):
                facts.append(Told(recorded.position, recorded.version, fact))
        tick, heard_at = await self._heard(venue, at)
        ends_at = max(venue.clock, heard_at)
        if at is not None and ends_at < at and not is_known:
            raise NotHappenedYet(ends_at)
        await self._catch_up(venue, tick)
        moment = Moment(at or ends_at, tick, venue.market)
        return Stood(self._account(self._account_id), moment, tuple(facts))

    async def _beside(
        self, mine: Sequence[Recorded], opened: AccountOpened
    ) -> tuple[Venue, list[Recorded]]:
        """The venue as it stood when the account was opened, and its facts since."""
        stream = self._journal.stream(f"venue-{opened.venue_id}")
        first, *others = [each async for each in stream]
        _, beginning = read(first)
        assert isinstance(beginning, VenueOpened)
        before = [each for each in others if each.position < mine[0].position]
        specified = [each for each in map(specification, others) if each is not None]
        listed = (*beginning.instruments, *(each.instrument for each in specified))
        needed = movers([read(each)[1] for each in mine], listed)
        link, quotes = await self._quoted(beginning.venue_id, opened.tick, needed)
        image = Venue.opening(beginning, first.version).shown
        venue = self._venues[beginning.venue_id] = Venue(
            replace(image, sequence=link.last_sequence, link=link, quotes=quotes)
        )
        for fact in map(specification, before):
            if fact is not None:
                venue.hear(fact)
        return venue, [each for each in others if each.position > mine[0].position]

    async def _quoted(
        self, venue_id: str, tick: int, needed: frozenset[str]
    ) -> tuple[Link, dict[str, Quote]]:
        """Where a block of ticks last ended by `tick`, and the quotes that it left.

        Looked for near by and then further back, until all that is needed is found.
        """
        distance = NEAR
        while True:
            link, quotes = Link(venue_id), dict[str, Quote]()
            since = max(0, tick - distance)
            async for block in self._journal.tick_blocks(venue_id, since):
                if block.last_sequence > tick:
                    break
                link = Link.of(block)
                accepted = (each.quote for each in unpack(block).accepted)
                quotes.update((quote.symbol, quote) for quote in accepted)
            if since == 0 or (link.number and needed <= quotes.keys()):
                return link, quotes
            distance *= FURTHER

    async def _heard(self, venue: Venue, at: datetime | None) -> tuple[int, datetime]:
        """The last tick by then, and until when the log tells of quotes at least."""
        tick, heard_at = venue.sequence, venue.clock
        async for block in self._journal.tick_blocks(venue.venue_id, tick):
            heard_at = block.engine_to
            if at is not None and at < heard_at:
                accepted = unpack(block).accepted
                seen = [a.quote.sequence for a in accepted if a.engine_time <= at]
                return max([tick, *seen]), heard_at
            tick = max(tick, block.last_sequence)
        return tick, heard_at

    def _before_tick(self, venue: Venue, at: datetime) -> None:  # noqa: ARG002 - nothing is due here
        if venue.sequence % PROGRESS_EVERY == 0:
            self._progress(venue.sequence)

    def _turn(self, venue: Venue, fact: DayBoundaryPassed) -> None:
        """Most boundaries of a venue are those of other accounts."""
        account = self._account(self._account_id)
        turns = account.is_led_by_venue
        if turns and account.phase.trading_day == fact.trading_day:
            super()._turn(venue, fact)


def specification(recorded: Recorded) -> InstrumentListed | InstrumentChanged | None:
    """What a fact of a venue says about what it lists, if it does."""
    _, fact = read(recorded)
    return fact if isinstance(fact, InstrumentListed | InstrumentChanged) else None


def in_time(recorded: Recorded, envelope: Envelope) -> tuple[datetime, int, int]:
    """As things happened: an account may be judged later than its venue goes on."""
    return envelope.engine_time, envelope.as_of_tick, recorded.position


def movers(facts: Iterable[Fact], instruments: Iterable[Instrument]) -> frozenset[str]:
    """Whose quotes have ever moved the account."""
    market = market_of(instruments)
    account: Account | None = None
    moved = frozenset[str]()
    for fact in facts:
        assert isinstance(fact, AccountEvent)
        account = evolve(account, fact)
        moved |= account.followed(market)
    return moved


def market_of(instruments: Iterable[Instrument]) -> Market:
    """The ways between its currencies, before anything is quoted."""
    listed = {each.symbol: each for each in instruments}
    return Market(listed, {}, pairs_of(listed))
