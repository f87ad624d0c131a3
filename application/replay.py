"""Judge everything again from nothing, and hold it against what was recorded.

Commands, ticks and boundaries are decided by the very functions that decided them live.
What they decide must stand in the log, in its place, to the byte; the blocks of ticks
must chain; each state must come out as the engine last saved it. Nothing is written.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Final

from msgspec import Struct, msgpack
from msgspec.structs import replace

from application.asked_for import order_command_of
from application.catalogue import Fact, encode, name_of
from application.engine.envelope import Envelope
from application.engine.images import Images
from application.engine.journal import Checkpoint, Image, Journal, Recorded
from application.engine.memory import Entry, Memory, State
from application.engine.recovery import Fold, Recovery, read, refolded, unmoved
from application.engine.venue import Venue, VenueImage
from application.parked import ParkedEvent
from application.without import recounted
from domain.account.commands import (
    AccountCommand,
    AnnulBreach,
    ClosePosition,
    ConfirmBreach,
    DismissBreach,
    HoldPayout,
    ObserveAccount,
    OpenAccount,
    OpenPosition,
    PostFlow,
    ReleasePayout,
    ScaleAccount,
)
from domain.account.decider import (
    Outcome,
    decide,
    followed,
    quarantined,
    time_out,
    turn_day,
    witness,
)
from domain.account.events import (
    AccountEvent,
    AccountObserved,
    AccountOpened,
    AccountQuarantined,
    AccountScaled,
    BreachAnnulled,
    BreachConfirmed,
    BreachDismissed,
    CloseReason,
    FlowPosted,
    Opposed,
    PayoutHeld,
    PayoutReleased,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
)
from domain.account.recount import Recount
from domain.account.state import Account, observe, turn
from domain.challenge.events import ChallengeEvent
from domain.plan.events import PlanEvent
from domain.values.market import Moment
from domain.values.refusal import Refused
from domain.values.trading_day import INSTANT
from domain.venue.events import DayBoundaryPassed, JudgingCaughtUp, JudgingDeferred

MOST_DIFFERENCES: Final = 1_000
ANNULLED: Final = BreachAnnulled.__struct_config__.tag
PROGRESS_EVERY: Final = 10_000

Progress = Callable[[int], None]


class Difference(Struct, frozen=True, kw_only=True):
    account_id: str  # or the venue's, the plan's, the challenge's, where it is theirs
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
        self,
        journal: Journal,
        memory: Memory,
        venues: dict[str, Venue],
        progress: Progress,
    ) -> None:
        super().__init__(journal, memory, venues)
        self.differences: list[Difference] = []
        self.events = 0
        self.position = 0
        self._read = 0  # events and ticks
        self._recount: Recount | None = None  # for the annulment that comes next
        self._progress = progress
        self._expected: dict[str, deque[AccountEvent]] = defaultdict(deque)

    async def run_to(self, position: int, images: dict[str, VenueImage]) -> None:
        """Stop after the event at `position` and each venue's tick."""
        async for recorded in self._journal.events(0, position):
            await self._fold(recorded)
            self.events += 1
            self._has_read()
        if self.position != position:
            self._differ("", self.position + 1, None, f"{position} events")
        for venue_id, image in images.items():
            await self._end(venue_id, image)
        for account_id, missing in self._expected.items():
            for fact in missing:
                self._differ(account_id, None, None, name_of(fact))

    async def _fold(self, recorded: Recorded) -> None:
        """Find out what has been changed, whatever the change does to the rest."""
        name = recorded.stream.partition("-")[2]
        for lost in range(self.position + 1, recorded.position):
            self._differ(name, lost, None, "an event")
        self.position = recorded.position
        try:
            if recorded.name == ANNULLED:
                self._recount = await counted_again(self._journal, recorded)
            await super()._fold(recorded)
        except ConnectionError:
            raise  # nothing about the log
        except Exception as fault:  # noqa: BLE001 - no log that was left alone does that
            self._differ(name, recorded.position, recorded.name, told(fault))

    async def _end(self, venue_id: str, image: VenueImage) -> None:
        """Come to where the engine stood, and to the block that it had stored last."""
        try:
            venue = self._venues[venue_id]
            await self._catch_up(venue, image.sequence)
            link = await self._chained(venue, image.link.number)
        except ConnectionError:
            raise
        except Exception as fault:  # noqa: BLE001 - as above
            self._differ(venue_id, None, None, told(fault))
            return
        if link.number < image.link.number:
            self._differ(venue_id, None, None, f"block {link.number + 1}")
        if (venue.opened, venue.sequence, venue.quotes, venue.suspended) != (
            image.opened,
            image.sequence,
            image.quotes,
            frozenset(image.suspended),
        ):
            self._differ(venue_id, None, "venue", "another")

    def _at_tick(self, account_id: str, symbol: str, venue: Venue) -> None:
        account, moment = self._account(account_id), venue.moment()
        judge = partial(witness, account, symbol, moment)
        self._judged_again(account, moment, judge, observe)

    def _at_boundary(self, account_id: str, venue: Venue) -> None:
        account, moment = self._account(account_id), venue.moment()
        self._judged_again(account, moment, partial(turn_day, account, moment), turn)

    def _before(self, fact: Fact, venue: Venue, at: datetime) -> None:
        """Of one instant boundaries come first; accounts see to their own timers."""
        is_later = isinstance(fact, DayBoundaryPassed | AccountEvent | JudgingDeferred)
        is_later = is_later or isinstance(fact, JudgingCaughtUp)
        self._pass_timers(venue, at - INSTANT if is_later else at)

    def _before_tick(self, venue: Venue, at: datetime) -> None:
        self._has_read()
        self._pass_timers(venue, at)

    def _has_read(self) -> None:
        self._read += 1
        if self._read % PROGRESS_EVERY == 0:
            self._progress(self._read)

    def _pass_timers(self, venue: Venue, until: datetime) -> None:
        while (at := venue.timers.due(until)) is not None:
            venue.advance(at)
            account, moment = self._account(venue.timers.strike()), venue.moment()
            judge = partial(time_out, account, moment)
            self._judged_again(account, moment, judge, unmoved)

    def _judged_again(
        self,
        account: Account,
        moment: Moment,
        judge: Callable[[], Outcome],
        fold: Fold,
    ) -> None:
        try:
            after, events = judge()
        except Exception as fault:  # noqa: BLE001 - it froze the account, then as now
            stands = refolded(fold, account, moment)
            after, events = quarantined(stands, type(fault).__name__, moment)
        self._replace(after.account_id, after)
        if events:  # what concerns it next may come before they do: it was judged later
            self._venues[after.venue_id].follow(after)
            self._expected[after.account_id].extend(events)

    def _evolve(
        self,
        recorded: Recorded,
        fact: AccountEvent | ChallengeEvent | PlanEvent | ParkedEvent,
        venue: Venue | None,
        envelope: Envelope,
    ) -> None:
        if not isinstance(fact, AccountEvent):
            super()._evolve(recorded, fact, venue, envelope)
            return
        assert venue is not None
        known = self._memory.working(recorded.stream)
        state = known.state if known else None
        assert state is None or isinstance(state, Account)
        account_id = recorded.stream.partition("-")[2]
        expected = self._expected[account_id]
        if not expected:
            self._pass_timers(venue, venue.clock)
            state = self._account(account_id) if state is not None else None
        if expected:  # this fact has been folded when it was judged
            self._compare(account_id, recorded, expected.popleft())
            assert state is not None
            account = state
        else:  # what a command did; what follows from it is judged here
            self._decide_again(account_id, recorded, fact, state, venue.moment())
            account, verdict = followed(state, fact, venue.moment())
            expected.extend(verdict)
        venue.follow(account)
        self._memory.put(recorded.stream, Entry(recorded.version, account))

    def _decide_again(
        self,
        account_id: str,
        recorded: Recorded,
        fact: AccountEvent,
        state: Account | None,
        moment: Moment,
    ) -> None:
        if isinstance(fact, AccountQuarantined):
            return  # a fault of the house, which may be mended since
        command = command_of(fact)
        if isinstance(command, AnnulBreach):
            command = replace(command, recount=self._recount)
        if command is None:
            self._differ(account_id, recorded.position, recorded.name, None)
            return
        try:
            answer = decide(command, state, moment)
        except Refused as refused:
            self._differ(
                account_id, recorded.position, recorded.name, type(refused).__name__
            )
        else:
            self._compare(account_id, recorded, answer)

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
    """Compare at the cut of `checkpoint`, whose `images` the live engine saved.

    `progress` hears how many events and ticks have been judged, of `total` in all.
    """
    live: dict[str, State] = {}
    stood: dict[str, VenueImage] = {}
    known, images = Images(), tuple(images)
    known.learn(images)
    for image in images:
        kind, _, name = image.stream.partition("-")
        if kind == "venue":
            stood[name] = msgpack.decode(image.body, type=VenueImage)
        elif not known.is_shared(kind):
            live[image.stream] = known.state(kind, image.body)
    memory, venues = Memory(), dict[str, Venue]()
    again = Replay(journal, memory, venues, progress)
    await again.run_to(checkpoint.position if checkpoint else 0, stood)
    replayed = {stream: entry.state for stream, entry in memory.all_loaded()}
    differences = [
        *again.differences,
        *(
            Difference(
                account_id=stream.partition("-")[2],
                position=None,
                recorded=state_hash(live, stream),
                replayed=state_hash(replayed, stream),
            )
            for stream in sorted(live.keys() | replayed.keys())
            if live.get(stream) != replayed.get(stream)
        ),
    ]
    if account_id is not None:
        differences = [each for each in differences if each.account_id == account_id]
        live, replayed = only(account_id, live), only(account_id, replayed)
    return Report(
        equal=not differences,
        accounts=len(accounts_of(live)),
        events=again.events,
        live=StateHash(state_hash=hash_of(accounts_of(live))),
        replayed=StateHash(state_hash=hash_of(accounts_of(replayed))),
        differences=tuple(differences[:MOST_DIFFERENCES]),
    )


