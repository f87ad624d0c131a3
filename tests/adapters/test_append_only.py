"""Facts are only ever added: what each role is denied, by grants and by triggers."""

from typing import LiteralString

import psycopg
import pytest

from infrastructure.roles import Role
from tests.databases import Database

DENIED = psycopg.errors.InsufficientPrivilege
FACTS: tuple[LiteralString, ...] = ("p1.events", "p1.tick_blocks", "p1.receipts")
COLUMN: dict[str, LiteralString] = {"p1.events": "state"}
CHANGES: tuple[LiteralString, ...] = (
    "UPDATE {} SET {column} = ''",
    "DELETE FROM {}",
    "TRUNCATE {}",
    "TRUNCATE {} CASCADE",
    "ALTER TABLE {} DISABLE TRIGGER ALL",
    "ALTER TABLE {} ADD COLUMN note text",
    "ALTER TABLE {} OWNER TO ts_app",
    "DROP TABLE {}",
    "CREATE TRIGGER mine BEFORE INSERT ON {} EXECUTE FUNCTION ops.refuse_change()",
    "CREATE INDEX mine ON {} ({column})",
    "SELECT * FROM {} FOR UPDATE",
    "DO $$ BEGIN LOCK TABLE {} IN EXCLUSIVE MODE; END $$",
)
ELEVATIONS: tuple[LiteralString, ...] = (
    "SET ROLE ts_owner",
    "SET ROLE ts_bootstrap",
    "SET SESSION AUTHORIZATION ts_owner",
    "SET session_replication_role = replica",
    "ALTER ROLE ts_app SUPERUSER",
    "CREATE ROLE mine",
    "GRANT ts_owner TO ts_app",
    "CREATE SCHEMA mine",
    "CREATE TABLE p1.mine (x int)",
    "CREATE TABLE public.mine (x int)",
    "DROP SCHEMA p1 CASCADE",
    "DROP FUNCTION ops.refuse_change()",
    "SELECT ops.create_partition('p9')",
    "DELETE FROM p1.partition_head",
    "TRUNCATE p1.partition_head",
    "INSERT INTO p1.partition_head VALUES (true, 1, 1, 1)",
    "COPY p1.events TO '/tmp/events'",
)


@pytest.mark.parametrize("table", FACTS)
def test_the_application_cannot_change_what_is_recorded(
    database: Database, table: LiteralString
) -> None:
    column = COLUMN.get(table, "body")
    with psycopg.connect(database.dsn(Role.APP), autocommit=True) as connection:
        connection.execute("GRANT ALL ON " + table + " TO ts_app")  # only warns
        for change in CHANGES:
            with pytest.raises(DENIED):
                connection.execute(
                    change.replace("{}", table).replace("{column}", column)
                )


def test_the_application_cannot_become_another_or_make_its_own(
    database: Database,
) -> None:
    with psycopg.connect(database.dsn(Role.APP), autocommit=True) as connection:
        for elevation in ELEVATIONS:
            with pytest.raises(psycopg.errors.ProgrammingError) as denial:
                connection.execute(elevation)
            assert isinstance(
                denial.value,
                (DENIED, psycopg.errors.InvalidSchemaName),
            ), elevation


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE p1.events SET topic = 'other'",
        "DELETE FROM p1.events",
        "TRUNCATE p1.events",
        "UPDATE p1.tick_blocks SET body = ''",
        "DELETE FROM p1.tick_blocks",
        "TRUNCATE p1.tick_blocks",
        "UPDATE p1.receipts SET body = ''",
        "TRUNCATE p1.receipts",
    ],
)
def test_a_trigger_stops_even_the_owner(
    database: Database, change: LiteralString
) -> None:
    with pytest.raises(DENIED, match="facts are only ever added"):
        database.execute(change)


def test_the_owner_may_delete_old_receipts(database: Database) -> None:
    database.execute(
        "DELETE FROM p1.receipts WHERE recorded_at < now() - interval '30 days'"
    )


@pytest.mark.parametrize("role", [Role.PROJECTOR, Role.ANALYST, Role.AUDITOR])
def test_readers_of_the_log_add_nothing_to_it(database: Database, role: Role) -> None:
    with psycopg.connect(database.dsn(role), autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        for table in (*FACTS, "p1.partition_head", "identity.people"):
            for change in ("INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}"):
                with pytest.raises(DENIED):
                    connection.execute(change.replace("{}", table))


def test_the_auditor_reads_the_log_as_json_and_the_analyst_does_not_read_it(
    database: Database,
) -> None:
    database.execute(
        "INSERT INTO p1.events VALUES (1, 1, 'account-a', 'account.opened/1', %s)",
        b'{"deposit":"100000.00"}',
        role=Role.APP,
    )

    read = database.execute(
        "SELECT position, stream, event, state->>'deposit' FROM p1.event_log",
        role=Role.AUDITOR,
    )

    assert read == [(1, "account-a", "account.opened/1", "100000.00")]
    with pytest.raises(DENIED):
        database.execute("SELECT * FROM p1.event_log", role=Role.ANALYST)
    with pytest.raises(DENIED):
        database.execute("SELECT * FROM identity.people", role=Role.AUDITOR)


def test_tables_of_the_projector_are_readable_and_no_more(database: Database) -> None:
    database.execute("CREATE TABLE read.board (rank int)", role=Role.PROJECTOR)

    for role in (Role.APP, Role.ANALYST, Role.AUDITOR):
        assert database.execute("SELECT * FROM read.board", role=role) == []
        with pytest.raises(psycopg.errors.Error):
            database.execute("INSERT INTO read.board VALUES (1)", role=role)


def test_a_statement_of_the_application_has_an_end(database: Database) -> None:
    assert database.execute("SHOW statement_timeout", role=Role.APP) == [("5s",)]
    assert database.execute("SHOW lock_timeout", role=Role.APP) == [("2s",)]


def test_a_reader_can_hold_nobody_up(database: Database) -> None:
    for call in ("pg_sleep(1)", "pg_advisory_lock(1)", "pg_notify('ts_p1', '1')"):
        with pytest.raises(DENIED):
            database.execute("SELECT " + call, role=Role.ANALYST)
