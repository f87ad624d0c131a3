"""The one door to the engines, whether they run in this process or in another."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Protocol, runtime_checkable
from weakref import WeakValueDictionary

from msgspec import Struct

from application.engine.asks import Answer, Ask
from application.engine.host import Host
from application.engine.journal import Fenced, NotStored
from application.engine.venue import Venue
from application.refusals import NotFound, StoreUnavailable
from application.views.account import AccountView, account_view
from application.views.challenge import ChallengeView, challenge_view
from application.views.parked import ParkedView, parked_view
from application.views.plan import PlanView, latest, plan_view
from application.views.position import PositionView, position_views
from application.views.preview import PreviewView, preview_view
from application.views.venue import SymbolView, symbol_view
from application.without import recounted
from domain.account.commands import PlaceOrder
from domain.account.recount import Recount
from domain.account.state import Account, Status
from domain.challenge.decider import PurchaseChallenge, must_be_allowed
from domain.challenge.errors import RuleRefused
from domain.challenge.state import Challenge
from domain.plan.decider import Plan
from domain.plan.events import PlanDrafted, Size
from domain.rules.phase import Phase
from domain.values.exact import exact
from domain.values.instrument import Instrument

LIVE_PARTITION = "p1"
SANDBOX_PARTITION = "s1"
LONGEST_WAIT_SECONDS = 5.0
CONFIRM_SECONDS = 1.0  # for a busy machine; while the log is away all wait as long


class EngineStatus(Struct, frozen=True, kw_only=True):
    partition: str
    is_writing: bool
    position: int
    waiting: int
    venues: int
    exposed_accounts: int


@runtime_checkable
class Gateway(Protocol):
    """Queries show what is durable, never what is still being decided.

    An `owner` of None asks as the house; otherwise what is not the owner's raises
    `NotFound`, exactly as what does not exist.
    """

    async def ask(self, partition: str, ask: Ask) -> Answer:
        """Answer once the command and all that follows from it are durable."""
        ...

    async def confirm(self) -> None:
        """See to it that memory may answer, where that can be had soon."""
        ...

    def partition_of_venue(self, venue_id: str) -> str: ...

    def partition_of_account(self, account_id: str) -> str: ...

    def partition_of_challenge(self, challenge_id: str) -> str: ...

    def account_of_trade(self, trade_id: str) -> str | None:
        """The account of an open trade."""
        ...

    def see_account(self, account_id: str, owner: str | None) -> str:
        """Give its partition, once it is known to be the owner's."""
        ...

    def account(self, account_id: str, owner: str | None) -> AccountView: ...

    def positions(
        self, account_id: str, owner: str | None
    ) -> tuple[PositionView, ...]: ...

    def terms_of(self, account_id: str) -> tuple[Phase, str]:
        """What binds it, and in which currency; nothing is valued for that."""
        ...

    def preview(
        self, account_id: str, owner: str | None, command: PlaceOrder
    ) -> PreviewView:
        """What an order would leave; nothing is decided."""
        ...

    def challenge(self, challenge_id: str, owner: str | None) -> ChallengeView: ...

    def plans(self) -> tuple[PlanView, ...]: ...

    def plan(self, plan_id: str, version: int | None = None) -> PlanView:
        """What is on sale, or the version that is asked for."""
        ...

    def plan_versions(self, plan_id: str) -> tuple[PlanView, ...]: ...

    def on_sale(
        self, plan_id: str, deposit: str, version: int | None = None
    ) -> tuple[PlanDrafted, Size]:
        """Raises `PlanNotActive`, `SizeNotOffered`."""
        ...

    def may_buy(self, purchase: PurchaseChallenge) -> bool:
        """Whether no rule forbids it now: what is refused is not charged."""
        ...

    def buying(self, trader_id: str) -> asyncio.Lock:
        """One purchase of a person at a time: nothing else is bought while they pay."""
        ...

    def symbols(self, venue_id: str, owner: str | None) -> tuple[SymbolView, ...]: ...

    async def recount(
        self, account_id: str, breach_version: int, ticks: Collection[int]
    ) -> Recount | None:
        """Count again without those quotes; None: the account is not breached.

        Raises `AnnulmentRefused` where they are not what convicted it.
        """
        ...

    def instruments(self, venue_id: str) -> Mapping[str, Instrument]: ...

    def instrument(self, venue_id: str, symbol: str) -> Instrument:
        """What the symbol is specified as last, though it may not be in effect yet."""
        ...

    def now(self, venue_id: str, owner: str | None) -> datetime: ...

    def last_block(self, venue_id: str) -> int:
        """The number of the last block of its ticks that is on disk."""
        ...

    async def parked(
        self, partition: str, after: int, limit: int
    ) -> tuple[ParkedView, ...]:
        """What nobody has decided about, the oldest first."""
        ...

    async def parked_item(self, partition: str, parked_id: int) -> ParkedView: ...

    def venues(self, partition: str) -> int: ...

    def position(self, partition: str) -> int: ...

    def status(self) -> tuple[EngineStatus, ...]: ...


