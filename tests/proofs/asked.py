"""What an engine is asked for a batch of commands, of breaches only, of ticks only."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from decimal import Decimal
from hashlib import sha256
from itertools import count, cycle
from random import Random
from typing import Final
from uuid import UUID

from msgspec import Struct

from application.engine.asks import Ask, Command, SentQuote, TakeQuotes, VenueCommand
from domain.account.commands import OpenPosition
from domain.values.quote import Side
from tests.adapters.trading_desk import TRADER, Desk

OPENED: Final = "account.position-opened/1"
BREACHED: Final = "account.rule-breached/1"
CLOSED: Final = "account.position-closed/1"
POINT: Final = Decimal("0.00001")

Fact = tuple[str, str]  # a stream, and the stored name of what happened in it


class Asked(Struct, frozen=True):
    """All at once, for one batch; and the facts that must come of it."""

    asks: tuple[Ask, ...]
    facts: tuple[Fact, ...] = ()


Kind = Callable[[Desk, Random], AsyncGenerator[Asked, None]]


async def commands(desk: Desk, chance: Random) -> AsyncGenerator[Asked, None]:
    """Several traders open positions, with answers that are kept."""
    await desk.quotes("1.09990", "1.10000")
    accounts = [await desk.opens_account(deposit="1000000") for _ in range(4)]
    while True:
        streams = [f"account-{chance.choice(accounts)}" for _ in range(several(chance))]
        yield Asked(
            asks=tuple(command(desk, stream, chance) for stream in streams),
            facts=tuple((stream, OPENED) for stream in streams),
        )


async def breaches(desk: Desk, chance: Random) -> AsyncGenerator[Asked, None]:
    """One quote ends several accounts, and nobody has sent a command."""
    for symbol, step in zip(cycle(("EURUSD", "GBPUSD")), count()):
        high, low = (Decimal(each) + step * POINT for each in ("1.1", "1.08"))
        await desk.quotes(str(high), str(high), symbol)
        accounts = await asyncio.gather(
            *(desk.opens_account() for _ in range(several(chance)))
        )
        await asyncio.gather(*(desk.trades(each, symbol=symbol) for each in accounts))
        yield Asked(
            asks=(quoting(desk, (quote(symbol, low),)),),
            facts=tuple(
                (f"account-{each}", name)
                for each in accounts
                for name in (BREACHED, CLOSED)
            ),
        )


async def ticks(desk: Desk, chance: Random) -> AsyncGenerator[Asked, None]:
    """Quotes that no account takes notice of."""
    prices = (1 + step * POINT for step in count())  # none is told twice
    symbols = ("EURUSD", "GBPUSD", "AUDUSD")
    while True:
        yield Asked(
            tuple(
                quoting(
                    desk,
                    tuple(
                        quote(chance.choice(symbols), next(prices))
                        for _ in range(several(chance))
                    ),
                )
                for _ in range(several(chance))
            )
        )


KINDS: Final[dict[Kind, tuple[str, ...]]] = {  # and the statements of such a batch
    commands: ("fence", "events", "receipts"),
    breaches: ("fence", "events", "ticks"),
    ticks: ("fence", "ticks"),
}


def several(chance: Random) -> int:
    return chance.randint(2, 6)


def command(desk: Desk, stream: str, chance: Random) -> Ask:
    order = OpenPosition(
        trade_id=desk.new("trade"),
        order_id=desk.new("order"),
        client_order_id=None,
        symbol="EURUSD",
        side=chance.choice((Side.BUY, Side.SELL)),
        quantity=Decimal("0.01"),
        stop_loss=None,
        take_profit=None,
    )
    return asking(stream, order, UUID(desk.new("command")))


def quoting(desk: Desk, quotes: tuple[SentQuote, ...]) -> Ask:
    """As a feed sends them: no answer is kept."""
    venue = desk.venue_id
    return asking(f"venue-{venue}", TakeQuotes(venue_id=venue, quotes=quotes))


def asking(
    stream: str, command: Command | VenueCommand, command_id: UUID | None = None
) -> Ask:
    return Ask(
        stream=stream,
        command=command,
        actor=TRADER,
        owner=None,
        request_id="interrupted",
        command_id=command_id,
        request_hash=sha256(str(command).encode()).digest(),
    )


def quote(symbol: str, price: Decimal) -> SentQuote:
    return SentQuote(symbol=symbol, bid=str(price), ask=str(price + POINT))
