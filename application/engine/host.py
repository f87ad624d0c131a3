"""One partition alive: recovered, writing, followed by its policy, checkpointed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final

import structlog

from application.clock import Clock
from application.engine.asks import AdvanceClock, Answer, Ask, Poisoned
from application.engine.deciding import LIVE
from application.engine.draft import Draft
from application.engine.engine import Engine
from application.engine.journal import LEASE_SECONDS, Fenced, Journal, NotStored
from application.engine.saving import refresh, save
from application.engine.start import Start
from application.engine.tally import Tally, outcome
from application.engine.unread import SetAside, Unread
from application.policies.runner import PolicyRunner
from application.refusals import Waitable
from domain.values.refusal import Refused

log = structlog.get_logger("tradesense.engine")

CHECKPOINT_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 0.25
RENEW_SECONDS: Final = LEASE_SECONDS / 4
STOP_SECONDS: Final = 8.0


class Host:
    def __init__(
        self,
        partition: str,
        journal: Journal,
        clock: Clock,
        tally: Tally | None = None,
    ) -> None:
        self.engine = Engine(partition, journal, clock)
        self.tally = Tally() if tally is None else tally
        self.engine.on_commit.append(self.tally.hear)
        self._tasks: list[asyncio.Task[None]] = []
        self._checkpointing = asyncio.Lock()
        self._unread: tuple[Unread, ...] = ()

    async def start(self, on_end: Callable[[BaseException | None], None]) -> None:
        """Recover and begin; `on_end` hears when the writer stops for any reason."""
        engine = self.engine
        engine.head = await engine.journal.take()
        start = Start(engine.journal, engine.memory, engine.venues)
        now = asyncio.get_running_loop().time
        began = now()
        restored = await start.run()
        self._images = start.images
        left = max(0.0, engine.journal.rival_seconds - (now() - began))
        await asyncio.sleep(left)
        await engine.renew_lease()
        self.tally.recovery_seconds = now() - began
        self.tally.lease_seconds = left
        assert restored.position == engine.head.position
        await self._set_aside(start.set_aside)
        engine.deciding.trades.update(restored.trades)
        engine.deciding.allocations = restored.allocations
        self._saved_at = now()
        self.policy = PolicyRunner(engine, restored.policies.get(PolicyRunner.name, 0))
        self._writer = asyncio.create_task(engine.run())
        self._on_end = on_end
        self._writer.add_done_callback(self._ended)
        for work in (self.policy.run(), self._checkpoints(), self._renewals()):
            self._begin(work)
        if LIVE in engine.venues:
            self.keep_time()
        log.info(
            "partition-recovered",
            partition=engine.partition,
            position=restored.position,
            streams=len(engine.memory),
        )

    async def _set_aside(self, unread: SetAside) -> None:
        """Freeze in the log whose history this version cannot read."""
        engine, now = self.engine, self.engine.clock.now()
        draft = Draft(engine.head, now)
        unread.tell(draft)
        if not draft.is_empty:
            await engine.journal.commit(draft.batch())
            engine.head = draft.head_after
            self.tally.hear(draft)
        await unread.park(engine.journal, engine.partition, now)
        self._unread = unread.unread

    def keep_time(self) -> None:
        """Where nothing arrives a heartbeat is sequenced, so that timers fall due."""
        self._begin(self._heartbeats())

    def _ended(self, writer: asyncio.Task[None]) -> None:
        fault = None if writer.cancelled() else writer.exception()
        self.tally.fenced += isinstance(fault, Fenced)
        self._on_end(fault)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._broke)
        self._tasks.append(task)

    def _broke(self, task: asyncio.Task[None]) -> None:
        """None of them ends by itself: without it the engine only pretends."""
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._on_end(fault)

    @property
    def is_writing(self) -> bool:
        return not self._writer.done()

    async def ask_settled(self, ask: Ask) -> Answer:
        """Wait for what follows from it too: the next phase's account, say."""
        counts = self.tally.commands
        try:
            answer = await self.engine.ask(ask)
        except (Refused, Poisoned) as no:
            counts[outcome(no)] += 1
            raise
        if answer.is_replayed:
            counts["repeated"] += 1
            return answer
        counts["refused" if answer.is_refused else "accepted"] += 1
        await self.policy.settled(answer.position)
        return answer

    async def stop(self) -> None:
        """Answer what waits, keep a last checkpoint, and let go of the log."""
        for task in self._tasks:
            task.cancel()
        self.engine.stop()
        await asyncio.wait([self._writer, *self._tasks], timeout=STOP_SECONDS)
        if self._writer.done() and self._writer.exception() is None:
            await self.checkpoint()
            await self.engine.journal.release()
        await self.engine.journal.close()

    async def checkpoint(self) -> None:
        """Save what has changed; a failure costs a longer start, never the log.

        Not while some account has not seen what its venue has: all go on from there.
        """
        engine = self.engine
        async with self._checkpointing:
            if not engine.has_unsaved:
                return
            began = asyncio.get_running_loop().time()
            try:
                await refresh(engine.memory)
                if not engine.is_judged:
                    return
                await save(
                    engine.journal,
                    engine.memory,
                    engine.venues,
                    self._images,
                    position=engine.head.position,
                    at=engine.clock.now(),
                    policies={self.policy.name: self.policy.position},
                    unread=self._unread,
                )
            except Exception as error:  # noqa: BLE001 - see above
                self.tally.failed_checkpoints += 1
                log.warning("checkpoint-failed", error=repr(error))
            else:
                self._saved_at = began

    @property
    def checkpoint_seconds(self) -> float:
        """How old the images are; 0 when they lack nothing."""
        if not self.engine.has_unsaved:
            return 0.0
        return asyncio.get_running_loop().time() - self._saved_at

    async def _checkpoints(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            await self.engine.judged()
            await self.checkpoint()

    async def _renewals(self) -> None:
        """Keep the lease where nothing is being stored; the writer itself ends it."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self.engine.renew_lease()
            except NotStored:
                continue  # reads from memory end when the lease does
            except Fenced as fenced:
                self.engine.fence(fenced)
                return

    async def _heartbeats(self) -> None:
        beat = Ask(
            stream=f"venue-{LIVE}",
            command=AdvanceClock(venue_id=LIVE, to=self.engine.clock.now()),
            actor="system",
            owner=None,
            request_id="heartbeat",
        )
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                await self.engine.ask(beat)
            except (Waitable, Poisoned):
                continue  # what fills the queue tells the time too; a log comes back
