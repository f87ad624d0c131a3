"""Opens the floor on the live venue, and closes it at a signal."""

import asyncio
import os
import signal
import sys
from random import Random
from typing import Final

from httpx import AsyncClient

from api.demo.cast import CAST
from api.demo.client import Client, Person
from api.demo.floor import Floor
from api.demo.tape import Tape
from api.demo.ticker import Ticker
from api.demo.trader import Trader

VENUE: Final = "live"
ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask, not to listen
PATIENCE_SECONDS: Final = 10.0


def main() -> None:
    if os.environ.get("TS_ENV", "dev") != "dev":
        raise SystemExit("Demo traders are for TS_ENV=dev.")
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "5000")
    asyncio.run(run(base_url(host, port), int(os.environ.get("SEED", "1"))))


async def run(url: str, seed: int) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    async with AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as http:
        trading = asyncio.create_task(trade(open_floor(http, seed)))
        stopping = asyncio.create_task(told.wait())
        await asyncio.wait((trading, stopping), return_when=asyncio.FIRST_COMPLETED)
        if trading.done():
            trading.result()  # raises what ended it
        trading.cancel()
        await asyncio.gather(trading, return_exceptions=True)


async def trade(floor: Floor) -> None:
    while True:
        seconds = await floor.beat()
        await asyncio.sleep(seconds)


def open_floor(http: AsyncClient, seed: int) -> Floor:
    tape = Tape()
    ticker = Ticker(tape, say)
    traders = [
        Trader(
            number,
            part,
            Client(http, person(part.name, seed)),
            Random(f"{seed}/{part.name}"),  # noqa: S311 - to be repeated, not secret
            VENUE,
            ticker,
        )
        for number, part in enumerate(CAST)
    ]
    watcher = Client(http, person("Floor", seed))
    return Floor(watcher, VENUE, traders, tape, ticker)


def person(name: str, seed: int) -> Person:
    """Give a seed the same people again, who find their accounts again."""
    return Person(
        email=f"{name.lower()}.{seed}@demo.tradesense.ai",
        password=f"demo trader {name} of seed {seed}",
        handle=name,
    )


def base_url(host: str, port: str | int) -> str:
    host = ANYWHERE.get(host, host)
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
