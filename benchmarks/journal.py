"""Commands a second: decided by the rules, stored with a receipt, then answered."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from time import perf_counter
from typing import Final

import psycopg
import uvloop
from msgspec import Struct

from application.engine.draft import Draft
from benchmarks import raw
from benchmarks.bench import Bench, Round
from benchmarks.floor import ACCOUNTS, PARTITION, floor
from benchmarks.lab import Database, Lab, collected_as_in_service
from benchmarks.peers import accounts, msgspec_accounts
from benchmarks.peers.closed_loop import Desk, commands_per_second
from infrastructure.roles import Role

COMMANDS: Final = 10_000
PEER_COMMANDS: Final = 2_000
Opens = Callable[[Database, int], AbstractContextManager[Desk]]

THREADS: Final = (1, 8, 16)
EVENTS: Final[dict[str, Opens]] = {
    "default events": accounts.desk,
    "msgspec events": msgspec_accounts.desk,
}


class Ours(Struct, frozen=True):
    commands_per_second: float
    mean_batch: float
    began_after: int  # a position


def rounds(clients: int, lab: Lab, runs: int) -> Iterator[Round]:
    for _ in range(runs):
        with lab.database() as database:
            with collected_as_in_service():
                ours = uvloop.run(trade(database, clients))
            peers = {
                f"{events}, {threads} threads": peer(lab, events, threads, clients)
                for events in EVENTS
                for threads in THREADS
            }
            limit = inserted(lab, database, ours)
            bare = inserted(lab, database, ours, is_encoded=True)
        yield Round(
            ours=ours.commands_per_second,
            peers=peers,
            limit=limit,
            settings={"mean_batch": ours.mean_batch, "limit_encoded_before": bare},
        )


async def trade(database: Database, clients: int) -> Ours:
    async with floor(database) as here:
        await here.trade_in_turns(clients, ACCOUNTS)  # warm, and one position each
        batches: list[int] = []

        def note(draft: Draft) -> None:
            batches.append(len(draft.events))

        engine = here.host.engine
        engine.on_commit.append(note)
        after = engine.head.position
        orders = [here.order() for _ in range(COMMANDS)]
        began = perf_counter()
        await here.send_in_turns(clients, orders)
        seconds = perf_counter() - began
        assert sum(batches) == COMMANDS
        return Ours(COMMANDS / seconds, COMMANDS / len(batches), after)


def peer(lab: Lab, events: str, threads: int, clients: int) -> float:
    with (
        lab.database(is_ours=False) as database,
        EVENTS[events](database, threads) as desk,
    ):
        return commands_per_second(desk, threads, clients, PEER_COMMANDS)


def inserted(
    lab: Lab, stored: Database, ours: Ours, *, is_encoded: bool = False
) -> float:
    """Insert the rows that ours has just stored, in batches as large as its own.

    They become arrays on the way, or, where `is_encoded`, before the clock starts.
    """
    with psycopg.connect(stored.dsn(Role.APP)) as connection:
        events, receipts = raw.read(connection, PARTITION, ours.began_after)
    assert len(events) == len(receipts) == COMMANDS
    batches = raw.encoded(events, receipts, round(ours.mean_batch))
    if is_encoded:
        batches = list(batches)
    with (
        lab.database() as database,
        psycopg.connect(database.dsn(Role.APP), autocommit=True) as connection,
    ):
        pipeline = raw.Pipeline(connection, PARTITION)
        began = perf_counter()
        for batch in batches:
            pipeline.write(batch)
        return COMMANDS / (perf_counter() - began)


BENCHES: Final = tuple(
    Bench(
        name=f"journal-{clients}",
        unit="commands/s",
        better="higher",
        peer_is="eventsourcing with its cache and fast-forward",
        limit_is="the same rows by binary unnest, in batches of the same mean size",
        settings={"clients": clients, "accounts": ACCOUNTS, "commands": COMMANDS},
        rounds=partial(rounds, clients),
    )
    for clients in (64, 256)
)
