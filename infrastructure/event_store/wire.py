"""One connection to PostgreSQL, driven by the event loop, a pipeline at a time.

A pipeline is one transaction and one round trip: libpq sends all its statements and
one Sync, and the server commits at the Sync unless a statement failed. Nothing here
waits for a thread, and nothing decides what a lost connection means.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Self

import psycopg
from msgspec import Struct
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

CONNECT_SECONDS = 5
ANSWER_SECONDS = 10.0  # twice the statement's own limit: then nobody is there

_GOOD = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK})
_DEADLY = frozenset({b"FATAL", b"PANIC"})  # the server ends the session after these
_BINARY = pq.Format.BINARY

Row = tuple[bytes | None, ...]


class Lost(Exception):
    """The connection went away; whether the last pipeline took effect is unknown."""


class Failed(Exception):
    """The server refused a statement; the whole pipeline was rolled back."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(f"{sqlstate}: {message}")
        self.sqlstate = sqlstate


class Backend(Struct, frozen=True):
    """A server process. The start time tells it from a later one of the same pid."""

    pid: bytes
    started: bytes


class Call(Struct, frozen=True):
    """One execution of a prepared statement, its parameters in binary."""

    statement: bytes
    parameters: tuple[bytes, ...] = ()


class Wire:
    """A connection in pipeline mode. One pipeline at a time; once lost, always lost."""

    backend: Backend

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection  # owns the socket; only its `pgconn` is driven
        self._pg = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._socket = self._pg.socket
        self._answer: asyncio.Future[list[Row]] | None = None
        self._rows: list[Row] = []
        self._failure: Failed | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._lost: str | None = None
        self._pg.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._readable)

    @classmethod
    async def open(cls, dsn: str, prepared: Mapping[bytes, str]) -> Self:
        """Connect and prepare; `Lost` when nobody answers, `Failed` when refused."""
        wire = cls(await connect(dsn))
        try:
            await wire._prepare({**prepared, b"whoami": _WHOAMI})
            ((pid, started),) = await wire.run((Call(b"whoami"),))
        except BaseException:
            wire.close()
            raise
        assert pid is not None
        assert started is not None
        wire.backend = Backend(pid, started)
        return wire

    @property
    def is_lost(self) -> bool:
        return self._lost is not None

    async def run(self, calls: Sequence[Call]) -> list[Row]:
        """Run the calls as one transaction; the rows of all of them, in order."""
        for call in calls:
            binary = (_BINARY,) * len(call.parameters)
            self._send_prepared(call, binary)
        return await self._sync()

    def close(self) -> None:
        self._lose("closed")

    async def _prepare(self, statements: Mapping[bytes, str]) -> None:
        for name, text in statements.items():
            try:
                self._pg.send_prepare(name, text.encode())
            except psycopg.OperationalError as error:
                self._lose(str(error))
        await self._sync()

    def _send_prepared(self, call: Call, formats: Sequence[int]) -> None:
        if self._lost is not None:
            raise Lost(self._lost)
        try:
            self._pg.send_query_prepared(
                call.statement, call.parameters, formats, _BINARY
            )
        except psycopg.OperationalError as error:
            self._lose(str(error))
            raise Lost(str(error)) from error

    async def _sync(self) -> list[Row]:
        if self._lost is not None:
            raise Lost(self._lost)
        assert self._answer is None, "one pipeline at a time"
        answer: asyncio.Future[list[Row]] = self._loop.create_future()
        self._answer = answer
        self._rows, self._failure = [], None
        self._deadline = self._loop.call_later(
            ANSWER_SECONDS, self._lose, f"no answer for {ANSWER_SECONDS:g} s"
        )
        try:
            self._pg.pipeline_sync()
            self._writable()
            return await answer
        except psycopg.OperationalError as error:
            self._lose(str(error))
            raise Lost(str(error)) from error
        except asyncio.CancelledError:
            self._lose("given up while an answer was due")
            raise

    def _writable(self) -> None:
        """Send what libpq still holds; wait for room in the socket for the rest."""
        try:
            is_held = self._pg.flush()
        except psycopg.OperationalError as error:
            self._lose(str(error))
            return
        if is_held:
            self._loop.add_writer(self._socket, self._writable)
        else:
            self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        try:
            self._pg.consume_input()
            while self._answer is not None and not self._pg.is_busy():
                if self._pg.status == pq.ConnStatus.BAD:
                    self._lose(self._pg.get_error_message())
                elif (result := self._pg.get_result()) is not None:
                    self._take(result)
        except psycopg.OperationalError as error:
            self._lose(str(error))

    def _take(self, result: pq.abc.PGresult) -> None:
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            self._settle()
        elif result.status in _GOOD:
            for row in range(result.ntuples):
                columns = range(result.nfields)
                self._rows.append(tuple(result.get_value(row, at) for at in columns))
        elif result.status == pq.ExecStatus.FATAL_ERROR:
            severity = result.error_field(pq.DiagnosticField.SEVERITY_NONLOCALIZED)
            sqlstate = result.error_field(pq.DiagnosticField.SQLSTATE)
            if severity in _DEADLY or sqlstate is None:
                self._lose(result.get_error_message())
            elif self._failure is None:
                self._failure = Failed(sqlstate.decode(), result.get_error_message())

    def _settle(self) -> None:
        answer, self._answer = self._answer, None
        if self._deadline is not None:
            self._deadline.cancel()
        if answer is None or answer.done():
            return
        if self._failure is not None:
            answer.set_exception(self._failure)
        else:
            answer.set_result(self._rows)

    def _lose(self, why: str) -> None:
        if self._lost is not None:
            return
        self._lost = why.strip()
        self._loop.remove_reader(self._socket)  # before the number is used again
        self._loop.remove_writer(self._socket)
        self._pg.finish()
        answer, self._answer = self._answer, None
        if self._deadline is not None:
            self._deadline.cancel()
        if answer is not None and not answer.done():
            answer.set_exception(Lost(self._lost))


_WHOAMI = """
    SELECT int4send(pid), timestamptz_send(backend_start)
    FROM pg_stat_activity WHERE pid = pg_backend_pid()
"""


async def connect(dsn: str) -> psycopg.AsyncConnection:
    """Connect, or raise `Lost`. Given up half way, the connection is still closed.

    Otherwise the server would keep a process waiting for a password for a minute.
    """
    connecting = asyncio.ensure_future(
        psycopg.AsyncConnection.connect(dsn, autocommit=True)
    )
    try:
        return await asyncio.shield(connecting)
    except psycopg.OperationalError as error:
        raise Lost(str(error)) from error
    except asyncio.CancelledError:
        connecting.add_done_callback(_hang_up)
        raise


def _hang_up(connecting: asyncio.Future[psycopg.AsyncConnection]) -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().pgconn.finish()


def with_options(dsn: str, application_name: str, **options: str) -> str:
    """Add to a connection string what a session of ours is to be like."""
    given = conninfo_to_dict(dsn)
    settings = " ".join(f"-c {name}={value}" for name, value in options.items())
    return make_conninfo(
        dsn,
        application_name=application_name,
        connect_timeout=given.get("connect_timeout", CONNECT_SECONDS),
        gssencmode="disable",
        options=f"{given.get('options', '')} {settings}".strip(),
    )
