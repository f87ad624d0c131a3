"""An engine on a log in memory, a clock that is told the time, and what is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import msgspec
from msgspec.structs import replace

from application.engine.asks import (
    AdvanceClock,
    Answer,
    Ask,
    Command,
    OpenVenue,
    SentQuote,
    TakeQuotes,
    VenueCommand,
)
from application.engine.engine import Engine
from application.engine.host import Host
from application.engine.memory import Entry
from domain.account.commands import (
    ClosePosition,
    HoldPayout,
    PostFlow,
    ScaleAccount,
)
from domain.account.flow import FlowKind
from domain.account.state import Account
from domain.challenge.state import Challenge
from domain.rules.phase import Rule
from domain.values.instrument import Instrument
from domain.values.money import Money
from domain.values.quote import Side
from domain.venue.gate import LIVE_GATE, SANDBOX_ORDER_GATE, GateParameters
from infrastructure.event_store.memory import MemoryJournal, Partition
from tests.stories.facts import FREE_MARKETS, GOLD, MONDAY, opening, trade

NAMES = UUID("6f1c9f9e-5df2-5a3c-9d36-7c6f5a0a8d11")
SANDBOX = "sb-1"


class ManualClock:
    """Shows what it was told last."""

    def __init__(self, at: datetime = MONDAY) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def name(text: str) -> UUID:
    return uuid5(NAMES, text)


def asking(
    stream: str,
    command: Command | VenueCommand,
    *,
    key: str | None = None,
    natural: str | None = None,
    body: bytes = b"",
) -> Ask:
    return Ask(
        stream=stream,
        command=command,
        actor="a-trader",
        owner="a-trader",
        request_id="a-request",
        command_id=name(key) if key else None,
        request_hash=body,
        natural_id=name(natural) if natural else None,
    )


def open_venue(
    venue_id: str = SANDBOX,
    *,
    instruments: tuple[Instrument, ...] = (GOLD, *FREE_MARKETS[:6]),
    gate: GateParameters = SANDBOX_ORDER_GATE,
) -> Ask:
    command = OpenVenue(
        venue_id=venue_id,
        owner=None if venue_id == "live" else "a-trader",
        starts_at=MONDAY,
        instruments=instruments,
        gate=gate,
        stale_after_seconds=None,
    )
    return asking(f"venue-{venue_id}", command)


def open_live() -> Ask:
    return open_venue("live", gate=LIVE_GATE)


def open_account(
    account_id: str, *rules: Rule, venue_id: str = SANDBOX, deposit: str = "100000.00"
) -> Ask:
    command = opening(*rules)
    money = replace(command.deposit, amount=Decimal(deposit))
    command = replace(command, account_id=account_id, venue_id=venue_id, deposit=money)
    return asking(f"account-{account_id}", command)


def quotes(
    *pairs: tuple[str, str], venue_id: str = SANDBOX, at: datetime | None = None
) -> Ask:
    """Gold, each a dollar wide, or a symbol with a spread of a point."""
    sent = tuple(sent_quote(symbol, bid, at) for symbol, bid in pairs)
    return asking(f"venue-{venue_id}", TakeQuotes(venue_id=venue_id, quotes=sent))


def sent_quote(symbol: str, bid: str, at: datetime | None = None) -> SentQuote:
    spread = Decimal(1) if symbol == "XAUUSD" else Decimal("0.001")
    return SentQuote(symbol=symbol, bid=bid, ask=str(Decimal(bid) + spread), at=at)


def gold(*bids: str, venue_id: str = SANDBOX, at: datetime | None = None) -> Ask:
    return quotes(*(("XAUUSD", bid) for bid in bids), venue_id=venue_id, at=at)


def advance(to: datetime, venue_id: str = SANDBOX) -> Ask:
    return asking(f"venue-{venue_id}", AdvanceClock(venue_id=venue_id, to=to))


def buy(
    account_id: str, trade_id: str, quantity: str = "1.00", symbol: str = "XAUUSD"
) -> Ask:
    order = trade(Side.BUY, quantity, symbol, trade_id=trade_id)
    return asking(f"account-{account_id}", order)


def sell_out(account_id: str, trade_id: str, quantity: str | None = None) -> Ask:
    part = Decimal(quantity) if quantity else None
    command = ClosePosition(trade_id=trade_id, quantity=part)
    return asking(f"account-{account_id}", command)


def post_flow(
    account_id: str, kind: FlowKind, amount: str, flow_id: str = "f-1"
) -> Ask:
    command = PostFlow(
        flow_id=flow_id,
        kind=kind,
        amount=Money.parse(amount, "USD"),
        reason="why",
        by="an-admin",
    )
    return asking(f"account-{account_id}", command)


def pay_out(account_id: str, amount: str, payout_id: str = "p-1") -> Ask:
    return post_flow(account_id, FlowKind.PAYOUT, f"-{amount}", payout_id)


def hold_payout(account_id: str, amount: str, payout_id: str = "p-1") -> Ask:
    money = Money.parse(amount, "USD")
    command = HoldPayout(payout_id=payout_id, amount=money, by="an-admin")
    return asking(f"account-{account_id}", command)


def scale(account_id: str, deposit: str) -> Ask:
    command = ScaleAccount(
        flow_id="s-1",
        deposit=Money.parse(deposit, "USD"),
        phase=None,
        terms_hash=None,
        reason="why",
        by="an-admin",
    )
    return asking(f"account-{account_id}", command)


class Desk:
    """One running engine, with what the stories look at."""

    def __init__(self, host: Host, journal: MemoryJournal, clock: ManualClock) -> None:
        self.host, self.journal, self.clock = host, journal, clock
        self.ended: list[BaseException | None] = []

    @property
    def engine(self) -> Engine:
        return self.host.engine

    @property
    def partition(self) -> Partition:
        return self.journal.partition

    async def ask(self, *asks: Ask) -> Answer:
        """One after the other, each with what follows from it; the last answer."""
        assert asks
        for each in asks:
            answer = await self.host.ask_settled(each)
        return answer

    def account(self, account_id: str) -> Account:
        state = self.state(f"account-{account_id}")
        assert isinstance(state, Account)
        return state

    def challenge(self, challenge_id: str) -> Challenge:
        state = self.state(f"challenge-{challenge_id}")
        assert isinstance(state, Challenge)
        return state

    def state(self, stream: str) -> object:
        entry = self.engine.memory.shown(stream)
        return entry.state if entry else None

    def names(self, stream: str = "") -> list[str]:
        return [
            each.name
            for each in self.partition.events
            if each.stream.startswith(stream)
        ]


@asynccontextmanager
async def desk(
    partition: Partition | None = None,
    clock: ManualClock | None = None,
    *,
    ends_well: bool = True,
) -> AsyncIterator[Desk]:
    """Without `ends_well` it is dropped as a power cut would: no last checkpoint."""
    others = asyncio.all_tasks()
    journal = MemoryJournal(partition)
    time = clock or ManualClock()
    host = Host("s1", journal, time)
    here = Desk(host, journal, time)
    await host.start(here.ended.append)
    try:
        yield here
    finally:
        if ends_well:
            await host.stop()
        mine = asyncio.all_tasks() - others
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)


def told(answer: Answer) -> Any:
    return msgspec.json.decode(answer.body)


def remembered(engine: Engine) -> dict[str, object]:
    """All that an engine knows and a restart must know again."""
    streams: dict[str, Entry] = dict(engine.memory.all_shown())
    venues = {
        venue_id: (
            venue.version,
            venue.sequence,
            dict(venue.quotes),
            dict(venue.gate_states),
            venue.link,
            venue.due(datetime.max.replace(tzinfo=UTC)),
            venue.screen.exposed,
            dict(venue.timers.known),
        )
        for venue_id, venue in engine.venues.items()
    }
    return {
        "streams": streams,
        "venues": venues,
        "head": (engine.head.batch, engine.head.position),
        "trades": dict(engine.deciding.trades),
        "allocations": engine.deciding.allocations.known,
    }
