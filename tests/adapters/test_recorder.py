"""The library's own test cases pass on our log, and its applications read it."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.tests.persistence import ApplicationRecorderTestCase
from psycopg.conninfo import conninfo_to_dict

from application import catalogue
from application.engine.journal import Fenced
from domain.venue.events import ClockAdvanced
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.event_store.mapper import FactMapper, Told
from infrastructure.event_store.recorder import Factory, LogRecorder
from infrastructure.roles import Role
from tests.adapters.batches import NOON, batch_after, batch_of, head_after, recorded
from tests.adapters.reading import read_all
from tests.databases import Database

FACT = ClockAdvanced(at=NOON)


class TestLibraryCases(ApplicationRecorderTestCase[LogRecorder]):
    """The library's cases for a recorder of an application, as they are."""

    @pytest.fixture(autouse=True)
    def _on(self, database: Database) -> Iterator[None]:
        self.factory = Factory(environment(database))
        with self.factory:
            yield

    def create_recorder(self) -> LogRecorder:
        return self.factory.application_recorder()

    def new_originator_id(self) -> str:
        return f"account-{uuid4()}"

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


async def test_a_plain_application_reads_what_the_engine_wrote(
    database: Database,
) -> None:
    journal = PostgresJournal(database.dsn(), "p1")
    await journal.commit(batch_after(await journal.take(), 25))
    await journal.close()

    application = Application[str](env=environment(database, role=Role.PROJECTOR))

    section = application.notification_log["1,10"]
    assert [item.id for item in section.items] == list(range(1, 11))
    assert section.next_id == "11,20"
    rest = application.notification_log.select(start=21, limit=10)
    assert [item.topic for item in rest] == ["account.position-opened/1"] * 5
    assert rest[0].state == recorded(21).payload
    assert application.recorder.max_notification_id() == 25
    application.close()


async def test_facts_go_through_the_library_and_come_back(database: Database) -> None:
    names = {"MAPPER_TOPIC": f"{FactMapper.__module__}:{FactMapper.__name__}"}
    application = Application[str](env=environment(database) | names)
    told = Told(originator_id="venue-live", originator_version=1, fact=FACT)

    application.events.put([told])

    assert list(application.events.get("venue-live")) == [told]
    application.close()
    journal = PostgresJournal(database.dsn(), "p1")
    (written,) = [event async for event in journal.stream("venue-live")]
    assert written.name == catalogue.name_of(FACT)
    assert catalogue.decode(written.name, written.payload) == FACT
    await journal.close()


async def test_whoever_records_through_the_library_fences_the_engine(
    database: Database,
) -> None:
    journal = PostgresJournal(database.dsn(), "p1")
    head = await journal.take()
    first = batch_after(head)
    await journal.commit(first)
    with Factory(environment(database)) as factory:
        mapper = FactMapper(transcoder=factory.transcoder())
        stored = mapper.to_stored_event(
            Told(originator_id="venue-live", originator_version=1, fact=FACT)
        )
        assert factory.application_recorder().insert_events([stored]) == [2]
        with pytest.raises(IntegrityError):
            factory.application_recorder().insert_events([stored])

    with pytest.raises(Fenced):
        await journal.commit(
            batch_of(head_after(head, first), (recorded(2, "account-late"),))
        )
    await journal.close()


async def test_recorders_side_by_side_never_let_a_reader_skip(
    database: Database,
) -> None:
    """The library's door has many writers: the head's row puts them in order."""
    database.execute("""
        CREATE FUNCTION ops.dawdle() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN PERFORM pg_sleep(random() * 0.01); RETURN NULL; END'
    """)
    database.execute("GRANT EXECUTE ON FUNCTION ops.dawdle() TO ts_app")
    database.execute("""
        CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON p1.events
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ops.dawdle()
    """)

    async with asyncio.timeout(30):
        read = asyncio.create_task(read_all(database, "p1", until=4 * 20))
        await asyncio.gather(
            *(asyncio.to_thread(record, database, f"writer-{n}", 20) for n in range(4))
        )

        assert await read == list(range(1, 4 * 20 + 1))


def test_the_functions_that_let_readers_skip_are_refused(database: Database) -> None:
    switched_on = environment(database) | {"POSTGRES_ENABLE_DB_FUNCTIONS": "yes"}

    with Factory(switched_on) as factory, pytest.raises(ValueError, match="skip"):
        factory.application_recorder()


def environment(database: Database, role: Role = Role.APP) -> dict[str, str]:
    at = conninfo_to_dict(database.dsn(role))
    return {
        "PERSISTENCE_MODULE": "infrastructure.event_store.recorder",
        "POSTGRES_DBNAME": str(at["dbname"]),
        "POSTGRES_HOST": str(at["host"]),
        "POSTGRES_PORT": str(at.get("port", 5432)),
        "POSTGRES_USER": str(at["user"]),
        "POSTGRES_PASSWORD": str(at["password"]),
        "POSTGRES_SCHEMA": "p1",
        "POSTGRES_POOL_SIZE": "1",
    }


def record(database: Database, stream: str, count: int) -> None:
    with Factory(environment(database)) as factory:
        recorder = factory.application_recorder()
        for version in range(1, count + 1):
            recorder.insert_events([StoredEvent(stream, version, "a/1", b"{}")])
