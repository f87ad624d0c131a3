"""A go-between on a Unix socket that cuts the writer's connection where it is told."""

import asyncio
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

SOCKET = ".s.PGSQL.5432"
BIND = b"B"  # the message that a batch begins with


class Cut(Enum):
    BEFORE = "the batch never arrives"
    HALFWAY = "half of the batch arrives"
    SENT = "the batch arrives, and the line goes at once"
    ANSWER = "the batch is stored, and the answer is lost"


class Cutter:
    """Cuts once when armed; refuses everybody while it is not `is_up`."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self._real = str(Path(str(conninfo_to_dict(dsn)["host"]), SOCKET))
        self._folder = folder
        self.dsn = make_conninfo(dsn, host=str(folder))
        self.armed: Cut | None = None
        self.cuts = 0
        self.is_up = True
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        path = str(self._folder / SOCKET)
        self._server = await asyncio.start_unix_server(self._serve, path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            if self.is_up:
                await self._join(reader, writer)
        finally:
            self._open.discard(task)
            writer.close()

    async def _join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        greeting = await reader.read(65_536)
        is_journal = b"journal-" in greeting
        to, back = await asyncio.open_unix_connection(self._real)
        back.write(greeting)
        cutting = asyncio.Event()
        ways = {
            asyncio.create_task(
                self._carry(reader, back, cutting, is_journal=is_journal)
            ),
            asyncio.create_task(self._bring(to, writer, cutting)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            back.close()

    async def _carry(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        cutting: asyncio.Event,
        *,
        is_journal: bool,
    ) -> None:
        while chunk := await source.read(65_536):
            cut = None
            if is_journal and chunk[:1] == BIND and b"fence" in chunk[:64]:
                cut, self.armed = self.armed, None
            self.cuts += cut is not None
            match cut:
                case Cut.BEFORE:
                    return
                case Cut.HALFWAY:
                    sink.write(chunk[: len(chunk) // 2])
                    await sink.drain()
                    return
                case Cut.SENT:
                    sink.write(chunk)
                    await sink.drain()
                    return
                case Cut.ANSWER:
                    cutting.set()
            sink.write(chunk)
            await sink.drain()

    async def _bring(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        cutting: asyncio.Event,
    ) -> None:
        with suppress(ConnectionError):
            while chunk := await source.read(65_536):
                if cutting.is_set():
                    return
                sink.write(chunk)
                await sink.drain()