def total(checkpoint: Checkpoint | None, images: Iterable[Image]) -> int:
    """How many events and ticks lie before the cut."""
    venues = (image for image in images if image.stream.startswith("venue-"))
    ticks = (msgpack.decode(each.body, type=VenueImage).sequence for each in venues)
    return sum(ticks, checkpoint.position if checkpoint else 0)


def command_of(fact: AccountEvent) -> AccountCommand | None:
    """What was asked for, when this is what came of it; None: nobody asked for it."""
    match fact:
        case AccountOpened():
            return OpenAccount(
                account_id=fact.account_id,
                trader_id=fact.trader_id,
                challenge_id=fact.challenge_id,
                venue_id=fact.venue_id,
                deposit=fact.deposit,
                phase=fact.phase,
                terms_hash=fact.terms_hash,
                bridge=fact.bridge,
            )
        case PositionOpened(position=position):
            return OpenPosition(
                trade_id=position.trade_id,
                order_id=position.order_id,
                client_order_id=position.client_order_id,
                symbol=position.symbol,
                side=position.side,
                quantity=position.opened_quantity,
                stop_loss=position.stop_loss,
                take_profit=position.take_profit,
            )
        case PositionIncreased(deal=deal, position=position):
            return OpenPosition(
                trade_id=position.trade_id,  # it opens none: any will do
                order_id=deal.order_id,
                client_order_id=deal.client_order_id,
                symbol=position.symbol,
                side=deal.side,
                quantity=deal.quantity,
                stop_loss=deal.stop_loss,
                take_profit=deal.take_profit,
            )
        case PositionClosed(order=Opposed() as order):
            return OpenPosition(
                trade_id=order.trade_id,
                order_id=order.order_id,
                client_order_id=order.client_order_id,
                symbol=order.symbol,
                side=order.side,
                quantity=order.quantity,
                stop_loss=order.stop_loss,
                take_profit=order.take_profit,
            )
        case PositionClosed(reason=CloseReason.TRADER, fills=(fill,)):
            trade_id, quantity = fill.closed.trade_id, fill.closed.quantity
            return ClosePosition(trade_id=trade_id, quantity=quantity)
        case AccountObserved():
            return ObserveAccount(observations=fact.observations)
        case FlowPosted() | AccountScaled() | PayoutHeld() | PayoutReleased():
            return flow_of(fact)
        case BreachAnnulled() | BreachConfirmed() | BreachDismissed():
            return review_of(fact)
        case _:
            return order_command_of(fact)


