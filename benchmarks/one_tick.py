"""One quote that breaches ten thousand accounts, and who trades something else by then.

Each verdict closes a position: two events, with the evidence in the first of them.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from statistics import quantiles
from time import perf_counter
from typing import Final
from uuid import uuid4

import psycopg
import uvloop
from msgspec import Struct
from msgspec.structs import replace

from application.engine.asks import Ask, OpenVenue, SentQuote, TakeQuotes
from application.engine.draft import Draft
from application.engine.host import Host
from benchmarks import raw
from benchmarks.bench import Bench, Round
from benchmarks.floor import (
    ASK,
    BID,
    PARTITION,
    TRADER,
    VENUE,
    VENUE_OPENED,
    asking,
    open_account,
)
from benchmarks.lab import Database, Lab, collected_as_in_service
from domain.account.commands import ClosePosition, OpenPosition
from domain.values.quote import Side
from domain.venue.standard_instruments import EURUSD
from infrastructure.clock import SystemClock
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.roles import Role

BREACHED: Final = 10_000
OTHERS: Final = 500
EVENTS_OF_EACH: Final = 2  # the breach, and what it closes
AT_ONCE: Final = 256  # while the hall is filled
PAUSE_SECONDS: Final = 0.005  # between the commands of others, come what may
QUIET_COMMANDS: Final = 1_000
WARM: Final = 200
LOTS: Final = Decimal(10)
CRASHED: Final = TakeQuotes(
    venue_id=VENUE,
    quotes=(SentQuote(symbol="EURUSD", bid="1.09200", ask="1.09210"),),
)
HALL: Final = OpenVenue(
    venue_id=VENUE,
    owner=TRADER,
    starts_at=VENUE_OPENED.starts_at,
    instruments=(
        *VENUE_OPENED.instruments,
        replace(EURUSD, symbol="GBPUSD", base="GBP", sessions="always"),
    ),
    gate=VENUE_OPENED.gate,
    stale_after_seconds=None,
)


class Fallen(Struct, frozen=True):
    seconds: float
    mean_batch: float
    longest_stall: float  # milliseconds in which nothing else could run
    began_after: int  # a position


class Times(Struct, frozen=True):
    quiet: float  # milliseconds
    meanwhile: float
    most: float
    commands: int


class Hall:
    def __init__(self, host: Host) -> None:
        self.host = host
        self._turn = count()
        self._held: dict[str, str] = {}

    async def crash(self) -> None:
        answer = await self.host.engine.ask(asking(f"venue-{VENUE}", CRASHED))
        assert not answer.is_refused

    def order(self) -> Ask:
        """Open 0.10 of what does not crash on the next account, or close it."""
        account_id = f"other-{next(self._turn) % OTHERS}"
        held = self._held.pop(account_id, None)
        if held is not None:
            return order(account_id, ClosePosition(trade_id=held, quantity=None))
        self._held[account_id] = trade_id = f"of-{account_id}"
        return order(account_id, opening(trade_id, "GBPUSD", Decimal("0.10")))

    async def trade_until(self, is_over: asyncio.Event, most: int) -> list[float]:
        """Send one each few milliseconds; how long each took from when it was due."""
        loop = asyncio.get_running_loop()
        taken: list[float] = []
        sent: list[asyncio.Task[None]] = []

        async def send(due: float) -> None:
            answer = await self.host.engine.ask(self.order())
            assert not answer.is_refused
            taken.append(loop.time() - due)

        began = loop.time()
        for number in range(most):
            due = began + number * PAUSE_SECONDS
            await asyncio.sleep(max(0.0, due - loop.time()))
            if is_over.is_set():
                break
            sent.append(asyncio.create_task(send(due)))
        await asyncio.gather(*sent)
        return taken


@asynccontextmanager
async def hall(database: Database) -> AsyncIterator[Hall]:
    """Ten thousand long of EURUSD, and others who are not."""
    host = Host(PARTITION, PostgresJournal(database.dsn(), PARTITION), SystemClock())
    await host.start(lambda _: None)
    try:
        await host.engine.ask(asking(f"venue-{VENUE}", HALL))
        quotes = tuple(
            SentQuote(symbol=symbol, bid=BID, ask=ASK)
            for symbol in ("EURUSD", "GBPUSD")
        )
        quoted = TakeQuotes(venue_id=VENUE, quotes=quotes)
        await host.engine.ask(asking(f"venue-{VENUE}", quoted))
        breached = [f"breached-{number}" for number in range(BREACHED)]
        others = [f"other-{number}" for number in range(OTHERS)]
        await send_all(host, [opened(each) for each in (*breached, *others)])
        long = [opening(f"of-{each}", "EURUSD", LOTS) for each in breached]
        await send_all(host, [*map(order, breached, long)])
        await host.checkpoint()
        gc.collect()
        gc.freeze()  # as a start does with what it has loaded
        yield Hall(host)
    finally:
        await host.stop()


async def send_all(host: Host, asks: list[Ask]) -> None:
    left = iter(asks)

    async def client() -> None:
        for ask in left:
            answer = await host.engine.ask(ask)
            assert not answer.is_refused

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))


def opened(account_id: str) -> Ask:
    ask = open_account(0)
    command = replace(ask.command, account_id=account_id)
    return replace(ask, stream=f"account-{account_id}", command=command)


def order(account_id: str, command: OpenPosition | ClosePosition) -> Ask:
    ask = asking(f"account-{account_id}", command)
    return replace(ask, command_id=uuid4(), request_hash=bytes(32))


def opening(trade_id: str, symbol: str, quantity: Decimal) -> OpenPosition:
    return OpenPosition(
        trade_id=trade_id,
        order_id=f"order-{trade_id}",
        client_order_id=None,
        symbol=symbol,
        side=Side.BUY,
        quantity=quantity,
        stop_loss=None,
        take_profit=None,
    )


# -- how many a second ---------------------------------------------------------------


def rounds(lab: Lab, runs: int) -> Iterator[Round]:
    for _ in range(runs):
        with lab.database() as database:
            with collected_as_in_service():
                ours = uvloop.run(fall(database))
            limit = inserted(lab, database, ours)
            bare = inserted(lab, database, ours, is_encoded=True)
        yield Round(
            ours=BREACHED / ours.seconds,
            limit=limit,
            settings={
                "mean_batch": ours.mean_batch,
                "longest_stall_ms": ours.longest_stall,
                "limit_encoded_before": bare,
            },
        )


async def fall(database: Database) -> Fallen:
    async with hall(database) as here:
        batches: list[int] = []

        def note(draft: Draft) -> None:
            batches.append(len(draft.events))

        engine = here.host.engine
        engine.on_commit.append(note)
        after = engine.head.position
        watching = asyncio.create_task(longest_stall())
        await asyncio.sleep(0.05)
        began = perf_counter()
        await here.crash()
        seconds = perf_counter() - began
        watching.cancel()
        stall = await watching
        stored = [each for each in batches if each]
        assert sum(stored) >= BREACHED * EVENTS_OF_EACH
        return Fallen(seconds, sum(stored) / len(stored), stall, after)


async def longest_stall() -> float:
    """Look at the clock as often as the loop allows, until cancelled."""
    longest, before = 0.0, perf_counter()
    try:
        while True:
            await asyncio.sleep(0.001)
            now = perf_counter()
            longest, before = max(longest, now - before), now
    except asyncio.CancelledError:
        return max(longest, perf_counter() - before) * 1_000


def inserted(
    lab: Lab, stored: Database, ours: Fallen, *, is_encoded: bool = False
) -> float:
    """Insert the rows that ours has just stored, in batches as large as its own.

    They become arrays on the way, or, where `is_encoded`, before the clock starts.
    """
    with psycopg.connect(stored.dsn(Role.APP)) as connection:
        events, receipts = raw.read(connection, PARTITION, ours.began_after)
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
        return BREACHED / (perf_counter() - began)


# -- who trades something else ---------------------------------------------------------


def rounds_of_others(lab: Lab, runs: int) -> Iterator[Round]:
    for _ in range(runs):
        with lab.database() as database, collected_as_in_service():
            times = uvloop.run(meanwhile(database))
        yield Round(
            ours=times.meanwhile,
            limit=times.quiet,
            settings={"longest_ms": times.most, "commands_meanwhile": times.commands},
        )


async def meanwhile(database: Database) -> Times:
    async with hall(database) as here:
        never, is_over = asyncio.Event(), asyncio.Event()
        await here.trade_until(never, WARM)
        quiet = await here.trade_until(never, QUIET_COMMANDS)
        crashing = asyncio.create_task(here.crash())
        crashing.add_done_callback(lambda _: is_over.set())
        during = await here.trade_until(is_over, 100_000)
        await crashing
        return Times(p99(quiet), p99(during), max(during) * 1_000, len(during))


def p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[98] * 1_000


BENCHES: Final = (
    Bench(
        name="one-tick-10k",
        unit="accounts/s",
        better="higher",
        peer_is=None,
        limit_is="the same events by binary unnest, in batches of the same mean size",
        settings={"accounts": BREACHED, "events_of_each": EVENTS_OF_EACH},
        rounds=rounds,
    ),
    Bench(
        name="one-tick-others-p99",
        unit="ms",
        better="lower",
        peer_is=None,
        limit_is="the same commands in the same run, before the tick",
        settings={
            "accounts": BREACHED,
            "others": OTHERS,
            "pause_ms": PAUSE_SECONDS * 1_000,
        },
        rounds=rounds_of_others,
    ),
)
