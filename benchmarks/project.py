"""Events a second from the log into one table: ours in pages, the library's one by one.

The smallest honest world: the same log, the same facts, the same rows of `trades`, in
one transaction with the checkpoint that makes each count once.
"""

import asyncio
from collections.abc import Iterator
from time import perf_counter
from typing import Final

import psycopg
import uvloop
from psycopg.sql import SQL

from application.catalogue import decode
from application.engine.journal import Recorded
from benchmarks import trades
from benchmarks.bench import Bench, Round
from benchmarks.lab import Database, Lab, collected_as_in_service
from benchmarks.peers import trades_projection
from benchmarks.trades import PARTITION, recorded
from domain.account.events import PositionOpened
from infrastructure.event_store.statements import bigint
from infrastructure.event_store.wire import Call, Wire, connect, with_options
from infrastructure.roles import Role
from projections.pages import PAGE
from projections.process import collect_seldom
from projections.read_positions import ReadPositions
from projections.runner import Runner
from projections.schema import READ, SHAPE, create
from projections.telling import SESSION, statements
from projections.told import told
from projections.trades import TABLE, TRADES, Trade, opened

EVENTS: Final = 50_000
PEER_EVENTS: Final = 3_000
PATIENCE_SECONDS: Final = 120.0


def rounds(lab: Lab, runs: int) -> Iterator[Round]:
    for _ in range(runs):
        with lab.database() as database:
            uvloop.run(trades.fill(database, EVENTS))
            with collected_as_in_service():
                collect_seldom()  # as the projector does
                ours = uvloop.run(project(database))
            assert counted(database) == EVENTS
        peers = {}
        for name, is_waiting in (
            ("as it comes", True),
            ("synchronous_commit off", False),
        ):
            with lab.database() as database, collected_as_in_service():
                uvloop.run(trades.fill(database, PEER_EVENTS))
                peers[name] = trades_projection.events_per_second(
                    database, PEER_EVENTS, is_waiting=is_waiting
                )
        with lab.database() as database:
            limit = uvloop.run(applied(database))
        yield Round(ours=ours, peers=peers, limit=limit)


async def project(database: Database) -> float:
    """Run the product's runner, with one table, until it has told all of the log."""
    dsn = database.dsn(Role.PROJECTOR)
    async with await connect(dsn) as connection:
        await create(connection, READ)
    read = ReadPositions(database.dsn())
    await read.start()
    runner = Runner(dsn, PARTITION, projections=(TRADES,))
    began = perf_counter()
    running = asyncio.create_task(runner.run())
    try:
        await read.wait_for(PARTITION, EVENTS, PATIENCE_SECONDS)
        return EVENTS / (perf_counter() - began)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        runner.close()
        await read.close()


async def applied(database: Database) -> float:
    """Send rows that are encoded already: nothing is read, decoded or folded."""
    dsn = database.dsn(Role.PROJECTOR)
    async with await connect(dsn) as connection:
        await create(connection, READ)
    wire = await Wire.open(
        with_options(dsn, "limit", **SESSION), statements(READ, PARTITION, (TRADES,))
    )
    place = PARTITION.encode()
    calls = (Call(b"enter", (place, SHAPE.encode())), Call(b"place", (place,)))
    ((_, oid, _),) = await wire.run(calls)
    assert oid is not None
    pages = [
        (
            Call(b"move", (place, bigint(first + PAGE), bigint(first), oid)),
            *TABLE.writing(rows(range(first, first + PAGE))),
        )
        for first in range(0, EVENTS, PAGE)
    ]
    try:
        began = perf_counter()
        for page in pages:
            await wire.run(page)
        return EVENTS / (perf_counter() - began)
    finally:
        wire.close()


def rows(numbers: range) -> list[Trade]:
    return [row(event) for event in map(recorded, numbers)]


def row(event: Recorded) -> Trade:
    fact = decode(event.name, event.payload)
    assert isinstance(fact, PositionOpened)
    place = (PARTITION, event.position, event.stream, event.version)
    return opened(told(*place, fact), fact)


def counted(database: Database) -> int:
    with psycopg.connect(database.dsn(Role.PROJECTOR)) as connection:
        row = connection.execute(SQL("SELECT count(*) FROM read.trades")).fetchone()
    assert row is not None
    return int(row[0])


BENCH: Final = Bench(
    name="project",
    unit="events/s",
    better="higher",
    peer_is="eventsourcing's ProjectionRunner, an upsert and its tracking an event",
    limit_is=f"the same rows, already encoded, in pages of {PAGE} with the same SQL",
    settings={"events": EVENTS, "peer_events": PEER_EVENTS, "page": PAGE},
    rounds=rounds,
)
