"""An engine with many exposed accounts, as a process that is told what to do by lines.

`python -m tests.proofs.firm DSN`: each line of standard input is an order, each line of
standard output its answer in JSON. It is killed, never asked to end.
"""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from time import monotonic
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec
import structlog
import uvloop
from msgspec.structs import replace

from application.engine.asks import Answer, Ask, OpenVenue, SentQuote, TakeQuotes
from application.engine.host import Host
from application.replay import accounts_of, hash_of
from domain.account.commands import OpenAccount, OpenPosition
from domain.values.money import Money
from domain.values.quote import Side
from domain.venue.gate import SANDBOX_ORDER_GATE
from domain.venue.standard_instruments import STANDARD_INSTRUMENTS
from infrastructure.clock import SystemClock
from infrastructure.event_store.journal import PostgresJournal
from tests.adapters.trading_desk import phase

PARTITION: Final = "s1"
NAMES: Final = UUID("00000000-0000-5000-8000-0000000f1c4a")
VENUE: Final = "sb-00000000-0000-7000-8000-000000000001"
SPREAD: Final = Decimal("0.00010")
AT_ONCE: Final = 1_000
EVALUATION: Final = phase(
    {
        "id": "daily",
        "kind": "daily",
        "amount": ["pct_initial", "5"],
        "anchor": "balance",
    },
    {"id": "max", "kind": "max", "mode": "static", "amount": ["pct_initial", "10"]},
    {"id": "goal", "kind": "target", "pct": "10", "basis": "closed"},
)


def name(kind: str, number: int) -> str:
    return str(uuid5(NAMES, f"{kind} {number}"))


def account(number: int) -> str:
    return name("account", number)


class Firm:
    def __init__(self, host: Host, trader_id: str) -> None:
        self._host = host
        self._trader_id = trader_id
        self._trades = 0

    async def ask(self, stream: str, command: Any) -> Answer:
        asked = Ask(
            stream=stream,
            command=command,
            actor=self._trader_id,
            owner=None,
            request_id="proof",
        )
        answer = await self._host.ask_settled(asked)
        assert not answer.is_refused, answer.body
        return answer

    async def all(self, asks: Iterable[Awaitable[Answer]]) -> None:
        """Let many wait for the same batches."""
        waiting: list[Awaitable[Answer]] = []
        for each in asks:
            waiting.append(each)
            if len(waiting) == AT_ONCE:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)

    async def fill(self, many: int) -> None:
        """Open as many accounts, and in each a position."""
        always = tuple(
            replace(each, sessions="always") for each in STANDARD_INSTRUMENTS
        )
        opening = OpenVenue(
            venue_id=VENUE,
            owner=self._trader_id,
            starts_at=self._host.engine.clock.now(),
            instruments=always,
            gate=SANDBOX_ORDER_GATE,
            stale_after_seconds=None,
        )
        await self.ask(f"venue-{VENUE}", opening)
        await self.quote("1.10000")
        await self.all(
            self.ask(
                f"account-{account(number)}",
                OpenAccount(
                    account_id=account(number),
                    trader_id=self._trader_id,
                    challenge_id=None,
                    venue_id=VENUE,
                    deposit=Money.parse("100000", "USD"),
                    phase=EVALUATION,
                    terms_hash="sha256:00",
                ),
            )
            for number in range(many)
        )
        await self.all(self.buy(number) for number in range(many))

    async def quote(self, *bids: str) -> None:
        quotes = tuple(
            SentQuote(symbol="EURUSD", bid=bid, ask=str(Decimal(bid) + SPREAD))
            for bid in bids
        )
        await self.ask(f"venue-{VENUE}", TakeQuotes(venue_id=VENUE, quotes=quotes))

    async def buy(self, number: int) -> Answer:
        self._trades += 1
        trade = f"{self._host.engine.head.epoch} {self._trades}"
        order = OpenPosition(
            trade_id=str(uuid5(NAMES, f"trade {trade}")),
            order_id=str(uuid5(NAMES, f"order {trade}")),
            client_order_id=None,
            symbol="EURUSD",
            side=Side.BUY,
            quantity=Decimal("0.10") + Decimal(number % 90) / 100,
            stop_loss=None,
            take_profit=None,
        )
        return await self.ask(f"account-{account(number)}", order)

    async def trade(self, first: int, until: int) -> None:
        await self.all(self.buy(number) for number in range(first, until))

    def state_hash(self) -> str:
        shown = self._host.engine.memory.all_shown()
        return hash_of(accounts_of({stream: e.state for stream, e in shown}))


async def main(dsn: str, trader_id: str) -> None:
    host = Host(PARTITION, PostgresJournal(dsn, PARTITION), SystemClock())
    await host.start(lambda fault: tell({"ended": repr(fault)}))
    firm = Firm(host, trader_id)
    tally = host.tally
    tell({"recovered": tally.recovery_seconds, "leased": tally.lease_seconds})
    orders: dict[str, Callable[..., Awaitable[object]]] = {
        "fill": lambda many: firm.fill(int(many)),
        "quote": firm.quote,
        "trade": lambda first, until: firm.trade(int(first), int(until)),
        "save": host.checkpoint,
        "hash": lambda: asyncio.sleep(0, firm.state_hash()),
    }
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order, *words = line.split()
        began = monotonic()
        told = await orders[order](*words)
        head = host.engine.head.position
        tell({order: told, "seconds": monotonic() - began, "position": head})


def tell(answer: dict[str, object]) -> None:
    sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    gc.freeze()
    gc.set_threshold(1000, 10, 50)  # as in service
    uvloop.run(main(*sys.argv[1:]))
