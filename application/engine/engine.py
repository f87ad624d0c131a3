"""The single writer of one partition: everything happens here, in one order.

What arrives while a batch is being written makes up the next one. A batch is decided
on the newest state, stored whole, and only then shown and answered, refusals too.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol
from uuid import UUID

import msgspec
import structlog

from application.clock import Clock
from application.engine.asks import Answer, Ask, KeyReused, Poisoned, Refusal
from application.engine.deciding import Deciding
from application.engine.draft import Draft
from application.engine.journal import (
    LEASE_SECONDS,
    Fenced,
    Head,
    Journal,
    NotStored,
    Receipt,
    Rejected,
)
from application.engine.memory import Memory
from application.engine.parking import cause_of, failed
from application.engine.venue import Venue
from application.refusals import Busy, NotFound, StoreUnavailable
from domain.values.refusal import Refused

log = structlog.get_logger("tradesense.engine")

MOST_WAITING: Final = 10_000
LEASE_MARGIN_SECONDS: Final = 0.1
LONGEST_TROUBLE_SECONDS: Final = 2.0  # of the log; after that nothing more is taken
MOST_IN_A_BATCH: Final = 1_000
RECEIPTS_AT_HAND: Final = 50_000
REFUSED: Final = 409

Waiting = tuple[Ask, "asyncio.Future[Answer]"]
Told = Answer | Exception


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
        self._arrived = asyncio.Event()
        self._receipts: dict[UUID, Receipt] = {}
        self._stopped: Exception | None = None
        self._is_stopping = False
        self._fenced: Fenced | None = None
        self._confirmed_at = float("-inf")

    @property
    def queued(self) -> int:
        return len(self._waiting)

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
        if len(self._waiting) >= self._most_waiting:
            raise Busy(f"{self._most_waiting} commands are waiting already")
        told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, told))
        self._arrived.set()
        return await told

    async def run(self) -> None:
        """Write batch after batch until `stop`, or until another owner takes over."""
        batch: list[Waiting] = []
        try:
            while True:
                self._must_own()
                if not self._waiting:
                    if self._is_stopping:
                        return
                    self._arrived.clear()
                    await self._arrived.wait()
                    continue
                batch = self._next_batch()
                for (_, told), answer in zip(
                    batch, await self._written([a for a, _ in batch]), strict=True
                ):
                    tell(told, answer)
        except BaseException:
            self._stopped = StoreUnavailable("the engine of this partition has stopped")
            for _, told in (*batch, *self._waiting):
                tell(told, self._stopped)
            self._waiting.clear()
            raise

    def _must_own(self) -> None:
        if self._fenced is not None:
            raise self._fenced

    def _next_batch(self) -> list[Waiting]:
        """Take what waits, but not for those who have given up waiting."""
        many = min(len(self._waiting), MOST_IN_A_BATCH)
        taken = [self._waiting.popleft() for _ in range(many)]
        return [(ask, told) for ask, told in taken if not told.done()]

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
        self._arrived.set()

    def stop(self) -> None:
        """Take no more; what waits is still written and answered."""
        self._is_stopping = True
        self._arrived.set()

    async def _written(self, asks: Sequence[Ask]) -> list[Told]:
        """Decide and store one batch; a part that cannot be is found by halving."""
        try:
            await self._look_up_receipts(asks)
            draft = Draft(self.head, self.clock.now())
            answers = [self._decided(ask, draft) for ask in asks]
            self.deciding.close_blocks(draft)
            if not draft.is_empty:
                began = asyncio.get_running_loop().time()
                await self.journal.commit(draft.batch())
                self._confirmed_at = began
            elif not self.holds_lease:  # an answer from memory alone
                await self.renew_lease()
        except Fenced:
            raise
        except Rejected as poison:
            self.deciding.drop()
            return await self._halved(asks, poison)
        except (NotStored, ConnectionError):
            self.deciding.drop()
            return [StoreUnavailable("the log cannot be written now") for _ in asks]
        except Exception as poison:  # noqa: BLE001 - one command must not stop all
            self.deciding.drop()
            return await self._halved(asks, poison)
        self._settle(draft)
        return answers

    async def _halved(self, asks: Sequence[Ask], poison: Exception) -> list[Told]:
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

    def _decided(self, ask: Ask, draft: Draft) -> Told:
        try:
            if known := self._known(ask, draft):
                return known
            answer = self.deciding.decide(ask, draft)
        except (NotFound, KeyReused) as unknown:
            return unknown
        except Refused as refused:
            answer = refusal(ask, refused, draft.position)
        self._keep(ask, answer, draft)
        return answer

    async def _look_up_receipts(self, asks: Sequence[Ask]) -> None:
        ids = {
            each
            for ask in asks
            for each in (kept_as(ask), ask.natural_id)
            if each is not None and each not in self._receipts
        }
        if ids:
            # nothing is forgotten before the batch that it was looked up for is settled
            self._receipts.update(await self.journal.receipts(tuple(ids)))

    def _known(self, ask: Ask, draft: Draft) -> Answer | None:
        """The first answer to the same command, if there was one."""
        if (command_id := kept_as(ask)) is not None:
            receipt = self._receipt(command_id, draft)
            if receipt is not None:
                if receipt.request_hash != ask.request_hash:
                    raise KeyReused("the key came with another body before")
                return replayed(receipt, receipt.status)
        if ask.natural_id is not None:
            receipt = self._receipt(ask.natural_id, draft)
            if receipt is not None:
                answer = replayed(receipt, 200)
                self._keep_under(kept_as(ask), ask, answer, draft)
                return answer
        return None

    def _receipt(self, command_id: UUID, draft: Draft) -> Receipt | None:
        return draft.receipts.get(command_id) or self._receipts.get(command_id)

    def _keep(self, ask: Ask, answer: Answer, draft: Draft) -> None:
        self._keep_under(kept_as(ask), ask, answer, draft)
        if not answer.is_refused:
            self._keep_under(ask.natural_id, ask, answer, draft)

    @staticmethod
    def _keep_under(key: UUID | None, ask: Ask, answer: Answer, draft: Draft) -> None:
        if key is not None:
            draft.receipts[key] = Receipt(
                command_id=key,
                request_hash=ask.request_hash,
                status=answer.status,
                body=answer.body,
                position=answer.position,
            )

    def _settle(self, draft: Draft) -> None:
        if not draft.is_empty:
            self.head = Head(
                epoch=self.head.epoch,
                batch=self.head.batch + 1,
                position=draft.position,
            )
        self.deciding.settle()
        self._remember(draft.receipts)
        for hear in self.on_commit:
            hear(draft)

    def _remember(self, receipts: dict[UUID, Receipt]) -> None:
        self._receipts.update(receipts)
        while len(self._receipts) > RECEIPTS_AT_HAND:
            del self._receipts[next(iter(self._receipts))]


def kept_as(ask: Ask) -> UUID | None:
    return ask.command_id if ask.is_kept else None


def replayed(receipt: Receipt, status: int) -> Answer:
    return Answer(
        status=status,
        body=receipt.body,
        position=receipt.position,
        is_refused=receipt.status == REFUSED,
        is_replayed=True,
    )


def refusal(ask: Ask, refused: Refused, position: int) -> Answer:
    told = Refusal(
        code=code_of(type(refused)),
        detail=str(refused),
        request_id=ask.request_id,
        arithmetic=refused.arithmetic,
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
