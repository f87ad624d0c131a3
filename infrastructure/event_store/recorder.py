"""The library's door to our log: its classes, our table, our positions.

For tools and applications of the `eventsourcing` library. Configured by environment:
`PERSISTENCE_MODULE=infrastructure.event_store.recorder`, `POSTGRES_SCHEMA=p1` and the
library's other `POSTGRES_` names. Whoever records through this door takes the
partition: the engine that wrote before is fenced, instead of meeting strange positions.
"""

from collections.abc import Sequence

from eventsourcing import postgres  # the library wants one factory in a module
from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import Environment, EnvType
from psycopg.sql import SQL, Identifier

from infrastructure.event_store.hints import channel

EVENTS = "events"


class LogRecorder(postgres.PostgresApplicationRecorder):
    """Inserts under the lock of the head, so that commits follow the positions."""

    def __init__(
        self, datastore: postgres.PostgresDatastore, *, events_table_name: str = EVENTS
    ) -> None:
        if datastore.enable_db_functions:
            message = "POSTGRES_ENABLE_DB_FUNCTIONS lets readers skip events"
            raise ValueError(message)
        super().__init__(datastore, events_table_name=events_table_name)
        schema = Identifier(datastore.schema)
        self.channel_name = channel(datastore.schema)
        self._advance = SQL(
            "UPDATE {}.partition_head SET epoch = epoch + 1, batch = batch + 1,"
            " position = position + %s RETURNING position"
        ).format(schema)
        self._insert = SQL(
            "INSERT INTO {}.events"
            " (notification_id, originator_id, originator_version, topic, state)"
            " SELECT * FROM"
            " unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::bytea[])"
        ).format(schema)

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **_: object
    ) -> Sequence[int] | None:
        """Record all or nothing. Never repeated by itself after a lost answer."""
        if not stored_events:
            return None
        count = len(stored_events)
        with self.datastore.transaction(commit=True) as cursor:
            row = cursor.execute(self._advance, (count,)).fetchone()
            assert row is not None
            last = row["position"]
            positions = list(range(last - count + 1, last + 1))
            columns = (
                positions,
                [str(event.originator_id) for event in stored_events],
                [event.originator_version for event in stored_events],
                [event.topic for event in stored_events],
                [event.state for event in stored_events],
            )
            cursor.execute(self._insert, columns)
        with self.datastore.get_connection() as connection:
            connection.execute(
                "SELECT pg_notify(%s, %s)", (self.channel_name, str(last))
            )
        return positions

    def create_table(self) -> None:
        """Leave it to the migrations, which made the table."""


class Factory(postgres.PostgresFactory):
    """Found by the library in the module that `PERSISTENCE_MODULE` names."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self.datastore.originator_id_type = "text"

    def application_recorder(self) -> LogRecorder:
        return LogRecorder(self.datastore)
