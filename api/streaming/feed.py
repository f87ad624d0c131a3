"""`feed:public`: breaches and passes of the live venue, with a name or a mask.

A name is a person's: it is asked for when the news goes out, and what looks like an
address is no name.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

import psycopg
import psycopg_pool
import structlog
from msgspec.structs import replace

from api.streaming.hub import Hub
from api.streaming.messages import NewsView
from api.streaming.told import BREACH, PASS, breach_id
from application.caller import Caller
from application.engine.deciding import LIVE
from application.engine.draft import Draft
from application.engine.journal import Recorded
from application.gateway import LIVE_PARTITION
from application.happenings import Happenings
from application.refusals import NotFound
from domain.account.events import ObjectivesMet, RuleBreached
from domain.account.state import Account
from projections.happenings import Happening

log = structlog.get_logger("tradesense.streams")

PUBLIC: Final = "public"
CHANNEL: Final = f"feed:{PUBLIC}"
MOST_WAITING: Final = 512  # for a name; of a crash of the market the latest are told
AT_ONCE: Final = 50

Handles = Callable[[Collection[str]], Awaitable[dict[str, str]]]
Latest = Callable[[int], Awaitable[tuple[Happening, ...]]]
News = tuple[Account, Recorded, RuleBreached | ObjectivesMet]
UNANSWERED: Final = (psycopg.Error, psycopg_pool.PoolTimeout, ConnectionError)


class Feed:
    message = ""

    def __init__(
        self, hub: Hub, happenings: Happenings, handles: Handles, latest: Latest
    ) -> None:
        self._hub = hub
        self._happenings = happenings
        self._handles = handles
        self._latest = latest
        self._waiting: deque[News] = deque(maxlen=MOST_WAITING)
        self._come = asyncio.Event()
        happenings.tell(self.heard)
        hub.open(CHANNEL, is_log=True)

    def admit(self, subject: str, caller: Caller | None) -> None:
        del caller  # anyone
        if subject != PUBLIC:
            raise NotFound(subject)

    async def opening(self, subject: str) -> None:
        """It has been open since the start."""

    def heard(self, partition: str, draft: Draft) -> None:
        if partition != LIVE_PARTITION:
            return
        for recorded, (_, stream, fact) in zip(draft.events, draft.facts, strict=True):
            if isinstance(fact, RuleBreached | ObjectivesMet):
                account_id = stream.removeprefix("account-")
                account = self._happenings.account(partition, account_id)
                assert account is not None
                if account.venue_id == LIVE:
                    self._waiting.append((account, recorded, fact))
                    self._come.set()

    async def run(self) -> None:
        before = await self._earlier()
        while True:
            await self._come.wait()
            few = range(min(AT_ONCE, len(self._waiting)))
            news = [self._waiting.popleft() for _ in few]
            if not self._waiting:
                self._come.clear()
            handles = await self._names({account.trader_id for account, *_ in news})
            for account, recorded, fact in news:
                view = news_view(account, recorded, fact, handles)
                if key_of(view) not in before:
                    self._hub.publish(CHANNEL, view.kind, view)

    async def _earlier(self) -> frozenset[tuple[str, datetime]]:
        """Begin with what the tables know, and give what need not be told again."""
        try:
            found = await self._latest(AT_ONCE)
        except UNANSWERED as error:  # nor is there any table at the very first start
            log.info("no-earlier-news", because=type(error).__name__)
            return frozenset()
        for each in reversed(found):
            name = shown_name(each.handle, each.account_id)
            self._hub.publish(CHANNEL, each.kind, replace(each, handle=name))
        return frozenset(map(key_of, found))

    async def _names(self, trader_ids: Collection[str]) -> dict[str, str]:
        try:
            return await self._handles(trader_ids)
        except UNANSWERED:
            return {}  # a mask will do


def news_view(
    account: Account,
    recorded: Recorded,
    fact: RuleBreached | ObjectivesMet,
    handles: Mapping[str, str],
) -> NewsView:
    breach = fact.breaches[0] if isinstance(fact, RuleBreached) else None
    return NewsView(
        kind=BREACH if breach else PASS,
        at=fact.at,
        account_id=account.account_id,
        handle=shown_name(handles.get(account.trader_id), account.account_id),
        phase=account.phase.name,
        currency=account.currency,
        deposit=account.marks.deposit.amount.amount,
        balance=fact.balance.amount,
        breach_id=breach_id(recorded, breach.limit.id) if breach else None,
        rule=breach.limit.id if breach else None,
        effect=breach.limit.effect.value if breach else None,
        floor=breach.floor.amount if breach else None,
        observed=breach.observed.amount if breach else None,
        position=f"{LIVE_PARTITION}-{recorded.position}",
    )


def key_of(news: Happening) -> tuple[str, datetime]:
    return news.account_id, news.at


def shown_name(handle: str | None, account_id: str) -> str:
    """The trader's name, or the mask that the leaderboard gives the account."""
    if handle is None or "@" in handle:
        return f"trader-{sha256(account_id.encode()).hexdigest()[:6]}"
    return handle
