"""A line to PostgreSQL that is cut or late once around COMMIT, where it is told to."""

import asyncio
from asyncio import (
    CancelledError,
    Event,
    IncompleteReadError,
    StreamReader,
    StreamWriter,
)
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from random import Random
from typing import Final, Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.proofs.pipelines import (
    READY,
    WRITER,
    Pipeline,
    greeting,
    message,
    pipelines,
)

SOCKET: Final = ".s.PGSQL.5432"
CHUNK: Final = 65_536


class Fault(Enum):
    LOST = "cut before anything has arrived"
    TORN = "cut when a part has arrived"
    SENT = "cut as soon as all is sent"
    ANSWERED = "cut when it is stored, before the answer"
    SLOW = "a part arrives, and late the rest"
    LATE = "it is stored, and the answer is late"
    LATE_CUT = "it is stored, the answer is late, and then cut off"
    GIVEN_UP = "it is stored, and the answer is later than anybody waits"
    STALE = "a part arrives, and the rest when the writer is already back"


IN_PART: Final = (Fault.TORN, Fault.SLOW, Fault.STALE)
STORED: Final = (Fault.ANSWERED, Fault.LATE, Fault.LATE_CUT, Fault.GIVEN_UP)
CUT_AT_ONCE: Final = (Fault.LOST, Fault.TORN, Fault.SENT, Fault.ANSWERED)
BEYOND_PATIENCE: Final = (Fault.GIVEN_UP, Fault.STALE)


class Interruption:
    """Strikes the next batch. Until it is `over` the writer gets no new connection."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.has_struck = Event()
        self.is_back = Event()  # the writer, at the door
        self.is_over = Event()
        self.submissions: list[Pipeline] = []  # of the batch that it has struck
        self.overdue: Callable[[], None] | None = None

    @property
    def batch(self) -> int | None:
        return self.submissions[0].batch if self.submissions else None

    def strikes(self, pipeline: Pipeline) -> bool:
        """Note each submission of the batch; only the first one is struck."""
        if pipeline.batch is None or self.batch not in (None, pipeline.batch):
            return False
        self.submissions.append(pipeline)
        return len(self.submissions) == 1


class Line:
    """One connection of the writer; what is answered can be held back."""

    def __init__(self, client: StreamWriter, server: StreamWriter) -> None:
        self._client = client
        self._server = server
        self._kept = b""
        self._is_held = False
        self.is_answered = Event()
        self.has_ended = Event()

    def send(self, content: bytes) -> None:
        self._server.write(content)

    def hold(self) -> None:
        self._is_held = True
        self.is_answered.clear()

    def let_go(self) -> None:
        self._is_held = False
        self._client.write(self._kept)
        self._kept = b""

    async def bring(self, answers: StreamReader) -> None:
        try:
            while True:
                brought = await message(answers)
                self._kept += brought
                if self._is_held and brought[:1] == READY:
                    self.is_answered.set()
                if not self._is_held:
                    self.let_go()
        finally:
            self.has_ended.set()

    def cut(self) -> None:
        self._client.close()
        self._server.close()


class Proxy:
    """Carries everybody's connections; only the writer's can be interrupted."""

    def __init__(self, dsn: str, folder: Path, chance: Random) -> None:
        self.dsn = make_conninfo(dsn, host=str(folder))
        self._real = str(Path(str(conninfo_to_dict(dsn)["host"]), SOCKET))
        self._socket = str(folder / SOCKET)
        self._chance = chance
        self._interruption: Interruption | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self._socket)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def arm(self, fault: Fault) -> Interruption:
        self._interruption = Interruption(fault)
        return self._interruption

    async def _serve(self, reader: StreamReader, client: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            # a cancelled one would be complained of by asyncio's streams
            with suppress(IncompleteReadError, ConnectionError, CancelledError):
                await self._join(reader, client)
        finally:
            self._open.discard(task)
            client.close()

    async def _join(self, reader: StreamReader, client: StreamWriter) -> None:
        hello = await greeting(reader)
        is_writer = WRITER in hello
        if is_writer and (now := self._interruption) and now.has_struck.is_set():
            now.is_back.set()
            await now.is_over.wait()
        answers, server = await asyncio.open_unix_connection(self._real)
        server.write(hello)
        if is_writer:
            line = Line(client, server)
            ways = (self._carry(line, reader), line.bring(answers))
        else:
            ways = (copy(reader, server), copy(answers, client))
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            server.close()

    async def _carry(self, line: Line, reader: StreamReader) -> None:
        async for pipeline in pipelines(reader):
            now = self._interruption
            if now is not None and now.strikes(pipeline):
                await self._interrupt(line, now, pipeline.content)
                continue
            if now is not None and now.overdue and "end" in pipeline.statements:
                now.overdue()  # at the same moment as the old backend is to end
                now.overdue = None
            line.send(pipeline.content)

    async def _interrupt(self, line: Line, now: Interruption, content: bytes) -> None:
        fault = now.fault
        part = self._chance.randrange(1, len(content)) if fault in IN_PART else 0
        line.hold()
        if fault in STORED or fault is Fault.SENT:
            line.send(content)
        elif part:
            line.send(content[:part])
        if fault in STORED:
            await line.is_answered.wait()
        if fault in CUT_AT_ONCE:
            line.cut()
        now.has_struck.set()
        await now.is_over.wait()
        match fault:
            case Fault.SLOW:
                line.send(content[part:])
                line.let_go()
            case Fault.LATE:
                line.let_go()
            case Fault.LATE_CUT:
                line.cut()
            case Fault.GIVEN_UP:
                line.let_go()  # to nobody
                await line.has_ended.wait()
            case Fault.STALE:
                now.overdue = lambda: line.send(content[part:])
                await line.has_ended.wait()


async def copy(source: StreamReader, sink: StreamWriter) -> None:
    while chunk := await source.read(CHUNK):
        sink.write(chunk)
        await sink.drain()
