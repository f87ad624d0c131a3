"""An engine to trade on by hand, so that a log holds what a real one would."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid5

import msgspec
from msgspec.structs import replace

from application.cases import CasePlan, phase_of
from application.engine.asks import (
    AdvanceClock,
    Ask,
    Command,
    OpenVenue,
    SentQuote,
    TakeQuotes,
    VenueCommand,
)
from application.engine.host import Host
from application.engine.journal import Journal
from domain.account.commands import ClosePosition, OpenAccount, OpenPosition
from domain.challenge.decider import PurchaseChallenge
from domain.plan.events import PlanDrafted, Size
from domain.rules.phase import Phase
from domain.rules.terms import ADJUDICATOR, Terms
from domain.values.money import Money
from domain.values.quote import Side
from domain.venue.gate import SANDBOX_ORDER_GATE
from domain.venue.standard_instruments import STANDARD_INSTRUMENTS

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
NAMES = UUID("00000000-0000-5000-8000-00000000de5c")
TRADER = "trader-1"
MAX_LOSS = {"id": "max", "kind": "max", "mode": "static", "amount": ["abs", "1000"]}
TARGET = {"id": "goal", "kind": "target", "pct": "10", "basis": "closed"}


class HandClock:
    def __init__(self) -> None:
        self.at = MONDAY

    def now(self) -> datetime:
        return self.at

    def moves(self, **by: float) -> datetime:
        self.at += timedelta(**by)
        return self.at


class Desk:
    """One partition with one venue; ids are told apart by number, never by chance."""

    def __init__(self, host: Host, clock: HandClock, venue_id: str) -> None:
        self.host = host
        self.clock = clock
        self.venue_id = venue_id
        self._ids = count(1)

    @property
    def position(self) -> int:
        return self.host.engine.head.position

    def new(self, kind: str) -> str:
        name = f"{self.host.engine.partition} {kind} {next(self._ids)}"
        return str(uuid5(NAMES, name))

    async def ask(
        self, stream: str, command: Command | VenueCommand, trader: str = TRADER
    ) -> dict[str, Any]:
        asked = Ask(
            stream=stream,
            command=command,
            actor=trader,
            owner=None,
            request_id="test",
            command_id=uuid5(NAMES, self.new("command")),
        )
        answer = await self.host.ask_settled(asked)
        assert not answer.is_refused, answer.body.decode()
        body: dict[str, Any] = msgspec.json.decode(answer.body)
        return body

    async def opens_venue(self) -> None:
        always = tuple(
            replace(each, sessions="always", commission_per_lot=Decimal(7))
            for each in STANDARD_INSTRUMENTS
        )
        await self.ask(
            f"venue-{self.venue_id}",
            OpenVenue(
                venue_id=self.venue_id,
                owner=None,
                starts_at=self.clock.now(),
                instruments=always,
                gate=SANDBOX_ORDER_GATE,
                stale_after_seconds=None,
            ),
        )

    async def opens_account(
        self, *rules: dict[str, Any], trader: str = TRADER, deposit: str = "10000"
    ) -> str:
        account_id = self.new("account")
        await self.ask(
            f"account-{account_id}",
            OpenAccount(
                account_id=account_id,
                trader_id=trader,
                challenge_id=None,
                venue_id=self.venue_id,
                deposit=Money.parse(deposit, "USD"),
                phase=phase(*rules or (MAX_LOSS,)),
                terms_hash="sha256:00",
            ),
            trader,
        )
        return account_id

    async def buys_challenge(self, *phases: Phase) -> str:
        terms = Terms(adjudicator=ADJUDICATOR, currency="USD", phases=phases)
        size = Size(deposit=Decimal("10000.00"), price=Decimal("99.00"))
        plan = PlanDrafted(
            at=self.clock.now(),
            plan_id="plan-1",
            version=1,
            name="Two steps",
            sizes=(size,),
            terms=terms,
            terms_hash=terms.hash,
        )
        challenge_id = self.new("challenge")
        await self.ask(
            f"challenge-{challenge_id}",
            PurchaseChallenge(
                challenge_id=challenge_id,
                order_id=self.new("order"),
                trader_id=TRADER,
                venue_id=self.venue_id,
                plan=plan,
                size=size,
                payment="dev",
            ),
        )
        return challenge_id

    async def quotes(self, bid: str, ask: str, symbol: str = "EURUSD") -> None:
        """A second passes, and the market shows another price."""
        at = self.clock.moves(seconds=1)
        quote = SentQuote(symbol=symbol, bid=bid, ask=ask, at=at)
        await self.ask(
            f"venue-{self.venue_id}",
            TakeQuotes(venue_id=self.venue_id, quotes=(quote,)),
        )

    async def turns_day(self) -> None:
        to = self.clock.moves(days=1)
        await self.ask(
            f"venue-{self.venue_id}", AdvanceClock(venue_id=self.venue_id, to=to)
        )

    async def trades(
        self,
        account_id: str,
        quantity: str = "1.00",
        side: Side = Side.BUY,
        symbol: str = "EURUSD",
    ) -> str:
        trade_id = self.new("trade")
        await self.ask(
            f"account-{account_id}",
            OpenPosition(
                trade_id=trade_id,
                order_id=self.new("order"),
                client_order_id=None,
                symbol=symbol,
                side=side,
                quantity=Decimal(quantity),
                stop_loss=None,
                take_profit=None,
            ),
        )
        return trade_id

    async def closes(
        self, account_id: str, trade_id: str, quantity: str | None = None
    ) -> dict[str, Any]:
        lots = None if quantity is None else Decimal(quantity)
        return await self.ask(
            f"account-{account_id}", ClosePosition(trade_id=trade_id, quantity=lots)
        )


def phase(*rules: dict[str, Any], name: str = "evaluation") -> Phase:
    plan = CasePlan(initial="10000", reset=("UTC", "00:00"), rules=rules)
    return phase_of(plan, name)


@asynccontextmanager
async def trading_desk(
    partition: str, journal: Journal, venue_id: str
) -> AsyncIterator[Desk]:
    clock = HandClock()
    host = Host(partition, journal, clock)
    ended: list[BaseException | None] = []
    await host.start(ended.append)
    desk = Desk(host, clock, venue_id)
    await desk.opens_venue()
    try:
        yield desk
    finally:
        await host.stop()
    assert ended in ([], [None])
