"""What was acknowledged, held against what is on disk, with plain SQL."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier

from application.engine.journal import TickBlock
from application.engine.tick_block import verify
from tests.proofs.traders import Sent

PARTITIONS: Final = ("p1", "s1")
FACTS: Final = {  # the last word of the path, and the one fact that a yes leaves
    "venues": "venue.opened/1",
    "accounts": "account.opened/1",
    "trades": "account.position-opened/1",
    "close": "account.position-closed/1",
    "advance": "venue.clock-advanced/1",
    "challenges": "challenge.purchased/1",
}
BY_COMMAND: Final = """
    SELECT envelope->>'command_id', topic, count(*)
    FROM {p}.events
    WHERE topic <> 'account.position-closed/1'
       OR convert_from(state, 'UTF8')::json->>'reason' = 'trader'
    GROUP BY 1, 2
"""


class Ledger:
    """Reads as the owner, over a connection of its own for each look."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def rows(self, partition: str, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._dsn) as connection:
            text = SQL(query).format(p=Identifier(partition))
            return connection.execute(text).fetchall()

    def must_hold(self, acknowledged: Sequence[Sent]) -> None:
        """Every acknowledged command is in the log exactly once."""
        facts: Counter[tuple[str, str]] = Counter()
        receipts: dict[str, tuple[Any, ...]] = {}
        for partition in PARTITIONS:
            for command, topic, count in self.rows(partition, BY_COMMAND):
                facts[command, topic] += count
            query = "SELECT command_id, status, body, position FROM {p}.receipts"
            for command, *kept in self.rows(partition, query):
                assert str(command) not in receipts, "two partitions decided it"
                receipts[str(command)] = (partition, *kept)
        for sent in acknowledged:
            command = str(sent.command_id)
            assert command in receipts, f"lost: {sent}"
            partition, status, body, position = receipts[command]
            assert sent.status == status, sent
            assert sent.position == f"{partition}-{position}", sent
            fact = FACTS.get(sent.path.rpartition("/")[2])
            if fact is not None:
                assert facts[command, fact] == int(sent.is_success), sent
            if sent.is_success:
                assert sent.answer == bytes(body), sent

    def must_lack(self, commands: Iterable[UUID]) -> None:
        """Of these, nothing is in the log."""
        unwanted = {str(each) for each in commands}
        for partition in PARTITIONS:
            for table, column in (
                ("receipts", "command_id::text"),
                ("events", "envelope->>'command_id'"),
            ):
                found = self.rows(partition, f"SELECT {column} FROM {{p}}.{table}")  # noqa: S608 - ours
                assert unwanted.isdisjoint(each for (each,) in found)

    def must_be_contiguous(self) -> dict[str, int]:
        """Positions, versions and blocks of ticks have no hole; say how far it goes."""
        heads = {}
        for partition in PARTITIONS:
            ((head,),) = self.rows(partition, "SELECT position FROM {p}.partition_head")
            ((count, last),) = self.rows(
                partition, "SELECT count(*), max(notification_id) FROM {p}.events"
            )
            assert count == (last or 0) == head, (partition, count, last, head)
            broken = self.rows(
                partition,
                "SELECT originator_id FROM {p}.events GROUP BY 1"
                " HAVING count(*) <> max(originator_version)",
            )
            assert not broken
            heads[partition] = head
        return heads

    def must_hold_quotes(self, acknowledged: Iterable[Sent]) -> int:
        """All blocks chain from the first; each acknowledged quote has its one number.

        Only while nobody quotes. Says how many quotes were accepted, live ones too.
        """
        ends = {}
        for partition in PARTITIONS:
            for venue_id, blocks in self._chains(partition).items():
                link = verify(blocks)
                ends[venue_id] = link.last_sequence if link else 0
        numbered: Counter[str] = Counter()
        for sent in acknowledged:
            if sent.path.endswith("/quotes"):
                venue_id = sent.path.split("/")[3]
                numbered[venue_id] += sum(
                    each["accepted"] for each in sent.read()["results"]
                )
        assert numbered
        for venue_id, count in numbered.items():
            assert ends[venue_id] == count, venue_id
        return sum(ends.values())

    def _chains(self, partition: str) -> dict[str, list[TickBlock]]:
        chains: dict[str, list[TickBlock]] = {}
        query = """
            SELECT venue_id, number, first_sequence, last_sequence, engine_from,
                   engine_to, body, sha256, previous_sha256
            FROM {p}.tick_blocks ORDER BY venue_id, number
        """
        for row in self.rows(partition, query):
            venue_id, number, first, last, begins, ends, body, sha, previous = row
            block = TickBlock(
                venue_id=venue_id,
                number=number,
                first_sequence=first,
                last_sequence=last,
                engine_from=begins,
                engine_to=ends,
                body=body,
                sha256=sha,
                previous_sha256=previous,
            )
            chains.setdefault(venue_id, []).append(block)
        return chains
