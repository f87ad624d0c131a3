"""A trading floor of the product in this process: an engine, a sandbox, accounts."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Final
from uuid import uuid4

from msgspec.structs import replace

from application.cases import CasePlan, phase_of
from application.engine.asks import (
    Answer,
    Ask,
    Command,
    OpenVenue,
    SentQuote,
    TakeQuotes,
    VenueCommand,
)
from application.engine.host import Host
from benchmarks.lab import Database
from domain.account.commands import ClosePosition, OpenAccount, OpenPosition
from domain.values.money import Money
from domain.values.quote import Side
from domain.venue.gate import SANDBOX_ORDER_GATE
from domain.venue.standard_instruments import EURUSD
from infrastructure.clock import SystemClock
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.ids import TimeOrderedIds

PARTITION: Final = "s1"
ACCOUNTS: Final = 1_000
VENUE: Final = "sb-floor"
TRADER: Final = "trader"
MONDAY: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
BID, ASK, LOTS = "1.09990", "1.10000", Decimal("0.10")
DAILY: Final = {"id": "daily", "kind": "daily", "anchor": "balance"}
MAX: Final = {"id": "max", "kind": "max", "mode": "static"}
TWO_LIMITS: Final = phase_of(
    CasePlan(
        initial="100000",
        reset=("UTC", "00:00"),
        rules=(
            {**DAILY, "amount": ["pct_initial", "5"]},
            {**MAX, "amount": ["pct_initial", "10"]},
        ),
    )
)


class Floor:
    def __init__(self, host: Host) -> None:
        self.host = host
        self._turn = count()
        self._ids = TimeOrderedIds()
        self._held: dict[str, str] = {}  # the trade that is open, by stream

    async def trade(self) -> Answer:
        return await self.host.engine.ask(self.order())

    def order(self) -> Ask:
        """Open 0.10 EURUSD on the next account, or close what it holds.

        With a receipt that is kept, as for any command that carries a key.
        """
        stream = f"account-{next(self._turn) % ACCOUNTS}"
        held = self._held.pop(stream, None)
        order: OpenPosition | ClosePosition
        if held is None:
            self._held[stream] = trade_id = self._ids.new()
            order = OpenPosition(
                trade_id=trade_id,
                order_id=self._ids.new(),
                client_order_id=None,
                symbol="EURUSD",
                side=Side.BUY,
                quantity=LOTS,
                stop_loss=None,
                take_profit=None,
            )
        else:
            order = ClosePosition(trade_id=held, quantity=None)
        return Ask(
            stream=stream,
            command=order,
            actor=TRADER,
            owner=TRADER,
            request_id="bench",
            command_id=uuid4(),
            request_hash=bytes(32),
        )

    async def trade_in_turns(self, clients: int, commands: int) -> None:
        await self.send_in_turns(clients, [self.order() for _ in range(commands)])

    async def send_in_turns(self, clients: int, orders: Iterable[Ask]) -> None:
        """As many clients, each sending the next order once it has its answer."""
        left = iter(orders)
        ask = self.host.engine.ask

        async def client() -> None:
            for order in left:
                answer = await ask(order)
                assert not answer.is_refused

        await asyncio.gather(*(client() for _ in range(clients)))


@asynccontextmanager
async def floor(database: Database) -> AsyncIterator[Floor]:
    """Start an engine; open the venue and its accounts, quote EURUSD once."""
    host = Host(PARTITION, PostgresJournal(database.dsn(), PARTITION), SystemClock())
    await host.start(lambda _: None)
    try:
        await host.engine.ask(asking(f"venue-{VENUE}", VENUE_OPENED))
        openings = (open_account(number) for number in range(ACCOUNTS))
        await asyncio.gather(*map(host.engine.ask, openings))
        await host.engine.ask(asking(f"venue-{VENUE}", QUOTED))
        yield Floor(host)
    finally:
        await host.stop()


def open_account(number: int) -> Ask:
    command = OpenAccount(
        account_id=str(number),
        trader_id=TRADER,
        challenge_id=None,
        venue_id=VENUE,
        deposit=Money.parse("100000", "USD"),
        phase=TWO_LIMITS,
        terms_hash="sha256:none",
    )
    return asking(f"account-{number}", command)


def asking(stream: str, command: Command | VenueCommand) -> Ask:
    return Ask(
        stream=stream, command=command, actor=TRADER, owner=TRADER, request_id="bench"
    )


VENUE_OPENED: Final = OpenVenue(
    venue_id=VENUE,
    owner=TRADER,
    starts_at=MONDAY,
    instruments=(replace(EURUSD, sessions="always"),),
    gate=SANDBOX_ORDER_GATE,
    stale_after_seconds=None,
)
QUOTED: Final = TakeQuotes(
    venue_id=VENUE, quotes=(SentQuote(symbol="EURUSD", bid=BID, ask=ASK),)
)
