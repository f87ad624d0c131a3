"""The single writer of one partition: everything happens here, in one order.

What arrives while a batch is being written is decided at once, on the newest state,
and makes up the next one. A batch is stored whole, and only then shown and answered,
refusals too. When one cannot be, the next is decided again: nobody has heard of it.
Accounts that a quote has touched, and that are not judged yet, take turns with that.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from application.clock import Clock
from application.engine.asks import (
    AdvanceClock,
    Answer,
    Ask,
    KeyReused,
    Poisoned,
    Refusal,
    TakeQuotes,
)
from application.engine.deciding import LIVE, Deciding
from application.engine.draft import Draft
from application.engine.journal import (
    LEASE_SECONDS,
    Fenced,
    Head,
    Journal,
    NotStored,
    Rejected,
)
from application.engine.kept import REFUSED, KeptAnswers
from application.engine.memory import Memory
from application.engine.parking import cause_of, failed
from application.engine.venue import Venue
from application.refusals import Busy, NotFound, StoreUnavailable
from domain.account.errors import Outdated
from domain.plan.errors import PlanAmbiguous
from domain.values.refusal import Refused

log = structlog.get_logger("tradesense.engine")

MOST_WAITING: Final = 10_000
LEASE_MARGIN_SECONDS: Final = 0.1
LONGEST_TROUBLE_SECONDS: Final = 2.0  # of the log; after that nothing more is taken
MOST_IN_A_BATCH: Final = 1_000
MOST_JUDGED: Final = 64  # in a batch, so that no command waits long behind them
REST_SECONDS: Final = 0.1  # before those are judged again whom no log took
SLICE: Final = 32  # commands decided before the disk is heard again
DEPARTURE: Final = 3  # turns of the loop in which a batch gets on its way to the disk

Waiting = tuple[Ask, "asyncio.Future[Answer]"]
Told = Answer | Exception


class Decided:
    """What has been decided together, for whom, and what they will be told."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.waiting: list[Waiting] = []
        self.answers: list[Told] = []
        self.judged = 0  # who were behind

    @property
    def is_due(self) -> bool:
        return bool(self.waiting or self.judged)


class Held(Struct, frozen=True):
    """Stored and decided, but for what some account makes of it."""

    told: "asyncio.Future[Answer]"
    answer: Answer
    venue: Venue
    until: int  # of what has happened there


class Committed(Protocol):
    """Hears of every batch once it is on disk, before anybody is answered."""

    def __call__(self, draft: Draft) -> None: ...


