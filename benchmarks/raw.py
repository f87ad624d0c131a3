"""What Postgres itself takes: prepared pipelines of binary arrays, one after the other.

Nothing is decided, answered or read; the tables, their indexes, the head and the
flush are those of the journal, and so is the way in which rows become arrays.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import psycopg
from msgspec.structs import replace
from psycopg import pq

from application.engine.journal import Batch, Receipt, Recorded
from infrastructure.event_store import statements
from infrastructure.event_store.wire import Call

BINARY: Final = pq.Format.BINARY
GOOD: Final = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
WRITES: Final = (b"fence", b"events", b"receipts")


class Pipeline:
    """A blocking connection: one transaction, and one round trip, a batch."""

    def __init__(self, connection: psycopg.Connection, partition: str) -> None:
        self._pg = connection.pgconn
        texts = statements.statements(partition)
        for name in WRITES:
            prepared = self._pg.prepare(name, texts[name].encode())
            assert prepared.status == pq.ExecStatus.COMMAND_OK
        self._pg.enter_pipeline_mode()

    def write(self, calls: Sequence[Call]) -> None:
        for call in calls:
            formats = (BINARY,) * len(call.parameters)
            self._pg.send_query_prepared(
                call.statement, call.parameters, formats, BINARY
            )
        self._pg.pipeline_sync()
        while True:
            result = self._pg.get_result()
            if result is None:
                continue  # the end of one statement's answer
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                return
            assert result.status in GOOD, result.get_error_message()


def read(
    connection: psycopg.Connection, partition: str, after: int
) -> tuple[tuple[Recorded, ...], tuple[Receipt, ...]]:
    """Read back what a journal has stored after a position."""
    cursor = connection.cursor(binary=True)
    cursor.execute(
        f"""SELECT notification_id, originator_id, originator_version, topic, state,
                   convert_to(envelope::text, 'UTF8')
            FROM {partition}.events WHERE notification_id > %s ORDER BY 1""",  # noqa: S608 - ours
        (after,),
    )
    events = tuple(
        Recorded(
            position=position,
            stream=stream,
            version=version,
            name=name,
            payload=payload,
            envelope=envelope,
        )
        for position, stream, version, name, payload, envelope in cursor
    )
    cursor.execute(
        f"""SELECT command_id, request_hash, status, body, position
            FROM {partition}.receipts WHERE position > %s ORDER BY position""",  # noqa: S608 - ours
        (after,),
    )
    receipts = tuple(
        Receipt(
            command_id=command_id,
            request_hash=request_hash,
            status=status,
            body=body,
            position=position,
        )
        for command_id, request_hash, status, body, position in cursor
    )
    return events, receipts


def encoded(
    events: Sequence[Recorded], receipts: Sequence[Receipt], size: int
) -> Iterable[tuple[Call, ...]]:
    """Cut the same rows into batches, as bytes ready to send to an empty log."""
    before = events[0].position - 1
    for number, start in enumerate(range(0, len(events), size), start=1):
        moved = tuple(
            replace(each, position=each.position - before)
            for each in events[start : start + size]
        )
        batch = Batch(
            number=number,
            position=moved[-1].position,
            events=moved,
            receipts=tuple(receipts[start : start + size]),
            tick_blocks=(),
        )
        yield statements.calls(batch, epoch=0)
