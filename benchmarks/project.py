"""Events a second from the log into one table: ours in pages, the library's one by one.

The smallest honest world: the same log, the same facts, the same rows of `trades`, in
one transaction with the checkpoint that makes each count once.
"""

import asyncio
from collections.abc import Iterator
from time import perf_counter
from typing import Final

import msgspec
import psycopg
import uvloop
from psycopg.sql import SQL

from application.engine.journal import Recorded
from benchmarks import trades
from benchmarks.bench import Bench, Round
from benchmarks.lab import Database, Lab, collected_as_in_service
from benchmarks.peers import trades_projection
from benchmarks.trades import PARTITION, recorded
from domain.account.events import PositionOpened
from infrastructure.event_store.wire import connect
from infrastructure.roles import Role
from projections.read_positions import ReadPositions
from projections.runner import PAGE, Runner
from projections.schema import READ, create, move_to, position_of
from projections.told import told
from projections.trades import TABLE, TRADES, opened

EVENTS: Final = 50_000
PEER_EVENTS: Final = 2_000
PATIENCE_SECONDS: Final = 120.0


def rounds(lab: Lab, runs: int) -> Iterator[Round]:
    for _ in range(runs):
        with lab.database() as database:
            uvloop.run(trades.fill(database, EVENTS))
            with collected_as_in_service():
                ours = uvloop.run(project(database))
            assert counted(database) == EVENTS
        peers = {}
        for name, is_waiting in (
            ("as it comes", True),
            ("synchronous_commit off", False),
        ):
            with lab.database() as database:
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
        await runner.close()
        await read.close()


async def applied(database: Database) -> float:
    """Send rows that are already JSON: nothing is read, decoded or folded."""
    pages = [rows(range(start, start + PAGE)) for start in range(0, EVENTS, PAGE)]
    upsert = TABLE.upsert(READ)
    async with await connect(database.dsn(Role.PROJECTOR)) as connection:
        await connection.execute("SET synchronous_commit = off")
        await create(connection, READ)
        began = perf_counter()
        for number, page in enumerate(pages, start=1):
            async with connection.transaction():
                await position_of(connection, READ, PARTITION)
                await connection.execute(upsert, (page,))
                await move_to(connection, READ, PARTITION, number * PAGE)
        return EVENTS / (perf_counter() - began)


def rows(numbers: range) -> str:
    page: list[Recorded] = [recorded(number) for number in numbers]
    written = [
        opened(each, each.fact)
        for each in told(PARTITION, page)
        if isinstance(each.fact, PositionOpened)
    ]
    return msgspec.json.encode(written).decode()


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
    limit_is=f"the same rows, already JSON, in pages of {PAGE} with the same SQL",
    settings={"events": EVENTS, "peer_events": PEER_EVENTS, "page": PAGE},
    rounds=rounds,
)
