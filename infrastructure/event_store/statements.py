"""A batch in the words of PostgreSQL: the fence first, then only what is there.

The fence moves the one row of `partition_head` and raises when it did not, so a
batch is refused or stored in the very round trip that brings it.
"""

import struct
from collections.abc import Mapping

from application.engine.journal import LEASE_SECONDS, Batch, Rejected
from infrastructure.event_store import arrays
from infrastructure.event_store.wire import Call

FENCED = "TS001"  # raised by ops.fence
_CONTENT = ("22", "23", "54")  # data, integrity, limits: the value, not the moment


def is_content(sqlstate: str) -> bool:
    """Tell whether the server refused the value itself, and always would."""
    return sqlstate[:2] in _CONTENT


def statements(partition: str) -> Mapping[bytes, str]:
    """Give all that the writer's connection prepares, under its name."""
    lease = f"clock_timestamp() + interval '{LEASE_SECONDS} seconds'"
    return {
        name: text.replace("{p}", partition).replace("{lease}", lease)
        for name, text in _TEXTS.items()
    }


def lookups(partition: str) -> Mapping[bytes, str]:
    """Give what the connection prepares that finds receipts."""
    return {b"receipts_of": _RECEIPTS_OF.replace("{p}", partition)}


_RECEIPTS_OF = """
    SELECT command_id, request_hash, status, body, position
    FROM {p}.receipts WHERE command_id = ANY($1::uuid[])
"""
_TEXTS = {
    b"fence": """
        WITH moved AS (
            UPDATE {p}.partition_head
            SET batch = $1, position = $2, leased_until = {lease}
            WHERE epoch = $3 AND batch = $1 - 1::bigint
            RETURNING 1
        )
        SELECT ops.fence(count(*)) FROM moved
    """,
    b"events": """
        INSERT INTO {p}.events
        (notification_id, originator_id, originator_version, topic, state, envelope)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[],
                             $5::bytea[], $6::json[])
    """,
    b"receipts": """
        INSERT INTO {p}.receipts
        (command_id, request_hash, status, body, position)
        SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::smallint[], $4::bytea[],
                             $5::bigint[])
    """,
    b"ticks": """
        INSERT INTO {p}.tick_blocks
        (venue_id, number, first_sequence, last_sequence, engine_from, engine_to,
         body, sha256, previous_sha256)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[],
                             $5::timestamptz[], $6::timestamptz[],
                             $7::bytea[], $8::bytea[], $9::bytea[])
    """,
    b"head": """
        SELECT epoch, batch, position FROM {p}.partition_head FOR UPDATE
    """,
    b"take": """
        UPDATE {p}.partition_head SET epoch = epoch + 1
        RETURNING epoch, batch, position, greatest(
            0, extract(epoch FROM leased_until - clock_timestamp()) * 1000
        )::bigint
    """,
    b"renew": """
        WITH moved AS (
            UPDATE {p}.partition_head SET leased_until = {lease}
            WHERE epoch = $1::bigint
            RETURNING 1
        )
        SELECT ops.fence(count(*)) FROM moved
    """,
    b"release": """
        UPDATE {p}.partition_head SET leased_until = clock_timestamp()
        WHERE epoch = $1::bigint
    """,
    # True once the process is gone, also when it was gone before.
    b"end": """
        SELECT coalesce(bool_and(pg_terminate_backend(pid, 2000)), true)
        FROM pg_stat_activity
        WHERE pid = $1::int AND backend_start = $2::timestamptz
    """,
    # Writers of this partition that hold the head while they are not answering.
    b"end_rivals": """
        SELECT coalesce(bool_and(pg_terminate_backend(pid, 2000)), true)
        FROM pg_stat_activity
        WHERE application_name = current_setting('application_name')
          AND datname = current_database() AND usename = current_user
          AND pid <> pg_backend_pid()
    """,
}


def calls(batch: Batch, epoch: int) -> tuple[Call, ...]:
    """Encode a batch once; submitting it again sends the same bytes."""
    try:
        return tuple(_calls(batch, epoch))
    except (ValueError, OverflowError, struct.error) as error:  # no column holds it
        raise Rejected(str(error)) from error


def _calls(batch: Batch, epoch: int) -> list[Call]:
    sent = [Call(b"fence", tuple(map(bigint, (batch.number, batch.position, epoch))))]
    if events := batch.events:
        columns = (
            arrays.bigints([event.position for event in events]),
            arrays.texts([event.stream for event in events]),
            arrays.bigints([event.version for event in events]),
            arrays.texts([event.name for event in events]),
            arrays.byteas([event.payload for event in events]),
            arrays.jsons([event.envelope for event in events]),
        )
        sent.append(Call(b"events", columns))
    if receipts := batch.receipts:
        columns_of_receipts = (
            arrays.uuids([receipt.command_id for receipt in receipts]),
            arrays.byteas([receipt.request_hash for receipt in receipts]),
            arrays.smallints([receipt.status for receipt in receipts]),
            arrays.byteas([receipt.body for receipt in receipts]),
            arrays.bigints([receipt.position for receipt in receipts]),
        )
        sent.append(Call(b"receipts", columns_of_receipts))
    if blocks := batch.tick_blocks:
        columns_of_ticks = (
            arrays.texts([block.venue_id for block in blocks]),
            arrays.bigints([block.number for block in blocks]),
            arrays.bigints([block.first_sequence for block in blocks]),
            arrays.bigints([block.last_sequence for block in blocks]),
            arrays.instants([block.engine_from for block in blocks]),
            arrays.instants([block.engine_to for block in blocks]),
            arrays.byteas([block.body for block in blocks]),
            arrays.byteas([block.sha256 for block in blocks]),
            arrays.byteas([block.previous_sha256 for block in blocks]),
        )
        sent.append(Call(b"ticks", columns_of_ticks))
    return sent


def bigint(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)