def flow_of(
    fact: FlowPosted | AccountScaled | PayoutHeld | PayoutReleased,
) -> AccountCommand:
    match fact:
        case FlowPosted():
            return PostFlow(
                flow_id=fact.flow_id,
                kind=fact.kind,
                amount=fact.amount,
                reason=fact.reason,
                by=fact.by,
            )
        case AccountScaled():
            return ScaleAccount(
                flow_id=fact.flow_id,
                deposit=fact.deposit,
                phase=fact.phase,
                terms_hash=None if fact.phase is None else fact.terms_hash,
                reason=fact.reason,
                by=fact.by,
            )
        case PayoutHeld():
            return HoldPayout(payout_id=fact.payout_id, amount=fact.amount, by=fact.by)
        case PayoutReleased():
            return ReleasePayout(
                payout_id=fact.payout_id, reason=fact.reason, by=fact.by
            )


def review_of(
    fact: BreachAnnulled | BreachConfirmed | BreachDismissed,
) -> AccountCommand:
    version, rules, reason, by = fact.breach_version, fact.rules, fact.reason, fact.by
    match fact:
        case BreachAnnulled():
            return AnnulBreach(
                breach_version=version,
                rules=rules,
                ticks=fact.ticks,
                reason=reason,
                by=by,
                recount=None,
            )
        case BreachConfirmed():
            return ConfirmBreach(
                breach_version=version, rules=rules, reason=reason, by=by
            )
        case BreachDismissed():
            return DismissBreach(
                breach_version=version, rules=rules, reason=reason, by=by
            )


async def counted_again(journal: Journal, recorded: Recorded) -> Recount:
    """As whoever annulled it did, from the log up to there."""
    _, fact = read(recorded)
    assert isinstance(fact, BreachAnnulled)
    name = recorded.stream.partition("-")[2]
    version, ticks = fact.breach_version, fact.ticks
    return await recounted(journal, name, version, ticks, recorded.position)


def told(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"


def only(account_id: str, states: dict[str, State]) -> dict[str, State]:
    stream = f"account-{account_id}"
    return {stream: states[stream]} if stream in states else {}


def accounts_of(states: dict[str, State]) -> dict[str, State]:
    return {s: state for s, state in states.items() if isinstance(state, Account)}


def state_hash(states: dict[str, State], stream: str) -> str | None:
    return hash_of({stream: states[stream]}) if stream in states else None


def hash_of(states: dict[str, State]) -> str:
    """SHA-256 over the states in the order of their ids; sets are sorted."""
    digest = sha256()
    for stream in sorted(states):
        digest.update(msgpack.encode(states[stream], order="deterministic"))
    return f"sha256:{digest.hexdigest()}"
