"""All channels, who may read them, and how many may."""

import asyncio
from collections import Counter
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from typing import Final, Protocol

import structlog
from litestar import Litestar
from msgspec import Struct

from api.doors import Authenticate
from api.streaming.framing import Form
from api.streaming.hub import Hub
from api.streaming.line import Line
from api.streaming.messages import Heartbeat
from api.streaming.pulse import Pulse, Rhythm
from api.streaming.subscriber import Subscriber
from application.caller import Caller
from application.clock import Clock
from application.gateway import LIVE_PARTITION, Gateway
from application.refusals import Busy, Unauthenticated

log = structlog.get_logger("tradesense.streams")

MOST: Final = 4_096
MOST_OF_ONE_ADDRESS: Final = 1_024
UNAUTHENTICATED: Final = 4401


class Source(Protocol):
    """What knows one kind of channel."""

    @property
    def message(self) -> str:
        """The type of the message that says what stands."""
        ...

    def admit(self, subject: str, caller: Caller | None) -> None:
        """Raise `Unauthenticated`, or `NotFound` for a stranger's too."""
        ...

    async def opening(self, subject: str) -> Struct | None:
        """Tell what stands, and from now on what comes."""
        ...


class Streams:
    def __init__(  # noqa: PLR0913 - all that streams are made of, all by name
        self,
        *,
        hub: Hub,
        pulse: Pulse,
        rhythm: Rhythm,
        sources: Mapping[str, Source],
        works: Sequence[Callable[[], Coroutine[None, None, None]]],
        gateway: Gateway,
        clock: Clock,
        authenticate: Authenticate,
    ) -> None:
        self.hub = hub
        self.rhythm = rhythm
        self._pulse = pulse
        self._sources = sources
        self._works = works
        self._gateway = gateway
        self._clock = clock
        self.authenticate = authenticate
        self._from: Counter[str] = Counter()
        self._tokens: dict[Subscriber, bytes] = {}

    async def open(self, name: str, caller: Caller | None) -> None:
        """Have the channel ready to be joined, if the caller may."""
        kind, _, subject = name.partition(":")
        source = self._sources[kind]
        source.admit(subject, caller)
        if not self.hub.keeps(name):
            self.hub.open(name, source.message, await source.opening(subject))

    def must_have_room(self, address: str) -> None:
        if len(self.hub) >= MOST or self._from[address] >= MOST_OF_ONE_ADDRESS:
            raise Busy("so many streams are open already")

    @contextmanager
    def subscriber(self, line: Line, form: Form, address: str) -> Iterator[Subscriber]:
        """Raise `Busy` where there is no room for one more."""
        self.must_have_room(address)
        self._from[address] += 1
        subscriber = Subscriber(line, form)
        self.hub.enter(subscriber)
        try:
            yield subscriber
        finally:
            self.hub.leave(subscriber)
            self._tokens.pop(subscriber, None)
            self._from[address] -= 1
            if not self._from[address]:
                del self._from[address]

    def hold(self, subscriber: Subscriber, token: bytes) -> None:
        """From here on the stream lives as long as the token and its session do."""
        self._tokens[subscriber] = token

    @asynccontextmanager
    async def alive(self, _: Litestar) -> AsyncIterator[None]:
        self._pulse.start(self.hub.round)
        works = (self._beats, self._checks, *self._works)
        tasks = [asyncio.create_task(work()) for work in works]
        for task in tasks:
            task.add_done_callback(_tell)
        try:
            yield
        finally:
            self._pulse.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(self.rhythm.beat_seconds)
            self.hub.beat(self._heartbeat())

    async def _checks(self) -> None:
        """Apart from the beats, which wait for no database."""
        while True:
            await asyncio.sleep(self.rhythm.beat_seconds)
            for subscriber, token in tuple(self._tokens.items()):
                await self._check(subscriber, token)

    def _heartbeat(self) -> Heartbeat:
        positions = {
            each.partition: f"{each.partition}-{each.position}"
            for each in self._gateway.status()
        }
        return Heartbeat(
            at=self._clock.now(),
            position=positions[LIVE_PARTITION],
            positions=tuple(positions.values()),
        )

    async def _check(self, subscriber: Subscriber, token: bytes) -> None:
        try:
            await self.authenticate(token)
        except Unauthenticated:
            if self._tokens.get(subscriber) == token:
                subscriber.end(UNAUTHENTICATED)
        except Exception as error:  # noqa: BLE001 - asked again at the next beat
            log.warning("token-not-checked", because=type(error).__name__)


def _tell(task: asyncio.Task[None]) -> None:
    """None of them ends by itself."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.critical("stream-source-ended", error=repr(fault))
