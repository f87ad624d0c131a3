"""What is on disk after a trial, past the proxy, held against what was answered."""

from collections.abc import Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final

import psycopg
from msgspec import Struct, json
from psycopg.rows import class_row

from application.engine.asks import Answer, Ask, SentQuote, TakeQuotes
from application.engine.journal import Head, Receipt, TickBlock
from application.engine.tick_block import Link, unpack, verify
from tests.proofs.asked import Fact

HEAD: Final = "SELECT epoch, batch, position FROM s1.partition_head"
EVENTS: Final = """
    SELECT notification_id, originator_id, topic, envelope->>'command_id'
    FROM s1.events WHERE notification_id > %s ORDER BY notification_id
"""
RECEIPTS: Final = """
    SELECT command_id, request_hash, status, body, position FROM s1.receipts
    WHERE position > %s
"""
TICKS: Final = """
    SELECT venue_id, number, first_sequence, last_sequence, engine_from, engine_to,
           body, sha256, previous_sha256
    FROM s1.tick_blocks WHERE number > %s ORDER BY number
"""

Answered = tuple[Ask, Answer]


class Since(Struct, frozen=True):
    """Where the log ended before the trial."""

    head: Head
    link: Link


class Aftermath:
    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def head(self) -> Head:
        async with self._connection.cursor(row_factory=class_row(Head)) as cursor:
            (head,) = await (await cursor.execute(HEAD)).fetchall()
            return head

    async def since(self, venue_id: str) -> Since:
        link = verify(await self._blocks(0)) or Link(venue_id)
        return Since(await self.head(), link)

    async def must_hold(
        self, since: Since, answered: Sequence[Answered], facts: Sequence[Fact]
    ) -> None:
        """Everything that was told is there once, and nothing else is."""
        head = await self.head()
        events = await self._events(since.head.position)
        first = since.head.position + 1
        assert head.epoch == since.head.epoch
        assert [at for at, *_ in events] == list(range(first, head.position + 1))
        found = [(stream, name) for _, stream, name, _ in events]
        assert by_stream(found) == by_stream(facts)
        await self._must_hold_receipts(since, answered, events)
        await self._must_hold_quotes(since, answered)

    async def _must_hold_receipts(
        self,
        since: Since,
        answered: Sequence[Answered],
        events: Sequence[tuple[int, str, str, str | None]],
    ) -> None:
        kept = [each for each in answered if each[0].command_id is not None]
        made = {command: (at, stream) for at, stream, _, command in events if command}
        assert made == {
            str(ask.command_id): (answer.position, ask.stream) for ask, answer in kept
        }
        async with self._connection.cursor(row_factory=class_row(Receipt)) as cursor:
            found = await cursor.execute(RECEIPTS, (since.head.position,))
            receipts = {each.command_id: each async for each in found}
        assert receipts == {
            ask.command_id: Receipt(
                command_id=ask.command_id,
                request_hash=ask.request_hash,
                status=answer.status,
                body=answer.body,
                position=answer.position,
            )
            for ask, answer in kept
            if ask.command_id is not None
        }

    async def _must_hold_quotes(
        self, since: Since, answered: Sequence[Answered]
    ) -> None:
        """Each quote has the one number that its sender was told."""
        blocks = await self._blocks(since.link.number)
        verify(blocks, since.link)
        quotes = [each.quote for block in blocks for each in unpack(block).accepted]
        told = [
            (number, sent.symbol, Decimal(sent.bid), Decimal(sent.ask))
            for ask, answer in answered
            for number, sent in numbered(ask, answer)
        ]
        assert [(q.sequence, q.symbol, q.bid, q.ask) for q in quotes] == told

    async def _events(self, after: int) -> list[tuple[int, str, str, str | None]]:
        found = await self._connection.execute(EVENTS, (after,))
        return await found.fetchall()

    async def _blocks(self, after: int) -> list[TickBlock]:
        async with self._connection.cursor(row_factory=class_row(TickBlock)) as cursor:
            return await (await cursor.execute(TICKS, (after,))).fetchall()


def numbered(ask: Ask, answer: Answer) -> list[tuple[int, SentQuote]]:
    if not isinstance(ask.command, TakeQuotes):
        return []
    results = json.decode(answer.body)["results"]
    numbers = [each["sequence"] for each in results]
    return list(zip(numbers, ask.command.quotes, strict=True))


def by_stream(facts: Sequence[Fact]) -> list[Fact]:
    """Leave those of one stream in their order."""
    return sorted(facts, key=itemgetter(0))
