"""A log of opened trades, and the one table that tells of them."""

from datetime import date
from decimal import Decimal
from typing import Final

import psycopg
from msgspec.structs import replace

from application.catalogue import encode, name_of
from application.engine.journal import Batch, Recorded
from benchmarks.floor import ACCOUNTS, ASK, BID, LOTS, MONDAY
from benchmarks.lab import Database
from domain.account.events import PositionOpened
from domain.account.position import Position
from domain.values.money import Money
from domain.values.quote import Quote, Side
from infrastructure.event_store.journal import PostgresJournal
from projections.trades import TABLE

PARTITION: Final = "p1"
PAGE: Final = 1_000
QUOTE: Final = Quote("EURUSD", Decimal(BID), Decimal(ASK), 1, MONDAY)
OPENED: Final = PositionOpened(
    at=MONDAY,
    tick=1,
    position=Position(
        trade_id="trade-0",
        order_id="order-0",
        client_order_id=None,
        symbol="EURUSD",
        side=Side.BUY,
        opened_quantity=LOTS,
        quantity=LOTS,
        open_price=QUOTE.ask,
        quote=QUOTE,
        contract_size=Decimal(100_000),
        currency="USD",
        margin=Money.parse("110", "USD"),
        commission=Money.zero("USD"),
        realised=Money.zero("USD"),
        opened_at=MONDAY,
        stop_loss=None,
        take_profit=None,
    ),
    trading_day=date(2026, 1, 5),
    balance=Money.parse("100000", "USD"),
)


async def fill(database: Database, events: int) -> None:
    """Write a log of as many opened trades, over a thousand accounts."""
    journal = PostgresJournal(database.dsn(), PARTITION)
    head = await journal.take()
    try:
        for start in range(0, events, PAGE):
            page = tuple(map(recorded, range(start, min(start + PAGE, events))))
            head = replace(head, batch=head.batch + 1, position=page[-1].position)
            await journal.commit(
                Batch(
                    number=head.batch,
                    position=head.position,
                    events=page,
                    receipts=(),
                    tick_blocks=(),
                )
            )
    finally:
        await journal.close()


def recorded(number: int) -> Recorded:
    held = replace(
        OPENED.position, trade_id=f"trade-{number}", order_id=f"order-{number}"
    )
    fact = replace(OPENED, position=held)
    return Recorded(
        position=number + 1,
        stream=f"account-{number % ACCOUNTS}",
        version=number // ACCOUNTS + 1,
        name=name_of(fact),
        payload=encode(fact),
        envelope=b"{}",
    )


def create_table(connection: psycopg.Connection, schema: str) -> None:
    for statement in TABLE.definition(schema):
        connection.execute(statement)
