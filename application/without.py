"""An account counted again from its log, as if some quotes had never been accepted.

What they moved was marks, fills and verdicts. Marks are folded anew without them; a
fill at one of them is valued at the last quotes before; a verdict that stands without
them too is no verdict to annul. Whoever judges the log again counts just the same.
"""

import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from application.as_of import Refold, in_time
from application.catalogue import Fact
from application.engine.envelope import Envelope
from application.engine.journal import Journal, Recorded
from application.engine.memory import Entry
from application.engine.recovery import read
from application.engine.tick_block import Accepted
from application.engine.venue import Venue
from application.parked import ParkedEvent
from domain.account.closing import closed
from domain.account.decider import is_in_doubt
from domain.account.errors import AnnulmentRefused
from domain.account.events import (
    AccountEvent,
    AccountOpened,
    AccountScaled,
    BreachAnnulled,
    FlowPosted,
    NegativeBalanceCleared,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    RuleBreached,
    SwapPosted,
)
from domain.account.position import Fill, Valued
from domain.account.recount import Recount, Restored
from domain.account.state import turn
from domain.challenge.events import ChallengeEvent
from domain.plan.events import PlanEvent
from domain.rules.adjudicate import Verdict, at_boundary, at_instant
from domain.values.market import Moment, QuoteStale
from domain.values.money import Money
from domain.venue.events import DayBoundaryPassed

Moves = (
    PositionOpened
    | PositionIncreased
    | PositionClosed
    | SwapPosted
    | FlowPosted
    | AccountScaled
)

SLICE: Final = 2_000  # ticks, after which others have their turn


async def recounted(
    journal: Journal,
    account_id: str,
    breach_version: int,
    ticks: Collection[int],
    until: int | None = None,
) -> Recount:
    """Count up to the position before `until`, or up to where the log ends.

    Raises `AnnulmentRefused` where those quotes are not what convicted it.
    """
    return await Without(journal, account_id, breach_version, ticks).count(until)


