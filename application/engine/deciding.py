"""What each kind of command does to what the engine remembers, fact by fact."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version as release_of
from typing import assert_never

import msgspec
import structlog
from msgspec import UNSET, Struct
from msgspec.structs import replace

from application.catalogue import Fact
from application.clock import Clock
from application.engine.allocations import Allocations
from application.engine.asks import (
    AdvanceClock,
    Answer,
    Ask,
    OpenVenue,
    SentQuote,
    TakeQuotes,
)
from application.engine.backlog import Happening, Touch
from application.engine.draft import Draft
from application.engine.envelope import Envelope, written
from application.engine.memory import Entry, Memory, State
from application.engine.occasion import Occasion, boundary, tick, timer
from application.engine.recovery import Fold, refolded, unmoved
from application.engine.venue import Venue, names_of
from application.parked import ParkedCommand, RetryParked, Settled, SkipParked
from application.parked import decide as decide_parked
from application.parked import evolve as evolve_parked
from application.refusals import NotFound
from application.views.account import account_view
from application.views.challenge import challenge_view
from application.views.flow import FlowEvent, flow_view
from application.views.observed import observed_view
from application.views.ordered import ordered
from application.views.parked import DecisionView
from application.views.plan import plan_view
from application.views.review import review_view
from application.views.trade import TradeView, closed_trade, opened_trade
from application.views.venue import (
    ClockView,
    QuoteResult,
    QuotesView,
    VenueView,
    listing_view,
)
from domain.account.commands import (
    AccountCommand,
    AnnulBreach,
    CancelOrders,
    ChangeOrder,
    CloseAll,
    ClosePosition,
    ClosePositionBy,
    ConfirmBreach,
    DismissBreach,
    FlowCommand,
    HoldPayout,
    ObserveAccount,
    OpenAccount,
    OpenPosition,
    OrderCommand,
    PlaceOrder,
    PostFlow,
    ProtectPosition,
    ReleasePayout,
    ReviewCommand,
    ScaleAccount,
)
from domain.account.decider import (
    Outcome,
    handle,
    quarantined,
    time_out,
    turn_day,
    witness,
)
from domain.account.errors import AnnulmentRefused
from domain.account.events import (
    AccountEvent,
    OrderCancelled,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    ReviewEvent,
)
from domain.account.observing import unseen
from domain.account.state import Account, observe, turn
from domain.challenge import decider as challenge_decider
from domain.challenge.decider import (
    ChallengeCommand,
    FailPhase,
    PassPhase,
    PurchaseChallenge,
    ReinstatePhase,
)
from domain.challenge.state import Challenge
from domain.challenge.state import evolve as evolve_challenge
from domain.plan import decider as plan_decider
from domain.plan.decider import ActivatePlan, DraftPlan, Plan
from domain.plan.findings import warnings
from domain.plan.linter import lint
from domain.values.market import Market, Moment
from domain.values.money import Money
from domain.values.quote import Quote
from domain.values.refusal import Refused
from domain.values.trading_day import INSTANT, TradingDay
from domain.venue.commands import ListingCommand, ReleaseSymbol, SpecifyInstrument
from domain.venue.decider import decide as decide_listing
from domain.venue.events import (
    ClockAdvanced,
    DayBoundaryPassed,
    FeedGap,
    InstrumentListed,
    JudgingCaughtUp,
    JudgingDeferred,
    SymbolQuarantined,
    VenueEvent,
    VenueOpened,
)
from domain.venue.gate import RawQuote, Reason

log = structlog.get_logger("tradesense.engine")

TZDATA = release_of("tzdata")
LIVE = "live"
LONGEST_SILENCE = timedelta(seconds=2)
LONGEST_LAG = timedelta(hours=1)  # of judging: no timer that a fill sets is as short
SLICE = 256  # accounts judged before others get a turn, where nothing comes of it
VERDICT = 10  # as much work is one of which something comes
CREATED = 201
OK = 200
NOWHERE = Market({}, {}, {})


encoded = msgspec.json.Encoder().encode


def version_of(entry: Entry | None) -> int:
    return entry.version if entry else 0


Judge = Callable[[Account, Moment], Outcome]


def resulting(events: tuple[AccountEvent, ...]) -> AccountEvent:
    """What the answer tells of; of an order that turned a position round, the new."""
    answer = events[0]
    if isinstance(answer, PositionClosed) and answer.order is not None:
        opened = [each for each in events[1:2] if isinstance(each, PositionOpened)]
        return opened[0] if opened else answer
    return answer


class ClockBackwards(Refused):
    """The clock of a venue only goes forward."""


class VenueKnown(Refused):
    """A venue is opened once."""


def opens(command: AccountCommand) -> bool:
    return isinstance(command, OpenPosition | OpenAccount | PlaceOrder)


def ended_by(event: AccountEvent) -> Iterable[str]:
    """Which trades and orders are not asked for any more."""
    match event:
        case PositionClosed(fills=fills, order=order):
            trades = [fill.closed.trade_id for fill in fills if not fill.left]
            return trades if order is None else [*trades, order.order_id]
        case PositionIncreased(deal=deal):
            return (deal.order_id,)
        case PositionOpened(position=position):
            return (position.order_id,)
        case OrderCancelled(order_ids=order_ids):
            return order_ids
        case _:
            return ()


class Deciding:
    def __init__(
        self, partition: str, clock: Clock, memory: Memory, venues: dict[str, Venue]
    ) -> None:
        self._partition = partition
        self._clock = clock
        self._memory = memory
        self._venues = venues
        self._used: dict[str, Venue] = {}  # by the batch under construction
        self._sealed: dict[str, Venue] = {}  # by the batch on its way to the disk
        self._new_venues: list[str] = []
        self._sealed_new: list[str] = []
        self._late: dict[str, Venue] = {}  # where some account is not judged yet
        self.unjudged: dict[str, Venue] = {}  # the same, of what is on disk
        self._room = SLICE
        self._told: tuple[Occasion | None, datetime | None, bytes] = (None, None, b"")
        self._doomed: dict[str, str] = {}  # whose verdict cannot be stored, and why
        self.trades: dict[str, str] = {}  # open ones and working orders, by account
        self.allocations = Allocations()

    def decide(self, ask: Ask, draft: Draft) -> Answer:
        command = ask.command
        match command:  # the most frequent first
            case (
                OpenPosition()
                | ClosePosition()
                | ObserveAccount()
                | PlaceOrder()
                | ChangeOrder()
                | CancelOrders()
                | ProtectPosition()
                | ClosePositionBy()
                | CloseAll()
            ):
                entry, venue = self._judged(ask, draft)
                return self._account(ask, command, entry, venue, draft)
            case OpenVenue():
                return self._open_venue(ask, command, draft)
            case TakeQuotes():
                venue = self._owned(self._venue(command.venue_id), ask)
                return self._take_quotes(ask, command, venue, draft)
            case AdvanceClock():
                venue = self._owned(self._venue(command.venue_id), ask)
                return self._advance(ask, command, venue, draft)
            case ReleaseSymbol() | SpecifyInstrument():
                venue = self._owned(self._venue(command.venue_id), ask)
                return self._list(ask, command, venue, draft)
            case OpenAccount():
                venue = self._owned(self._venue(command.venue_id), ask)
                self._sequence(venue, ask, draft)
                known = self._memory.working(ask.stream)
                return self._account(ask, command, known, venue, draft)
            case PurchaseChallenge() | PassPhase() | FailPhase() | ReinstatePhase():
                return self._challenge(ask, command, draft)
            case DraftPlan() | ActivatePlan():
                return self._plan(ask, command, draft)
            case _:
                return self._decided_by_house(ask, command, draft)

    def seal(self, draft: Draft) -> None:
        """The batch is complete; every tick that its events saw is stored with it."""
        for venue in self._used.values():
            if block := venue.close_block():
                draft.tick_blocks.append(block)
        for venue in self._used.values():
            venue.seal()
        self._memory.seal()
        self._sealed, self._used = self._used, {}
        self._sealed_new, self._new_venues = self._new_venues, []

    def settle(self) -> None:
        """The sealed batch is on disk: show what it changed."""
        self._memory.settle()
        for venue in self._sealed.values():
            venue.settle()
            if venue.backlog.is_shown:
                self.unjudged[venue.venue_id] = venue
            elif self.unjudged:
                self.unjudged.pop(venue.venue_id, None)
        self._sealed, self._sealed_new = {}, []

    def drop(self) -> None:
        """Neither the sealed batch nor the open one is on disk: fall back."""
        undone = {
            account_id: venue
            for venue in (self._sealed | self._used).values()
            for account_id in venue.drop()
        }
        for stream, lost in self._memory.drop().items():
            self._forget_trades(lost.state)
            entry = self._memory.working(stream)
            if isinstance(lost.state, Challenge):
                self.allocations.forget(lost.state)
            if entry is not None and isinstance(entry.state, Challenge):
                self.allocations.follow(entry.state)
            if entry is not None and isinstance(entry.state, Account):
                self.follow(entry.state)
            elif entry is None and isinstance(lost.state, Account):
                self._venues[lost.state.venue_id].unfollow(lost.state)
        for account_id, venue in undone.items():  # its deadline may have come since
            if self._memory.working(f"account-{account_id}") is not None:
                deadline = self._account_of(account_id)[1].next_deadline
                venue.timers.set(account_id, deadline)
        for venue_id in (*self._sealed_new, *self._new_venues):
            del self._venues[venue_id]
        self._sealed, self._used = {}, {}
        self._sealed_new, self._new_venues = [], []
        self.look_behind()

    def _forget_trades(self, lost: State) -> None:
        if isinstance(lost, Account):
            for name in names_of(lost):
                self.trades.pop(name, None)

    def follow(self, account: Account) -> None:
        self._venues[account.venue_id].follow(account)
        for position in account.positions:
            self.trades[position.trade_id] = account.account_id
        for order in account.orders:
            self.trades[order.order_id] = account.account_id

    # -- venues -----------------------------------------------------------------

    def _venue(self, venue_id: str) -> Venue:
        if venue_id not in self._venues:
            raise NotFound(venue_id)
        return self._use(self._venues[venue_id])

    def _use(self, venue: Venue) -> Venue:
        self._used[venue.venue_id] = venue
        return venue

    @staticmethod
    def _owned(venue: Venue, ask: Ask) -> Venue:
        if ask.owner is not None and venue.owner not in (None, ask.owner):
            raise NotFound(venue.venue_id)
        return venue

    def _open_venue(self, ask: Ask, command: OpenVenue, draft: Draft) -> Answer:
        if command.venue_id in self._venues:
            raise VenueKnown(command.venue_id)
        opened = VenueOpened(
            at=command.starts_at,
            venue_id=command.venue_id,
            owner=command.owner,
            gate=command.gate,
            instruments=command.instruments,
            stale_after_seconds=command.stale_after_seconds,
        )
        venue = Venue.opening(opened, version=0)
        self._venues[command.venue_id] = venue
        self._new_venues.append(self._use(venue).venue_id)
        position = self._of_venue(opened, venue, ask, ask.causation, draft)
        view = VenueView(
            venue_id=command.venue_id,
            now=venue.clock,
            instruments=command.instruments,
            position=self._token(position),
            version=venue.version,
        )
        return self._answer(view, position, CREATED)

    def _of_venue(
        self,
        fact: VenueEvent,
        venue: Venue,
        ask: Ask,
        causation: str,
        draft: Draft,
    ) -> int:
        venue.version += 1
        venue.is_touched = True
        stream, occasion = f"venue-{venue.venue_id}", here(venue, ask, causation)
        return self._record(stream, venue.version, fact, occasion, draft)

    def _sequence(self, venue: Venue, ask: Ask, draft: Draft) -> int:
        """Give the command its engine time; how much was due before it."""
        if venue.venue_id != LIVE:
            return 0
        return sum(self._pass_time(venue, self._clock.now(), ask, draft))

    def _pass_time(
        self, venue: Venue, until: datetime, ask: Ask, draft: Draft
    ) -> tuple[int, int]:
        """How many boundaries and timers were due; of one instant, boundaries first."""
        boundaries = timers = 0
        while True:
            due, deadline = venue.due(until), venue.timers.due(until)
            at = min(
                (each for each in (due and due[0], deadline) if each), default=until
            )
            if venue.backlog and at - venue.backlog.since > LONGEST_LAG:
                self._catch_all_up(venue, draft)  # which may set other deadlines
                continue
            if deadline is not None and (due is None or deadline < due[0]):
                timers += self._strike(venue, deadline, ask, draft)
            elif due is not None:
                self._pass_boundary(venue, *due, ask, draft)
                boundaries += 1
            else:
                venue.advance(until)
                return boundaries, timers

    def _strike(self, venue: Venue, at: datetime, ask: Ask, draft: Draft) -> int:
        """Thousands may have the same deadline: the rollover, say."""
        venue.advance(at)
        struck = []
        while venue.timers.due(at) is not None:
            struck.append(venue.timers.strike())
        self._happen(venue, at, struck, here(venue, ask, timer(at)), draft)
        return len(struck)

    def _pass_boundary(
        self, venue: Venue, at: datetime, day: TradingDay, ask: Ask, draft: Draft
    ) -> None:
        turning = venue.turn(at, day)
        fact = DayBoundaryPassed(
            at=at, trading_day=day, tick=venue.sequence, tzdata=TZDATA
        )
        occasion = here(venue, ask, boundary(at))
        self._of_venue(fact, venue, ask, occasion.causation, draft)
        self._happen(venue, day, turning, occasion, draft)

    def _take_quotes(
        self, ask: Ask, command: TakeQuotes, venue: Venue, draft: Draft
    ) -> Answer:
        self._note_gap(ask, venue, draft)
        results = []
        for sent in command.quotes:
            quote = self._take_quote(ask, sent, venue, draft)
            if isinstance(quote, Quote):
                results.append(QuoteResult(sequence=quote.sequence, accepted=True))
            else:
                results.append(QuoteResult(sequence=None, accepted=False, reason=quote))
        view = QuotesView(
            results=tuple(results),
            now=venue.clock,
            position=self._token(draft.position),
            version=venue.version,
        )
        return self._answer(view, draft.position, OK)

    def _note_gap(self, ask: Ask, venue: Venue, draft: Draft) -> None:
        """A live market that was silent has moved unseen: say so in the log."""
        now = self._clock.now()
        since = venue.heard_at
        if venue.venue_id != LIVE or since is None or now - since <= LONGEST_SILENCE:
            return
        self._pass_time(venue, now, ask, draft)
        gap = FeedGap(at=venue.clock, since=since, tick=venue.sequence)
        self._of_venue(gap, venue, ask, ask.causation, draft)

    def _take_quote(
        self, ask: Ask, sent: SentQuote, venue: Venue, draft: Draft
    ) -> Quote | str:
        is_live = venue.venue_id == LIVE
        now = self._clock.now() if is_live else sent.at or venue.clock
        raw = RawQuote(
            symbol=sent.symbol,
            bid=sent.bid,
            ask=sent.ask,
            at=sent.at or now,
            source_at=sent.source_at or sent.at or now,
            source=sent.source,
        )
        self._pass_time(venue, now, ask, draft)
        quote = venue.take(raw)
        if not isinstance(quote, Quote):
            if faults := venue.has_just_failed(raw.symbol):
                self._quarantine(venue, raw.symbol, quote, faults, ask, draft)
            return str(quote)
        touched = venue.screen.touched(quote.symbol)
        if touched or venue.backlog:
            occasion = here(venue, ask, tick(quote.sequence))
            self._happen(venue, quote.symbol, touched, occasion, draft)
        return quote

    def _quarantine(
        self,
        venue: Venue,
        symbol: str,
        reason: Reason,
        faults: int,
        ask: Ask,
        draft: Draft,
    ) -> None:
        """Its source has failed for too long: nobody is judged by its price now."""
        fact = SymbolQuarantined(
            at=venue.clock,
            tick=venue.sequence,
            symbol=symbol,
            reason=reason,
            faults=faults,
        )
        log.warning("symbol-quarantined", symbol=symbol, reason=str(reason))
        self._of_venue(fact, venue, ask, ask.causation, draft)
        venue.hear(fact)

    def _list(
        self, ask: Ask, command: ListingCommand, venue: Venue, draft: Draft
    ) -> Answer:
        self._sequence(venue, ask, draft)
        fact = decide_listing(command, venue.listing, venue.clock, venue.sequence)
        position = self._of_venue(fact, venue, ask, ask.causation, draft)
        venue.hear(fact)
        view = listing_view(fact, venue.venue_id, self._token(position), venue.version)
        status = CREATED if isinstance(fact, InstrumentListed) else OK
        return self._answer(view, position, status)

    def _advance(
        self, ask: Ask, command: AdvanceClock, venue: Venue, draft: Draft
    ) -> Answer:
        if venue.venue_id == LIVE:
            to = max(self._clock.now(), venue.clock)
        else:
            to = command.to
        if to < venue.clock:
            raise ClockBackwards(f"the clock stands at {venue.clock.isoformat()}")
        passed, _ = self._pass_time(venue, to, ask, draft)
        if venue.venue_id != LIVE:  # the live clock is the machine's own
            self._of_venue(ClockAdvanced(at=to), venue, ask, ask.causation, draft)
        view = ClockView(
            now=venue.clock,
            boundaries=passed,
            position=self._token(draft.position),
            version=venue.version,
        )
        return self._answer(view, draft.position, OK)

    # -- whoever is touched ---------------------------------------------------------

    def begin_slice(self) -> None:
        """Others have had their turn: there is room for as much work again."""
        self._room = SLICE

    def _happen(
        self,
        venue: Venue,
        of: Touch,
        touched: Sequence[str],
        occasion: Occasion,
        draft: Draft,
    ) -> None:
        """Judge those it touches, until there is no more room; the rest later."""
        judge, fold = judging(of)
        backlog = venue.backlog
        if backlog:
            touched = [each for each in touched if each not in backlog]
        judged = 0
        for account_id in touched:
            if self._room <= 0:
                break
            self._step(account_id, occasion, draft, judge, fold)
            judged += 1
        late = touched[judged:]
        if not (late or backlog):
            return
        is_first = not backlog
        ask, why = occasion.ask, occasion.causation
        kept = replace(
            occasion,
            moment=venue.kept_moment(),
            ask=replace(ask, command_id=None),  # its own batch has all else it did
        )
        backlog.keep(Happening(kept, of), late)
        if is_first:
            self._late[venue.venue_id] = venue
            fact = JudgingDeferred(at=venue.clock, tick=venue.sequence)
            self._of_venue(fact, venue, ask, why, draft)

    @property
    def is_late(self) -> bool:
        """Whether some account is not judged yet by all that has happened."""
        return bool(self._late)

    def look_behind(self) -> None:
        """See where somebody is behind: after a start, or when a batch is lost."""
        venues = self._venues.items()
        self._late = {name: each for name, each in venues if each.backlog}
        self.unjudged = {name: each for name, each in venues if each.backlog.is_shown}

    def judge(self, draft: Draft, most: int) -> int:
        """Judge who has waited longest, a slice of them; answer how many."""
        self.begin_slice()
        judged = 0
        while self._late and self._room > 0 and judged < most:
            venue_id = next(iter(self._late))
            venue = self._use(self._late[venue_id])
            self._catch_up(venue.backlog.first(), venue, draft)
            judged += 1
        if self._late:  # another venue's turn
            venue_id = next(iter(self._late))
            self._late[venue_id] = self._late.pop(venue_id)
        return judged

    def freeze_next(self, cause: str) -> None:
        """What comes of whose turn it is, no log takes."""
        venue = next(iter(self._late.values()))
        self._doomed[venue.backlog.first()] = cause

    def _catch_up(self, account_id: str, venue: Venue, draft: Draft) -> None:
        """Judge it by all that it has not seen yet, with the prices of then."""
        backlog = venue.backlog
        happenings = backlog.take(account_id)
        before: Occasion | None = None
        for each in happenings:
            if before is not None:
                self._time_out(account_id, before, last_before(each), draft)
            # it fell behind by the first, so that concerns it
            if before is None or self._concerns(each, account_id, venue):
                judge, fold = judging(each.of, self._doomed.get(account_id))
                self._step(account_id, each.occasion, draft, judge, fold)
            before = each.occasion
        assert before is not None
        self._time_out(account_id, before, venue.clock, draft)
        self._room -= 1
        if not backlog:
            self._late.pop(venue.venue_id, None)
            fact = JudgingCaughtUp(at=venue.clock, tick=venue.sequence)
            self._of_venue(fact, venue, before.ask, before.causation, draft)

    def _time_out(
        self, account_id: str, before: Occasion, until: datetime, draft: Draft
    ) -> None:
        """Deadlines that only what it has just been judged by has set, a fill say."""
        struck: datetime | None = None
        while (at := self._account_of(account_id)[1].next_deadline) is not None:
            if at > until or at == struck:
                return
            moment = Moment(at, before.moment.tick, before.moment.market)
            occasion = replace(before, moment=moment, causation=timer(at))
            self._step(account_id, occasion, draft, time_out, unmoved)
            struck = at

    def _catch_all_up(self, venue: Venue, draft: Draft) -> None:
        while venue.backlog:
            self._catch_up(venue.backlog.first(), venue, draft)

    def _concerns(self, happening: Happening, account_id: str, venue: Venue) -> bool:
        account, of = self._account_of(account_id)[1], happening.of
        if isinstance(of, str):
            return of in venue.symbols(account)
        if isinstance(of, datetime):
            deadline = account.next_deadline
            return deadline is not None and deadline <= of
        return account.is_led_by_venue and account.phase.trading_day == of

    def _account_of(self, account_id: str) -> tuple[int, Account]:
        entry = self._memory.working(f"account-{account_id}")
        assert entry is not None
        assert isinstance(entry.state, Account)
        return entry.version, entry.state

    # -- accounts ---------------------------------------------------------------

    def _entry(self, ask: Ask) -> Entry:
        entry = self._memory.working(ask.stream)
        if entry is None:
            raise NotFound(ask.stream)
        if ask.owner is not None and (
            isinstance(entry.state, Plan | Settled)
            or entry.state.trader_id != ask.owner
        ):
            raise NotFound(ask.stream)
        return entry

    def _judged(self, ask: Ask, draft: Draft) -> tuple[Entry, Venue]:
        """The account, once all that has happened by now is behind it."""
        entry = self._entry(ask)
        account = entry.state
        assert isinstance(account, Account)
        venue = self._venue(account.venue_id)
        is_changed = self._sequence(venue, ask, draft) > 0
        if account.account_id in venue.backlog:
            self._catch_up(account.account_id, venue, draft)
            is_changed = True
        return (self._entry(ask) if is_changed else entry), venue

    def _account(
        self,
        ask: Ask,
        command: AccountCommand,
        entry: Entry | None,
        venue: Venue,
        draft: Draft,
    ) -> Answer:
        before = entry.state if entry else None
        assert before is None or isinstance(before, Account)
        if isinstance(command, ObserveAccount):
            return self._observe(ask, command, entry, venue, draft)
        occasion = here(venue, ask, ask.causation)
        moment = occasion.moment
        after, events = handle(command, before, moment)
        position, version = self._store(
            ask.stream, version_of(entry), after, events, occasion, draft
        )
        token = self._token(position)
        if isinstance(command, OpenAccount):
            view: Struct = account_view(after, moment, token, version)
        elif isinstance(command, OrderCommand):
            assert before is not None
            view = ordered(command, before, after, events, token, version)
        else:
            view = self._trade_view(before, resulting(events), position, version)
        return self._answer(view, position, CREATED if opens(command) else OK)

    def _observe(
        self,
        ask: Ask,
        command: ObserveAccount,
        entry: Entry | None,
        venue: Venue,
        draft: Draft,
    ) -> Answer:
        """What was sent before is answered too, and leaves nothing in the log."""
        assert entry is not None
        account, events = entry.state, tuple[AccountEvent, ...]()
        assert isinstance(account, Account)
        version, position = entry.version, draft.position
        if fresh := unseen(account, command.observations):
            command = ObserveAccount(observations=fresh)
            occasion = here(venue, ask, ask.causation)
            account, events = handle(command, account, occasion.moment)
            position, version = self._store(
                ask.stream, version, account, events, occasion, draft
            )
        view = observed_view(account, events, self._token(position), version)
        return self._answer(view, position, OK)

    def _decided_by_house(
        self,
        ask: Ask,
        command: FlowCommand | ReviewCommand | ParkedCommand,
        draft: Draft,
    ) -> Answer:
        match command:
            case PostFlow() | ScaleAccount() | HoldPayout() | ReleasePayout():
                return self._funded(ask, command, draft)
            case AnnulBreach() | ConfirmBreach() | DismissBreach():
                return self._reviewed(ask, command, draft)
            case RetryParked() | SkipParked():
                return self._parked(ask, command, draft)
            case _:
                assert_never(command)

    def _funded(self, ask: Ask, command: FlowCommand, draft: Draft) -> Answer:
        account, fact, position, version = self._administered(ask, command, draft)
        assert isinstance(fact, FlowEvent)
        view = flow_view(fact, account, self._token(position), version)
        status = OK if isinstance(command, ReleasePayout) else CREATED
        return self._answer(view, position, status)

    def _reviewed(self, ask: Ask, command: ReviewCommand, draft: Draft) -> Answer:
        account, fact, position, version = self._administered(ask, command, draft)
        assert isinstance(fact, ReviewEvent)
        view = review_view(fact, account, self._token(position), version)
        return self._answer(view, position, OK)

    def _administered(
        self, ask: Ask, command: FlowCommand | ReviewCommand, draft: Draft
    ) -> tuple[Account, AccountEvent, int, int]:
        """What nobody trades for: the answer values nothing, so it is always given."""
        entry, venue = self._judged(ask, draft)
        assert isinstance(entry.state, Account)
        if isinstance(command, AnnulBreach):
            must_be_of(command, entry.version)
        occasion = here(venue, ask, ask.causation)
        after, events = handle(command, entry.state, occasion.moment)
        position, version = self._store(
            ask.stream, entry.version, after, events, occasion, draft
        )
        return after, events[0], position, version

    def _trade_view(
        self,
        before: Account | None,
        event: AccountEvent,
        position: int,
        version: int,
    ) -> TradeView:
        """What the command itself did; what was judged after it is in the account."""
        assert before is not None
        token = self._token(position)
        if isinstance(event, PositionOpened | PositionIncreased):
            balance = event.balance.amount
            return opened_trade(
                before.account_id, event.position, balance, token, version
            )
        assert isinstance(event, PositionClosed)
        (fill,) = event.fills
        held = next(
            each for each in before.positions if each.trade_id == fill.closed.trade_id
        )
        return closed_trade(
            before.account_id,
            held,
            fill,
            event.at,
            event.balance.amount,
            token,
            version,
        )

    def _step(
        self,
        account_id: str,
        occasion: Occasion,
        draft: Draft,
        judge: Judge,
        fold: Fold,
    ) -> None:
        """Something happened that nobody has asked of the account.

        Where judging raises it freezes as `fold` leaves it, which is how a start will.
        """
        version, before = self._account_of(account_id)
        moment = occasion.moment
        try:
            after, events = judge(before, moment)
        except Exception as fault:
            log.exception("judging-failed", account=account_id)
            stands = refolded(fold, before, moment)
            after, events = quarantined(stands, type(fault).__name__, moment)
        self._room -= VERDICT if events else 1
        if after is not before:
            stream = f"account-{account_id}"
            self._store(stream, version, after, events, occasion, draft)

    def _store(
        self,
        stream: str,
        version: int,
        account: Account,
        events: tuple[AccountEvent, ...],
        occasion: Occasion,
        draft: Draft,
    ) -> tuple[int, int]:
        position = draft.position
        for event in events:
            version += 1
            position = self._record(stream, version, event, occasion, draft)
        self._memory.put(stream, Entry(version, account))
        if events:
            self.follow(account)
            for event in events:
                for name in ended_by(event):
                    self.trades.pop(name, None)
        return position, version

    # -- challenges and plans -----------------------------------------------------

    def _challenge(
        self,
        ask: Ask,
        command: ChallengeCommand,
        draft: Draft,
    ) -> Answer:
        entry = self._memory.working(ask.stream)
        state = entry.state if entry else None
        assert state is None or isinstance(state, Challenge)
        if isinstance(command, PurchaseChallenge):
            venue = self._owned(self._venue(command.venue_id), ask)
        elif state is None:
            raise NotFound(ask.stream)
        else:
            venue = self._venue(state.venue_id)
        self._sequence(venue, ask, draft)
        held: tuple[Money, ...] = ()
        if isinstance(command, PurchaseChallenge):
            held = self.allocations.held(command.venue_id, command.trader_id)
        occasion = here(venue, ask, ask.causation)
        events = challenge_decider.decide(command, state, occasion.moment, held)
        version, position = version_of(entry), draft.position
        for event in events:
            version += 1
            state = evolve_challenge(state, event)
            position = self._record(ask.stream, version, event, occasion, draft)
        assert state is not None
        self.allocations.follow(state)
        self._memory.put(ask.stream, Entry(version, state))
        status = CREATED if isinstance(command, PurchaseChallenge) else OK
        view = challenge_view(state, self._token(position), version)
        return self._answer(view, position, status)

    def _plan(
        self, ask: Ask, command: DraftPlan | ActivatePlan, draft: Draft
    ) -> Answer:
        entry = self._memory.working(ask.stream)
        state = entry.state if entry else None
        assert state is None or isinstance(state, Plan)
        moment = Moment(self._clock.now(), 0, NOWHERE)
        event = plan_decider.decide(command, state, moment)
        plan = plan_decider.evolve(state, event)
        version = version_of(entry) + 1
        occasion = Occasion(None, moment, ask, ask.causation)
        position = self._record(ask.stream, version, event, occasion, draft)
        self._memory.put(ask.stream, Entry(version, plan))
        view = replace(plan_view(plan, event.version), position=self._token(position))
        if isinstance(command, DraftPlan):
            doubts = warnings(lint(command.document))
            view = replace(view, warnings=doubts or UNSET)
            return self._answer(view, position, CREATED)
        return self._answer(view, position, OK)

    def _parked(self, ask: Ask, command: ParkedCommand, draft: Draft) -> Answer:
        entry = self._memory.working(ask.stream)
        state = entry.state if entry else None
        assert state is None or isinstance(state, Settled)
        moment = Moment(self._clock.now(), 0, NOWHERE)
        event = decide_parked(command, state, ask.actor, moment.at)
        settled, version = evolve_parked(event), version_of(entry) + 1
        occasion = Occasion(None, moment, ask, ask.causation)
        position = self._record(ask.stream, version, event, occasion, draft)
        self._memory.put(ask.stream, Entry(version, settled))
        view = DecisionView(
            partition=self._partition,
            id=str(settled.parked_id),
            status=settled.how,
            actor=event.actor,
            at=event.at,
            position=self._token(position),
            version=version,
        )
        return self._answer(view, position, OK)

    # -- the log ------------------------------------------------------------------

    def _record(
        self,
        stream: str,
        version: int,
        fact: Fact,
        occasion: Occasion,
        draft: Draft,
    ) -> int:
        return draft.record(stream, version, fact, self._envelope(occasion, draft))

    def _envelope(self, occasion: Occasion, draft: Draft) -> bytes:
        """All facts of an occasion have the same, however many accounts it touches."""
        before, at, envelope = self._told
        if before is occasion and at is draft.recorded_at:
            return envelope
        ask, moment = occasion.ask, occasion.moment
        envelope = written(
            Envelope(
                venue=occasion.venue_id,
                as_of_tick=moment.tick,
                engine_time=moment.at,
                command_id=ask.command_id,
                causation=occasion.causation,
                correlation=ask.request_id,
                actor=ask.actor,
                recorded_at=draft.recorded_at,
            )
        )
        self._told = (occasion, draft.recorded_at, envelope)
        return envelope

    def _token(self, position: int) -> str:
        return f"{self._partition}-{position}"

    @staticmethod
    def _answer(view: Struct, position: int, status: int) -> Answer:
        return Answer(status=status, body=encoded(view), position=position)


def must_be_of(command: AnnulBreach, version: int) -> None:
    """Whoever counted again had the log as it was then."""
    if command.recount is not None and command.recount.version != version:
        raise AnnulmentRefused("the account has changed meanwhile: ask once more")


def here(venue: Venue, ask: Ask, causation: str) -> Occasion:
    return Occasion(venue.venue_id, venue.moment(), ask, causation)


def last_before(happening: Happening) -> datetime:
    """Of one instant boundaries come first, then deadlines, then quotes."""
    at = happening.occasion.moment.at
    return at if isinstance(happening.of, str) else at - INSTANT


def judging(of: Touch, cause: str | None = None) -> tuple[Judge, Fold]:
    """What a quote, a turn of a day or a deadline means to whom it touches.

    With a cause: that cannot be stored, so it freezes instead.
    """
    fold: Fold = turn
    if isinstance(of, str):
        fold = observe
    elif isinstance(of, datetime):
        fold = unmoved
    if cause is not None:
        return lambda account, moment: quarantined(
            refolded(fold, account, moment), cause, moment
        ), fold
    if isinstance(of, str):
        return lambda account, moment: witness(account, of, moment), fold
    return (time_out if isinstance(of, datetime) else turn_day), fold