class LocalGateway:
    """The engines run in this very process and event loop."""

    def __init__(self, hosts: dict[str, Host]) -> None:
        self._hosts = hosts
        self._confirming: dict[str, asyncio.Task[None]] = {}
        self._buying = WeakValueDictionary[str, asyncio.Lock]()

    async def ask(self, partition: str, ask: Ask) -> Answer:
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                return await self._hosts[partition].ask_settled(ask)
        except TimeoutError:
            raise StoreUnavailable("no answer in time; send it again") from None

    async def confirm(self) -> None:
        late = [each for each in self._hosts.values() if not each.engine.holds_lease]
        if late:
            confirming = [self._confirmed(each) for each in late]
            await asyncio.wait(confirming, timeout=CONFIRM_SECONDS)

    def _confirmed(self, host: Host) -> asyncio.Task[None]:
        """One attempt at a time, which goes on when nobody waits for it any more."""
        known = self._confirming.get(host.engine.partition)
        if known is None or known.done():
            known = asyncio.create_task(confirmed(host))
            self._confirming[host.engine.partition] = known
        return known

    def partition_of_venue(self, venue_id: str) -> str:
        for partition, host in self._hosts.items():
            must_hold(host)
            if venue_id in host.engine.venues:
                return partition
        raise NotFound(venue_id)

    def partition_of_account(self, account_id: str) -> str:
        return self._partition_of(f"account-{account_id}")

    def partition_of_challenge(self, challenge_id: str) -> str:
        return self._partition_of(f"challenge-{challenge_id}")

    def account_of_trade(self, trade_id: str) -> str | None:
        for host in self._hosts.values():
            if account_id := host.engine.deciding.trades.get(trade_id):
                return account_id
        return None

    def see_account(self, account_id: str, owner: str | None) -> str:
        stream = f"account-{account_id}"
        partition = self._partition_of(stream)
        entry = self._hosts[partition].engine.memory.shown(stream)
        assert entry is not None
        assert isinstance(entry.state, Account)
        must_own(entry.state.trader_id, owner, account_id)
        return partition

    def account(self, account_id: str, owner: str | None) -> AccountView:
        stream = f"account-{account_id}"
        partition = self._partition_of(stream)
        engine = self._hosts[partition].engine
        entry = engine.memory.shown(stream)
        assert entry is not None
        assert isinstance(entry.state, Account)
        must_own(entry.state.trader_id, owner, account_id)
        moment = engine.venues[entry.state.venue_id].shown_moment()
        token = f"{partition}-{engine.head.position}"
        return account_view(entry.state, moment, token, entry.version)

    def positions(self, account_id: str, owner: str | None) -> tuple[PositionView, ...]:
        partition = self.see_account(account_id, owner)
        engine = self._hosts[partition].engine
        entry = engine.memory.shown(f"account-{account_id}")
        assert entry is not None
        assert isinstance(entry.state, Account)
        moment = engine.venues[entry.state.venue_id].shown_moment()
        return tuple(position_views(entry.state, moment.market))

    def terms_of(self, account_id: str) -> tuple[Phase, str]:
        partition = self.see_account(account_id, None)
        entry = self._hosts[partition].engine.memory.shown(f"account-{account_id}")
        assert entry is not None
        assert isinstance(entry.state, Account)
        return entry.state.phase, entry.state.currency

    async def recount(
        self, account_id: str, breach_version: int, ticks: Collection[int]
    ) -> Recount | None:
        engine = self._hosts[self.see_account(account_id, None)].engine
        entry = engine.memory.shown(f"account-{account_id}")
        assert entry is not None
        assert isinstance(entry.state, Account)
        if entry.state.status is not Status.BREACHED or entry.state.bridge is not None:
            return None
        return await recounted(engine.journal, account_id, breach_version, ticks)

    def preview(
        self, account_id: str, owner: str | None, command: PlaceOrder
    ) -> PreviewView:
        partition = self.see_account(account_id, owner)
        engine = self._hosts[partition].engine
        entry = engine.memory.shown(f"account-{account_id}")
        assert entry is not None
        assert isinstance(entry.state, Account)
        moment = engine.venues[entry.state.venue_id].shown_moment()
        return preview_view(entry.state, command, moment)

    def instruments(self, venue_id: str) -> Mapping[str, Instrument]:
        partition = self.partition_of_venue(venue_id)
        return self._hosts[partition].engine.venues[venue_id].instruments

    def challenge(self, challenge_id: str, owner: str | None) -> ChallengeView:
        stream = f"challenge-{challenge_id}"
        partition = self._partition_of(stream)
        engine = self._hosts[partition].engine
        entry = engine.memory.shown(stream)
        assert entry is not None
        assert isinstance(entry.state, Challenge)
        must_own(entry.state.trader_id, owner, challenge_id)
        token = f"{partition}-{engine.head.position}"
        return challenge_view(entry.state, token, entry.version)

    def plans(self) -> tuple[PlanView, ...]:
        return tuple(
            plan_view(plan, plan.active)
            for plan in self._plans()
            if plan.active is not None
        )

    def plan(self, plan_id: str, version: int | None = None) -> PlanView:
        plan = self._plan(plan_id)
        if version is None:
            return latest(plan)
        if version > len(plan.drafts):
            raise NotFound(f"{plan_id} has no version {version}")
        return plan_view(plan, version)

    def plan_versions(self, plan_id: str) -> tuple[PlanView, ...]:
        plan = self._plan(plan_id)
        return tuple(plan_view(plan, each.version) for each in plan.drafts)

    def on_sale(
        self, plan_id: str, deposit: str, version: int | None = None
    ) -> tuple[PlanDrafted, Size]:
        return self._plan(plan_id).on_sale(exact(deposit), version)

    def buying(self, trader_id: str) -> asyncio.Lock:
        lock = self._buying.get(trader_id)
        if lock is None:
            lock = self._buying[trader_id] = asyncio.Lock()
        return lock

    def may_buy(self, purchase: PurchaseChallenge) -> bool:
        partition = self.partition_of_venue(purchase.venue_id)
        engine = self._hosts[partition].engine
        if engine.memory.shown(f"challenge-{purchase.challenge_id}") is not None:
            return True  # it is asked for again
        held = engine.deciding.allocations.held(purchase.venue_id, purchase.trader_id)
        moment = engine.venues[purchase.venue_id].shown_moment()
        try:
            must_be_allowed(purchase, held, moment)
        except RuleRefused:
            return False
        return True

    def symbols(self, venue_id: str, owner: str | None) -> tuple[SymbolView, ...]:
        venue = self._venue(venue_id, owner)
        moment = venue.shown_moment()
        return tuple(symbol_view(each, moment) for each in venue.instruments.values())

    def instrument(self, venue_id: str, symbol: str) -> Instrument:
        venue = self._venue(venue_id, None)
        for each in reversed(venue.shown.upcoming):
            if each.symbol == symbol:
                return each.instrument
        if symbol not in venue.instruments:
            raise NotFound(symbol)
        return venue.instruments[symbol]

    def now(self, venue_id: str, owner: str | None) -> datetime:
        return self._venue(venue_id, owner).shown.clock

    def last_block(self, venue_id: str) -> int:
        return self._venue(venue_id, None).shown.link.number

    async def parked(
        self, partition: str, after: int, limit: int
    ) -> tuple[ParkedView, ...]:
        found = await self._hosts[partition].engine.journal.parked(after, limit)
        return tuple(parked_view(partition, each) for each in found)

    async def parked_item(self, partition: str, parked_id: int) -> ParkedView:
        if partition not in self._hosts:
            raise NotFound(partition)
        found = await self._hosts[partition].engine.journal.parked_item(parked_id)
        if found is None:
            raise NotFound(f"{partition}/{parked_id}")
        return parked_view(partition, found)

    def venues(self, partition: str) -> int:
        return len(self._hosts[partition].engine.venues)

    def position(self, partition: str) -> int:
        must_hold(self._hosts[partition])
        return self._hosts[partition].engine.head.position

    def status(self) -> tuple[EngineStatus, ...]:
        return tuple(
            EngineStatus(
                partition=partition,
                is_writing=host.is_writing,
                position=host.engine.head.position,
                waiting=host.engine.queued,
                venues=len(host.engine.venues),
                exposed_accounts=sum(
                    venue.screen.exposed for venue in host.engine.venues.values()
                ),
            )
            for partition, host in self._hosts.items()
        )

    def _partition_of(self, stream: str) -> str:
        for partition, host in self._hosts.items():
            must_hold(host)
            if host.engine.memory.shown(stream) is not None:
                return partition
        raise NotFound(stream)

    def _venue(self, venue_id: str, owner: str | None) -> Venue:
        partition = self.partition_of_venue(venue_id)
        venue = self._hosts[partition].engine.venues[venue_id]
        if venue.owner is not None:
            must_own(venue.owner, owner, venue_id)
        return venue

    def _plans(self) -> Iterator[Plan]:
        must_hold(self._hosts[LIVE_PARTITION])
        for entry in self._hosts[LIVE_PARTITION].engine.memory.plans():
            assert isinstance(entry.state, Plan)
            yield entry.state

    def _plan(self, plan_id: str) -> Plan:
        must_hold(self._hosts[LIVE_PARTITION])
        memory = self._hosts[LIVE_PARTITION].engine.memory
        entry = memory.shown(f"plan-{plan_id}")
        if entry is None:
            raise NotFound(plan_id)
        assert isinstance(entry.state, Plan)
        return entry.state


async def confirmed(host: Host) -> None:
    with suppress(NotStored, ConnectionError):
        try:
            await host.engine.renew_lease()
        except Fenced as fenced:
            host.engine.fence(fenced)


def must_hold(host: Host) -> None:
    """Memory answers only while nobody else can have become the owner."""
    if not host.engine.holds_lease:
        raise StoreUnavailable("the ownership of the log is not confirmed")


def must_own(actual: str, owner: str | None, name: str) -> None:
    if owner is not None and owner != actual:
        raise NotFound(name)