class Without(Refold):
    def __init__(
        self,
        journal: Journal,
        account_id: str,
        breach_version: int,
        ticks: Collection[int],
    ) -> None:
        super().__init__(journal, account_id, lambda _: None)
        self._breach_version = breach_version
        self._ticks_out = frozenset(ticks)
        self._left_out: set[int] = set()
        self._restored: list[Restored] = []
        self._correction: Money | None = None
        self._is_past = False  # the breach that is to be annulled

    async def count(self, until: int | None) -> Recount:
        mine = [
            each
            async for each in self._journal.stream(self._stream)
            if until is None or each.position < until
        ]
        _, opened = read(mine[0])
        assert isinstance(opened, AccountOpened)
        self._last: AccountEvent = opened
        _, theirs = await self._beside(mine, opened)
        try:
            for recorded in sorted((*mine, *theirs), key=as_it_happened):
                if until is None or recorded.position < until:
                    await self._fold(recorded)
        except QuoteStale:
            raise AnnulmentRefused("no quote before them values what it held") from None
        if not self._is_past:
            raise AnnulmentRefused("nothing was breached there")
        unknown = self._ticks_out - self._left_out
        if unknown or min(self._ticks_out) <= opened.tick:
            raise AnnulmentRefused("no such quotes were accepted for it before")
        account = self._account(self._account_id)
        return Recount(
            version=mine[-1].version,
            at=self._last.at,
            tick=self._last.tick,
            restored=tuple(self._restored),
            balance=account.balance,
            marks=account.marks,
            record=account.record,
            paused=account.paused,
        )

    async def _catch_up(self, venue: Venue, until: int | None) -> None:
        assert until is not None
        while venue.sequence + SLICE < until:
            before = venue.sequence
            await super()._catch_up(venue, before + SLICE)
            await asyncio.sleep(0)
            if venue.sequence == before:
                break
        await super()._catch_up(venue, until)

    def _apply(self, venue: Venue, tick: Accepted) -> None:
        if self._is_past or tick.quote.sequence not in self._ticks_out:
            super()._apply(venue, tick)
            return
        self._left_out.add(tick.quote.sequence)
        venue.sequence = tick.quote.sequence
        venue.advance(tick.engine_time)

    def _evolve(
        self,
        recorded: Recorded,
        fact: AccountEvent | ChallengeEvent | PlanEvent | ParkedEvent,
        venue: Venue | None,
        envelope: Envelope,
    ) -> None:
        assert venue is not None
        assert isinstance(fact, AccountEvent)
        if self._is_past:
            self._turn_to(fact, venue)
        self._last = fact
        if recorded.version == self._breach_version:
            self._pass_over(recorded, fact, venue)
            return
        if isinstance(fact, BreachAnnulled) and min(self._ticks_out) <= fact.tick:
            raise AnnulmentRefused("an earlier annulment has counted without others")
        super()._evolve(recorded, self._corrected(fact, venue), venue, envelope)

    def _pass_over(self, recorded: Recorded, fact: Fact, venue: Venue) -> None:
        """The breach itself: what else would have convicted it says so now."""
        is_hard = (
            isinstance(fact, RuleBreached) and Verdict(breaches=fact.breaches).is_hard
        )
        if not is_hard:
            raise AnnulmentRefused("nothing was breached there")
        self._judge(venue)
        self._is_past = True
        account = self._account(self._account_id)
        self._memory.put(recorded.stream, Entry(recorded.version, account))

    def _corrected(self, fact: AccountEvent, venue: Venue) -> AccountEvent:
        """Balances are told as they were: what was corrected before comes on top."""
        if isinstance(fact, PositionClosed):
            fact = replace(
                fact, fills=tuple(self._refilled(each, venue) for each in fact.fills)
            )
        if self._correction is None:
            return fact
        if isinstance(fact, NegativeBalanceCleared):  # of which less was owed
            owed = self._account(self._account_id).balance
            self._correction = max(owed, fact.balance)
            return replace(fact, balance=self._correction)
        if isinstance(fact, Moves):
            return replace(fact, balance=fact.balance + self._correction)
        return fact

    def _refilled(self, fill: Fill, venue: Venue) -> Fill:
        if self._ticks_out.isdisjoint(sequences(fill.closed)):
            return fill
        account = self._account(self._account_id)
        (held,) = (p for p in account.positions if p.trade_id == fill.closed.trade_id)
        again = closed(held, fill.closed.quantity, account, venue.moment())
        restored = Restored(booked=fill.closed.profit, instead=again.closed)
        self._restored.append(restored)
        so_far = self._correction or Money.zero(account.currency)
        self._correction = so_far + restored.correction
        return replace(fill, closed=again.closed)

    def _at_tick(self, account_id: str, symbol: str, venue: Venue) -> None:
        super()._at_tick(account_id, symbol, venue)
        if not self._is_past:
            self._judge(venue)

    def _turn(self, venue: Venue, fact: DayBoundaryPassed) -> None:
        """Once it was over its days may have turned untold: see `_turn_to`."""
        if not self._is_past:
            super()._turn(venue, fact)

    def _turn_to(self, fact: AccountEvent, venue: Venue) -> None:
        account, tick = self._account(self._account_id), self._last.tick
        boundary = account.phase.trading_day.next_after(self._last.at)
        while boundary <= fact.at:
            account = turn(account, Moment(boundary, tick, venue.market))
            boundary = account.phase.trading_day.next_after(boundary)
        self._replace(self._account_id, account)

    def _at_boundary(self, account_id: str, venue: Venue) -> None:
        account, moment = self._account(account_id), venue.moment()
        if not self._is_past and not is_in_doubt(account, moment):
            standing = account.standing(moment.market)
            _, verdict = at_boundary(account.phase, standing, moment.tick, moment.at)
            must_be_none(verdict, moment.tick)
        super()._at_boundary(account_id, venue)

    def _judge(self, venue: Venue) -> None:
        account, moment = self._account(self._account_id), venue.moment()
        if account.is_over or is_in_doubt(account, moment):
            return
        standing = account.standing(moment.market)
        _, verdict = at_instant(account.phase, standing, moment.tick, moment.at)
        must_be_none(verdict, moment.tick)


def as_it_happened(recorded: Recorded) -> tuple[datetime, int, int]:
    envelope, _ = read(recorded)
    return in_time(recorded, envelope)


def must_be_none(verdict: Verdict, tick: int) -> None:
    if verdict.is_hard:
        rule = verdict.breaches[0].limit.id
        raise AnnulmentRefused(f"{rule} is crossed at quote {tick} without them too")


def sequences(valued: Valued) -> set[int]:
    return {
        valued.quote.sequence,
        *(leg.quote.sequence for leg in valued.conversion),
    }
