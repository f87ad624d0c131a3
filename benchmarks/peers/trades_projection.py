"""The table of trades, told event by event by the library's own projection runner.

It reads the log of ours through the library's recorder, decodes the same facts and
writes the same rows: what differs is that each event has a transaction of its own.
"""

from time import perf_counter
from typing import Any, Final
from uuid import UUID

import psycopg
from eventsourcing.application import Application
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import get_topic
from psycopg.sql import SQL, Identifier

from benchmarks.lab import Database
from benchmarks.peers.library import environment
from benchmarks.trades import PARTITION, create_table
from domain.account.events import PositionOpened
from infrastructure.event_store.mapper import FactMapper, Told
from infrastructure.roles import Role
from projections import told
from projections.trades import TABLE, Trade, opened

SCHEMA: Final = "peer"
PATIENCE_SECONDS: Final = 600.0
NAMES: Final = [column.name for column in TABLE.columns]
UPSERT: Final = SQL(
    "INSERT INTO {} VALUES ({}) ON CONFLICT (trade_id) DO UPDATE SET {}"
).format(
    Identifier(SCHEMA, TABLE.name),
    SQL(", ").join(SQL("%s") for _ in NAMES),
    SQL(", ").join(
        SQL("{0} = EXCLUDED.{0}").format(Identifier(name)) for name in NAMES
    ),
)


class TradesView(PostgresTrackingRecorder):
    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the library's
        super().__init__(*args, **kwargs)
        self.first_at = self.last_at = 0.0

    def put(self, trade: Trade, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            values = [getattr(trade, name) for name in NAMES]
            cursor.execute(UPSERT, values, prepare=True)
        self.last_at = perf_counter()
        self.first_at = self.first_at or self.last_at


class Trades(Projection[TradesView]):
    name = "trades"

    def process_event(self, domain_event: Told, tracking: Tracking) -> None:
        assert isinstance(domain_event.fact, PositionOpened)
        self.view.put(
            opened(placed(domain_event, tracking), domain_event.fact), tracking
        )


def placed(event: Told, tracking: Tracking) -> told.Told:
    place = (tracking.notification_id, event.originator_id, event.originator_version)
    return told.told(PARTITION, *place, event.fact)


class Facts(Application[UUID]):
    name = "facts"


def events_per_second(database: Database, events: int, *, is_waiting: bool) -> float:
    """Tell a table of all events of a log; commits are waited for, or not."""
    with psycopg.connect(database.dsn(Role.OWNER), autocommit=True) as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(SCHEMA)))
        create_table(connection, SCHEMA)
        if not is_waiting:
            connection.execute(
                SQL("ALTER DATABASE {} SET synchronous_commit = off").format(
                    Identifier(database.name)
                )
            )
    settings = environment(database, connections=2) | {
        "POSTGRES_SCHEMA": SCHEMA,
        "FACTS_PERSISTENCE_MODULE": "infrastructure.event_store.recorder",
        "FACTS_POSTGRES_SCHEMA": PARTITION,
        "FACTS_MAPPER_TOPIC": get_topic(FactMapper),
    }
    with ProjectionRunner[Facts, TradesView](
        application_class=Facts,
        projection_class=Trades,
        view_class=TradesView,
        env=settings,
    ) as runner:
        runner.wait(events, timeout=PATIENCE_SECONDS)  # looks ten times a second
        view = runner.view
        return (events - 1) / (view.last_at - view.first_at)  # it need not start up
