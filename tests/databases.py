"""A database of its own for each test: migrated once a run, then copied."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from msgspec import Struct
from psycopg.sql import SQL, Identifier

from infrastructure.embedded.servers import Servers
from infrastructure.migrate import MIGRATIONS, migrate
from infrastructure.roles import Role

TEMPLATE_LOCK = 20_260_101  # any number; workers that want the template queue here


class Database(Struct, frozen=True):
    """One migrated, empty database; `dsn(role)` is how each role gets in."""

    name: str
    servers: Servers

    def dsn(self, role: Role = Role.APP) -> str:
        return self.servers.database_url(role, self.name)

    def execute(
        self, query: LiteralString, *parameters: object, role: Role = Role.OWNER
    ) -> list[tuple[object, ...]]:
        """Run one statement as `role`, for arranging and for looking."""
        with psycopg.connect(self.dsn(role), autocommit=True) as connection:
            cursor = connection.execute(query, parameters or None)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def template(servers: Servers) -> str:
    """Name the migrated database that all others are copied from."""
    content = b"".join(path.read_bytes() for path in sorted(MIGRATIONS.glob("*.sql")))
    name = f"template_{sha256(content).hexdigest()[:12]}"
    with psycopg.connect(_maintenance(servers), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (TEMPLATE_LOCK,))
        found = connection.execute(
            "SELECT FROM pg_database WHERE datname = %s", (name,)
        ).fetchone()
        if found is None:
            unready = f"{name}_unready"
            connection.execute(_sql("DROP DATABASE IF EXISTS {}", unready))
            connection.execute(_sql("CREATE DATABASE {}", unready))
            migrate(servers.database_url(Role.OWNER, unready))
            connection.execute(_sql("ALTER DATABASE {} RENAME TO {}", unready, name))
    return name


@pytest.fixture
def database(servers: Servers, template: str) -> Iterator[Database]:
    """Copy the template for one test; drop the copy when the test has ended."""
    with copied(servers, template) as database:
        yield database


@contextmanager
def copied(servers: Servers, template: str) -> Iterator[Database]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(_maintenance(servers), autocommit=True) as connection:
        connection.execute(
            _sql("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log", name, template)
        )
        connection.execute(_sql("REVOKE ALL ON DATABASE {} FROM PUBLIC", name))
        everybody = SQL(", ").join(map(Identifier, Role))
        connection.execute(
            SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                Identifier(name), everybody
            )
        )
    yield Database(name, servers)
    # A connection of another role may be closing still, and the owner ends nobody
    # else's: what it holds then goes with the servers, at the end of the run.
    with (
        suppress(psycopg.errors.InsufficientPrivilege),
        psycopg.connect(_maintenance(servers), autocommit=True) as connection,
    ):
        connection.execute(_sql("DROP DATABASE {} WITH (FORCE)", name))


def _maintenance(servers: Servers) -> str:
    return servers.database_url(Role.OWNER, "postgres")


def _sql(text: LiteralString, *names: str) -> psycopg.sql.Composed:
    return SQL(text).format(*map(Identifier, names))
