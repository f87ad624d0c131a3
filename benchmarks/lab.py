"""The bundled Postgres in a folder of its own, as the product runs it: fsync on."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final, LiteralString
from uuid import uuid4

import psycopg
from msgspec import Struct
from msgspec.structs import replace
from psycopg.sql import SQL, Identifier

from infrastructure.embedded.profiles import RUN
from infrastructure.embedded.servers import Servers, acquire, discard
from infrastructure.migrate import migrate
from infrastructure.roles import Role

PROJECT: Final = Path(__file__).parent.parent
PROFILE: Final = replace(RUN, owner_creates_databases=True)
SYNCS: Final = 500
PAGE_OF_WAL: Final = 8_192


class Lab:
    """Fresh databases, each for one turn of one contestant."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    @contextmanager
    def database(self, *, is_ours: bool = True) -> Iterator["Database"]:
        """Make a database, migrated when it is for us; drop it in the end."""
        name = f"bench_{uuid4().hex}"
        database = Database(name, self._servers)
        self._maintain("CREATE DATABASE {}", name)
        try:
            if is_ours:
                migrate(database.dsn(Role.OWNER))
            yield database
        finally:
            # A connection of another role may be closing still, and the owner ends
            # nobody else's: what it holds then goes with the servers.
            with suppress(psycopg.errors.InsufficientPrivilege):
                self._maintain("DROP DATABASE {} WITH (FORCE)", name)

    def setting(self, name: LiteralString) -> str:
        with self._connect() as connection:
            row = connection.execute(SQL("SHOW {}").format(SQL(name))).fetchone()
        assert row is not None
        return str(row[0])

    def _maintain(self, statement: LiteralString, name: str) -> None:
        with self._connect() as connection:
            connection.execute(SQL(statement).format(Identifier(name)))

    def _connect(self) -> psycopg.Connection:
        dsn = self._servers.database_url(Role.OWNER, "postgres")
        return psycopg.connect(dsn, autocommit=True)


class Database(Struct, frozen=True):
    name: str
    servers: Servers

    def dsn(self, role: Role = Role.APP) -> str:
        return self.servers.database_url(role, self.name)


@contextmanager
def lab() -> Iterator[Lab]:
    """Start the servers, and throw them away with all that they kept."""
    with TemporaryDirectory(prefix=".tradesense-bench-", dir=PROJECT) as folder:
        Path(folder).chmod(0o711)  # the servers' user passes through
        data = Path(folder, "data")
        try:
            with acquire(data, PROFILE) as servers:
                yield Lab(servers)
        finally:
            discard(data)


def fdatasyncs_per_second() -> float:
    """How often this disk lets a log grow by a page and be sure of it."""
    with TemporaryDirectory(prefix=".tradesense-bench-", dir=PROJECT) as folder:
        file = os.open(Path(folder, "wal"), os.O_WRONLY | os.O_CREAT)
        try:
            os.posix_fallocate(file, 0, SYNCS * PAGE_OF_WAL)
            os.fsync(file)
            began = perf_counter()
            for number in range(SYNCS):
                os.pwrite(file, bytes(PAGE_OF_WAL), number * PAGE_OF_WAL)
                os.fdatasync(file)
            return SYNCS / (perf_counter() - began)
        finally:
            os.close(file)


@contextmanager
def collected_as_in_service() -> Iterator[None]:
    """Collect garbage as `api/asgi.py` does; then again as it was."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(1000, 10, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
