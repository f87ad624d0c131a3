"""Milliseconds from a command's submission until its row is in the read table.

The projector is a process of its own, as in the product. The limit is what no design
escapes: one commit that reaches the disk, and one NOTIFY to another process.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from statistics import quantiles
from time import perf_counter
from typing import Final, Literal

import psycopg
import uvloop
from msgspec import Struct

from benchmarks.bench import Bench, Round
from benchmarks.floor import ACCOUNTS, PARTITION, floor
from benchmarks.lab import Database, Lab, collected_as_in_service
from infrastructure.roles import Role
from projections.read_positions import ReadPositions

COMMANDS: Final = 1_000
WARM: Final = 200
PAUSE_SECONDS: Final = 0.002  # an open desk, not a queue: 200-300 commands a second
PATIENCE_SECONDS: Final = 30.0
PROJECTOR: Final = """
import sys
from projections.process import run
run(sys.stdin.readline().strip())
"""
ECHO: Final = """
import sys, psycopg
dsn = sys.stdin.readline().strip()
hearing, telling = (psycopg.connect(dsn, autocommit=True) for _ in range(2))
telling.execute("SET synchronous_commit = off")
hearing.execute("LISTEN bench_there")
print(flush=True)
for _ in hearing.notifies():
    telling.execute("NOTIFY bench_back")
"""


class Times(Struct, frozen=True):
    p50: float  # milliseconds
    p99: float


def rounds(percentile: Literal["p50", "p99"], lab: Lab, runs: int) -> Iterator[Round]:
    for _ in range(runs):
        with lab.database() as database, projector(database), collected_as_in_service():
            ours = uvloop.run(submit(database))
        with lab.database() as database, other_process(ECHO, database.dsn()) as echo:
            assert echo.stdout is not None
            echo.stdout.readline()
            limit = commit_and_notify(database)
        yield Round(ours=getattr(ours, percentile), limit=getattr(limit, percentile))


async def submit(database: Database) -> Times:
    read = ReadPositions(database.dsn())
    async with floor(database) as here:
        await read.start()
        try:
            await read.wait_for(PARTITION, ACCOUNTS, PATIENCE_SECONDS)
            taken = []
            for _ in range(WARM + COMMANDS):
                await asyncio.sleep(PAUSE_SECONDS)
                began = perf_counter()
                answer = await here.trade()
                await read.wait_for(PARTITION, answer.position, PATIENCE_SECONDS)
                taken.append(perf_counter() - began)
        finally:
            await read.close()
    return times(taken[WARM:])


def commit_and_notify(database: Database) -> Times:
    """Commit a row; then tell another process, and hear from it."""
    with (
        psycopg.connect(database.dsn(Role.OWNER), autocommit=True) as writing,
        psycopg.connect(database.dsn(), autocommit=True) as telling,
        psycopg.connect(database.dsn(), autocommit=True) as hearing,
    ):
        writing.execute("CREATE TABLE public.bench_row (id int PRIMARY KEY, body text)")
        telling.execute("SET synchronous_commit = off")  # a hint costs no flush
        hearing.execute("LISTEN bench_back")
        taken = []
        for number in range(WARM + COMMANDS):
            began = perf_counter()
            writing.execute(
                "INSERT INTO public.bench_row VALUES (%s, %s)", (number, "x" * 1_000)
            )
            telling.execute("NOTIFY bench_there")
            heard = list(hearing.notifies(timeout=PATIENCE_SECONDS, stop_after=1))
            assert heard
            taken.append(perf_counter() - began)
    return times(taken[WARM:])


def times(seconds: list[float]) -> Times:
    cuts = quantiles(seconds, n=100)
    return Times(p50=cuts[49] * 1_000, p99=cuts[98] * 1_000)


@contextmanager
def projector(database: Database) -> Iterator[None]:
    with other_process(PROJECTOR, database.dsn(Role.PROJECTOR)):
        yield


@contextmanager
def other_process(program: str, dsn: str) -> Iterator[subprocess.Popen[str]]:
    """Run a few lines in another process; the address, a secret, comes on its stdin."""
    with subprocess.Popen(  # noqa: S603 - our own lines
        (sys.executable, "-c", program),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdin is not None
        running.stdin.write(f"{dsn}\n")
        running.stdin.flush()
        try:
            yield running
        finally:
            running.terminate()
            running.communicate()


BENCHES: Final = tuple(
    Bench(
        name=f"append-to-visible-{percentile}",
        unit="ms",
        better="lower",
        peer_is=None,
        limit_is="commit of one row, then NOTIFY to another process and back",
        settings={"commands": COMMANDS, "pause_ms": PAUSE_SECONDS * 1_000},
        rounds=partial(rounds, percentile),
    )
    for percentile in ("p50", "p99")
)