class Engine:
    def __init__(
        self,
        partition: str,
        journal: Journal,
        clock: Clock,
        *,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.partition = partition
        self.journal = journal
        self.clock = clock
        self.memory = Memory()
        self.venues: dict[str, Venue] = {}
        self.head = Head(epoch=0, batch=0, position=0)
        self.deciding = Deciding(partition, clock, self.memory, self.venues)
        self.on_commit: list[Committed] = []
        self._most_waiting = most_waiting
        self._waiting: deque[Waiting] = deque()
        self._changed = asyncio.Event()
        self._kept = KeptAnswers(journal)
        self._in_hand: list[Waiting] = []
        self._put_off: list[Waiting] = []  # quotes, until those before them are judged
        self._held: list[Held] = []
        self._is_turn_of_late = False
        self._is_judged = asyncio.Event()
        self._rests_until = float("-inf")
        self._open = self._sealed = Decided(Draft(self.head, clock.now()))
        self._storing: asyncio.Future[None] | None = None
        self._stopped: Exception | None = None
        self._is_stopping = False
        self._fenced: Fenced | None = None
        self._confirmed_at = float("-inf")

    @property
    def queued(self) -> int:
        return len(self._waiting) + len(self._put_off)

    @property
    def is_judged(self) -> bool:
        """Whether every account, as it is shown, has seen all that is shown."""
        return not self.deciding.unjudged

    async def judged(self) -> None:
        """Wait until it is so, at least for an instant."""
        await self._is_judged.wait()

    @property
    def has_unsaved(self) -> bool:
        """Whether anything shown is newer than the last checkpoint."""
        return self.memory.has_unsaved or any(
            venue.is_unsaved for venue in self.venues.values()
        )

    async def ask(self, ask: Ask) -> Answer:
        """Answer once it is durable. Raises `Busy`, `NotFound`, `KeyReused` ..."""
        if self._stopped is not None or self._is_stopping:
            raise StoreUnavailable("the engine of this partition has stopped")
        if self.journal.trouble_seconds > LONGEST_TROUBLE_SECONDS:
            raise StoreUnavailable("the log is not answering")
        if self.queued + len(self._held) >= self._most_waiting:
            raise Busy(f"{self._most_waiting} commands are waiting already")
        told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, told))
        self._changed.set()
        return await told

    async def run(self) -> None:
        """Write batch after batch until `stop`, or until another owner takes over."""
        self._open = Decided(Draft(self.head, self.clock.now()))
        self.deciding.look_behind()
        self._note_judged()
        try:
            while not (self._is_stopping and self._is_idle):
                await self._go_on()
        except BaseException:
            self._stopped = StoreUnavailable("the engine of this partition has stopped")
            if self._storing is not None:
                self._storing.cancel()
            for _, told in (
                *self._sealed.waiting,
                *self._open.waiting,
                *self._in_hand,
                *self._put_off,
                *self._waiting,
            ):
                tell(told, self._stopped)
            for each in self._held:
                tell(each.told, self._stopped)
            self._waiting.clear()
            raise

    @property
    def _is_idle(self) -> bool:
        is_deciding = self._waiting or self._put_off or self._open.is_due
        return not (is_deciding or self._storing or self.deciding.is_late)

    async def _go_on(self) -> None:
        """Take one step: see a batch stored, send the next, decide, or wait."""
        self._changed.clear()  # before looking, so that nothing is overlooked
        if self._fenced is not None:
            raise self._fenced
        if self._storing is not None and self._storing.done():
            await self._land(self._storing)
        elif self._storing is None and self._open.is_due:
            await self._send()
        elif self._may_judge and (self._is_turn_of_late or not self._may_decide):
            self._is_turn_of_late = False
            await self._judge()
            await asyncio.sleep(0)  # hear of the disk, and of what else has come
        elif self._may_decide:
            self._is_turn_of_late = True
            await self._decide(self._next_slice())
            await asyncio.sleep(0)
        else:
            await self._changed.wait()

    @property
    def _may_decide(self) -> bool:
        self._let_in()
        return bool(self._waiting) and len(self._open.waiting) < MOST_IN_A_BATCH

    @property
    def _may_judge(self) -> bool:
        if not self.deciding.is_late or self._open.judged >= MOST_JUDGED:
            return False
        return asyncio.get_running_loop().time() >= self._rests_until

    def _let_in(self) -> None:
        """Quotes that were put off come before any other, as soon as they may."""
        if self._put_off and not any(self._must_wait(ask) for ask, _ in self._put_off):
            self._waiting.extendleft(reversed(self._put_off))
            self._put_off.clear()

    def _must_wait(self, ask: Ask) -> bool:
        """Whether too much has happened that its venue's accounts have not seen."""
        venue = self._led(ask)
        return venue is not None and venue.backlog.is_full

    def _led(self, ask: Ask) -> Venue | None:
        """The venue whose quotes or clock it brings."""
        if not isinstance(ask.command, TakeQuotes | AdvanceClock):
            return None
        return self.venues.get(ask.command.venue_id)

    def _next_slice(self) -> list[Waiting]:
        """Take some of what waits, but not for those who have given up waiting."""
        taken: list[Waiting] = []
        for _ in range(min(len(self._waiting), SLICE)):
            each = self._waiting.popleft()
            if each[1].done():
                continue
            if self._must_wait(each[0]):
                self._put_off.append(each)
            else:
                taken.append(each)
        return taken

    async def _judge(self) -> None:
        """A slice of those who are behind; they make a batch with what is decided."""
        batch = self._open
        batch.draft.recorded_at = self.clock.now()
        try:
            batch.judged += self.deciding.judge(batch.draft, MOST_JUDGED - batch.judged)
        except Exception as poison:  # noqa: BLE001 - it must not stop the others
            batch.judged += 1
            await self._set_apart(poison)

    @property
    def holds_lease(self) -> bool:
        """Whether no other owner can have begun: only then may memory answer."""
        age = asyncio.get_running_loop().time() - self._confirmed_at
        return age < LEASE_SECONDS - LEASE_MARGIN_SECONDS

    async def renew_lease(self) -> None:
        """Confirm the ownership where no commit has done so. Raises `Fenced`."""
        began = asyncio.get_running_loop().time()
        await self.journal.renew()
        self._confirmed_at = began

    def fence(self, fenced: Fenced) -> None:
        """Another owner has begun: end the writer, whatever it is waiting for."""
        self._fenced = fenced
        self._changed.set()

    def stop(self) -> None:
        """Take no more; what waits is still written and answered."""
        self._is_stopping = True
        self._changed.set()

    async def _decide(self, waiting: list[Waiting]) -> None:
        """Decide on the newest state, whether or not that is on disk already."""
        self._in_hand = waiting
        asks = [ask for ask, _ in waiting]
        try:
            await self._kept.look_up(asks)
        except (NotStored, ConnectionError):
            for _, told in waiting:
                tell(told, unavailable())
        else:
            batch = self._open
            batch.waiting += waiting
            try:
                batch.answers += self._decided(asks, batch.draft)
            except Exception as poison:  # noqa: BLE001 - it must not stop the others
                await self._set_apart(poison)
        self._in_hand = []

    def _decided(self, asks: Sequence[Ask], draft: Draft) -> list[Told]:
        draft.recorded_at = self.clock.now()
        self.deciding.begin_slice()
        return [self._answered(ask, draft) for ask in asks]

    def _answered(self, ask: Ask, draft: Draft) -> Told:
        try:
            if known := self._kept.known(ask, draft):
                return known
            answer = self.deciding.decide(ask, draft)
        except (NotFound, KeyReused, Outdated) as unasked:
            return unasked
        except Refused as refused:
            answer = refusal(ask, refused, draft.position)
        self._kept.keep(ask, answer, draft)
        return answer

    async def _send(self) -> None:
        """Begin to store the open batch; the next one is decided meanwhile."""
        batch = self._open
        try:
            self._seal(batch.draft)
        except Exception as poison:  # noqa: BLE001 - as above
            await self._set_apart(poison)
            return
        self._sealed, self._open = batch, self._next_batch(batch.draft)
        self._storing = asyncio.ensure_future(self._store(batch.draft))
        self._storing.add_done_callback(lambda _: self._changed.set())
        for _ in range(DEPARTURE):
            await asyncio.sleep(0)

    def _seal(self, draft: Draft) -> None:
        self.deciding.seal(draft)
        self._kept.seal(draft)

    def _next_batch(self, draft: Draft) -> Decided:
        """Number it after the batch before it, as if that one were stored."""
        return Decided(Draft(draft.head_after, self.clock.now()))

    async def _store(self, draft: Draft) -> None:
        if not draft.is_empty:
            began = asyncio.get_running_loop().time()
            await self.journal.commit(draft.batch())
            self._confirmed_at = began
        elif not self.holds_lease:  # an answer from memory alone
            await self.renew_lease()

    async def _land(self, storing: asyncio.Future[None]) -> None:
        """The batch is on disk, or certainly is not: go on from there, then answer."""
        batch, answers = self._sealed, self._sealed.answers
        self._storing = None
        asks = [ask for ask, _ in batch.waiting]
        try:
            storing.result()
        except Fenced:
            raise
        except Rejected:
            self._fall_back()
            self._kept.beware()
            answers = await self._written(asks)
            await self._judged_apart(batch.judged)
        except (NotStored, ConnectionError):
            self._fall_back()
            self._rest()
            answers = [unavailable() for _ in asks]
        except Exception as poison:  # noqa: BLE001 - one command must not stop all
            self._fall_back()
            answers = await self._halved(asks, poison)
            await self._judged_apart(batch.judged)
        else:
            self._settle(batch.draft)
        self._tell_all(batch.waiting, answers)

    def _rest(self) -> None:
        """Nobody waits for those who are behind: ask the log again a little later."""
        loop = asyncio.get_running_loop()
        self._rests_until = loop.time() + REST_SECONDS
        loop.call_later(REST_SECONDS, self._changed.set)

    def _tell_all(self, waiting: Sequence[Waiting], answers: Sequence[Told]) -> None:
        """Who leads a sandbox hears once all accounts have been judged by it."""
        for (ask, told), answer in zip(waiting, answers, strict=True):
            venue = self._led(ask)
            if self._is_complete(venue) or isinstance(answer, Exception):
                tell(told, answer)
            else:
                assert venue is not None
                self._held.append(Held(told, answer, venue, venue.backlog.shown_end))

    @staticmethod
    def _is_complete(venue: Venue | None) -> bool:
        return venue is None or venue.venue_id == LIVE or not venue.backlog.is_shown

    def _release(self) -> None:
        """What they tell is complete now, and it ends here."""
        held, self._held = self._held, []
        for each in held:
            if each.venue.backlog.is_past(each.until):
                tell(each.told, replace(each.answer, position=self.head.position))
            else:
                self._held.append(each)

    def _fall_back(self) -> None:
        """Nothing that is not on disk has happened; the open batch is decided again."""
        self.deciding.drop()
        self._kept.drop()
        for earlier in (self._put_off, self._open.waiting):
            self._waiting.extendleft(reversed(earlier))
        self._put_off.clear()
        self._open = Decided(Draft(self.head, self.clock.now()))

    async def _set_apart(self, poison: Exception) -> None:
        """Something in the open batch cannot be decided: find it by halving."""
        apart, self._open = self._open, Decided(self._open.draft)
        self._in_hand = apart.waiting
        if self._storing is not None:
            await asyncio.wait([self._storing])
            await self._land(self._storing)
        self._fall_back()
        asks = [ask for ask, _ in apart.waiting]
        answers = await self._halved(asks, poison)
        await self._judged_apart(apart.judged)
        self._tell_all(apart.waiting, answers)
        self._in_hand = []

    async def _written(self, asks: Sequence[Ask]) -> list[Told]:
        """Decide and store one batch by itself; what cannot be is found by halving."""
        if not asks:
            return []
        try:
            await self._kept.look_up(asks, thoroughly=True)
            draft = Draft(self.head, self.clock.now())
            answers = self._decided(asks, draft)
            self._seal(draft)
            await self._store(draft)
        except Fenced:
            raise
        except Rejected as poison:
            self._fall_back()
            return await self._halved(asks, poison)
        except (NotStored, ConnectionError):
            self._fall_back()
            return [unavailable() for _ in asks]
        except Exception as poison:  # noqa: BLE001 - one command must not stop all
            self._fall_back()
            return await self._halved(asks, poison)
        self._settle(draft)
        self._open = self._next_batch(draft)
        return answers

    async def _judged_apart(self, most: int, *, is_doomed: bool = False) -> None:
        """Judge so many of who are behind by themselves, as what they were part of
        could not be stored. Whom no log takes freezes; where that fails, all ends.
        """
        if not most or not self.deciding.is_late:
            return
        draft = Draft(self.head, self.clock.now())
        try:
            self.deciding.judge(draft, most)
            self._seal(draft)
            await self._store(draft)
        except Fenced:
            raise
        except Exception as fault:
            self._fall_back()
            if isinstance(fault, ConnectionError | NotStored) and not isinstance(
                fault, Rejected
            ):
                self._rest()
            elif most > 1:
                await self._judged_apart(most // 2)
                await self._judged_apart(most - most // 2)
            elif is_doomed:
                raise
            else:
                log.exception("judging-not-stored", cause=type(fault).__name__)
                self.deciding.freeze_next(type(fault).__name__)
                await self._judged_apart(1, is_doomed=True)
            return
        self._settle(draft)
        self._open = self._next_batch(draft)

    async def _halved(self, asks: Sequence[Ask], poison: Exception) -> list[Told]:
        if not asks:
            return []
        if len(asks) == 1:
            return [await self._parked(asks[0], poison)]
        middle = len(asks) // 2
        first = await self._written(asks[:middle])
        return first + await self._written(asks[middle:])

    async def _parked(self, ask: Ask, poison: Exception) -> Poisoned:
        """Set it aside; where even that fails, the alarm and the caller know."""
        about = {"stream": ask.stream, "request_id": ask.request_id}
        log.error("command-parked", cause=type(poison).__name__, **about)
        now, epoch = self.clock.now(), self.head.epoch
        try:
            await self.journal.park(failed(ask, cause_of(poison), now, epoch))
        except Exception as fault:  # noqa: BLE001 - others go on, whatever it is
            log.critical("not-parked", cause=type(fault).__name__, **about)
        poisoned = Poisoned(ask.stream)
        poisoned.__cause__ = poison
        return poisoned

    def _settle(self, draft: Draft) -> None:
        self.head = draft.head_after
        self.deciding.settle()
        self._kept.settle()
        for hear in self.on_commit:
            hear(draft)
        self._note_judged()
        if self._held:
            self._release()

    def _note_judged(self) -> None:
        if self.is_judged:
            self._is_judged.set()
        else:
            self._is_judged.clear()


def unavailable() -> StoreUnavailable:
    return StoreUnavailable("the log cannot be written now")


def refusal(ask: Ask, refused: Refused, position: int) -> Answer:
    told = Refusal(
        code=code_of(type(refused)),
        detail=str(refused),
        request_id=ask.request_id,
        arithmetic=refused.arithmetic,
        findings=refused.findings if isinstance(refused, PlanAmbiguous) else (),
    )
    return Answer(
        status=REFUSED,
        body=msgspec.json.encode(told),
        position=position,
        is_refused=True,
    )


def code_of(refused: type[Refused]) -> str:
    """`TradeNotOpen` is told as `trade-not-open`."""
    words = "".join(f"-{c.lower()}" if c.isupper() else c for c in refused.__name__)
    return words.removeprefix("-")


def tell(told: "asyncio.Future[Answer]", answer: Told) -> None:
    if told.done():  # whoever asked has gone
        return
    if isinstance(answer, Exception):
        told.set_exception(answer)
    else:
        told.set_result(answer)
