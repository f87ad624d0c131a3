"""The line to PostgreSQL is cut or late around COMMIT, and the engine is honest.

Whether the batch that was struck is stored is looked up in PostgreSQL itself, before
the engine gets another line. Then everybody is answered as if nothing had been.
"""

import asyncio
from collections import Counter
from contextlib import aclosing
from itertools import cycle, islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

import psycopg
import pytest
import uvloop
from msgspec import Struct

from application.engine.asks import Answer
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.roles import Role
from tests.adapters.trading_desk import Desk, trading_desk
from tests.databases import Database
from tests.proofs.aftermath import Aftermath
from tests.proofs.asked import KINDS, Asked, Kind
from tests.proofs.conftest import Counts, Figure
from tests.proofs.ledger import Ledger
from tests.proofs.proxy import BEYOND_PATIENCE, STORED, Fault, Interruption, Proxy

SEED: Final = 20_260_105
FAULTS: Final = (*Fault, Fault.ANSWERED, Fault.LATE_CUT)  # most are after the COMMIT
QUICK, FULL = len(FAULTS), 200
NEVER_STORED: Final = (Fault.LOST, Fault.TORN)
TRIAL_SECONDS: Final = 10.0
PATIENCE: Final = "infrastructure.event_store.wire.ANSWER_SECONDS"
SHORT_SECONDS: Final = 0.2  # still longer than a healthy server needs


class Outcome(Struct, frozen=True):
    fault: Fault
    was_stored: bool  # when the engine could not know it
    submissions: int


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_batch_whose_outcome_is_unknown_is_stored_once_and_answered_honestly(
    kind: Kind, database: Database, counts: Counts, figure: Figure
) -> None:
    trials = counts.of(QUICK, FULL)
    outcomes = uvloop.run(interrupted(kind, database, trials))

    Ledger(database.dsn(Role.OWNER)).must_be_contiguous()
    stored = sum(each.was_stored for each in outcomes)
    assert len(outcomes) == trials
    assert 2 * stored >= trials
    again = Counter(each.fault.name for each in outcomes if each.submissions > 1)
    figure(
        f"{trials} interrupted batches of {kind.__name__}: {stored} were stored"
        f" while nobody knew it, {again.total()} were sent again ({dict(again)})"
    )


async def interrupted(kind: Kind, database: Database, trials: int) -> list[Outcome]:
    chance = Random(SEED)  # noqa: S311 - chance to be repeated, not a secret
    faults = list(islice(cycle(FAULTS), trials))
    chance.shuffle(faults)
    dsn = database.dsn(Role.OWNER)
    with TemporaryDirectory(prefix="ts-proxy-") as folder:
        async with (
            await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection,
            Proxy(database.dsn(), Path(folder), chance) as proxy,
            trading_desk("s1", PostgresJournal(proxy.dsn, "s1"), "sb-1") as desk,
            aclosing(kind(desk, chance)) as batches,
        ):
            trial = Trial(desk, proxy, Aftermath(connection), KINDS[kind])
            return [
                await trial.run(fault, await anext(batches), await anext(batches))
                for fault in faults
            ]


class Trial:
    def __init__(
        self,
        desk: Desk,
        proxy: Proxy,
        aftermath: Aftermath,
        statements: tuple[str, ...],
    ) -> None:
        self._desk = desk
        self._proxy = proxy
        self._aftermath = aftermath
        self._statements = statements

    async def run(self, fault: Fault, first: Asked, behind: Asked) -> Outcome:
        """Interrupt the first batch; what is `behind` is asked before it is settled."""
        since = await self._aftermath.since(self._desk.venue_id)
        now = self._proxy.arm(fault)
        async with asyncio.timeout(TRIAL_SECONDS):
            with pytest.MonkeyPatch.context() as patience:
                if fault in BEYOND_PATIENCE:
                    patience.setattr(PATIENCE, SHORT_SECONDS)
                answers = self._ask(first)
                await now.has_struck.wait()
                answers += self._ask(behind)
                if fault in BEYOND_PATIENCE:
                    await now.is_back.wait()
            head = await self._aftermath.head()
            assert not any(each.done() for each in answers), "told before it is known"
            now.is_over.set()
            told = await asyncio.gather(*answers)
        assert not any(each.is_refused or each.is_replayed for each in told)
        await self._aftermath.must_hold(
            since,
            tuple(zip(first.asks + behind.asks, told, strict=True)),
            first.facts + behind.facts,
        )
        return self._outcome(now, since.head.batch, head.batch)

    def _ask(self, asked: Asked) -> list[asyncio.Task[Answer]]:
        return [
            asyncio.create_task(self._desk.host.engine.ask(ask)) for ask in asked.asks
        ]

    def _outcome(self, now: Interruption, before: int, found: int) -> Outcome:
        """At most one more submission, of the same bytes, and only where it is due."""
        first, *again = now.submissions
        was_stored = found == first.batch
        assert first.statements == self._statements
        assert first.batch == before + 1
        assert was_stored or found == before
        assert again in ([], [first])
        assert not (was_stored and again)
        if now.fault in STORED:
            assert was_stored
        if now.fault in NEVER_STORED:
            assert again
        return Outcome(now.fault, was_stored, len(now.submissions))
