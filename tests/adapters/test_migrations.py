"""The schema goes up, down and up again, and a second run has nothing to do."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from infrastructure import migrate
from infrastructure.embedded.servers import Servers
from infrastructure.roles import Role
from tests.databases import Database


@pytest.fixture
def empty(servers: Servers) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    maintenance = servers.database_url(Role.OWNER, "postgres")
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    yield servers.database_url(Role.OWNER, name)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        drop = SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name))
        connection.execute(drop)


def test_up_down_and_up_again(empty: str) -> None:
    files = sorted(migrate.MIGRATIONS.glob("*.sql"))

    assert migrate.migrate(empty).count("Applied:") == len(files)
    assert "Pending: 0" in migrate.status(empty)
    assert migrate.migrate(empty) == ""
    for _ in files:
        migrate.down(empty)
    assert f"Pending: {len(files)}" in migrate.status(empty)
    migrate.migrate(empty)


def test_a_refused_migration_says_why(empty: str) -> None:
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA identity")

    with pytest.raises(migrate.MigrationFailed, match='"identity" already exists'):
        migrate.migrate(empty)


def test_a_partition_is_added_by_its_name_and_by_nothing_else(
    database: Database,
) -> None:
    database.execute("SELECT ops.create_partition('p2')")

    assert database.execute("SELECT position FROM p2.partition_head") == [(0,)]
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        database.execute("SELECT ops.create_partition('p3; DROP SCHEMA p1')")


@pytest.mark.parametrize(
    ("dsn", "url"),
    [
        (
            "host=/run/pg user=ts_owner dbname=tradesense password=a/b",
            "postgres://ts_owner:a%2Fb@/tradesense?socket=%2Frun%2Fpg&port=5432",
        ),
        (
            "postgresql://ts_owner@db:6432/firm?sslmode=require",
            "postgres://ts_owner@db:6432/firm?sslmode=require",
        ),
    ],
)
def test_an_address_is_spelt_as_dbmate_reads_it(dsn: str, url: str) -> None:
    assert migrate.url(dsn) == url
