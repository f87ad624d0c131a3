"""`feed:public`: breaches and passes of the live venue, with a name or a mask.

A name is a person's: it is asked for when the news goes out, and what looks like an
address is no name.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from decimal import Decimal
from hashlib import sha256
from typing import Final

import psycopg
import psycopg_pool
import structlog
from msgspec import UNSET

from api.streaming.hub import Hub
from api.streaming.messages import NewsView
from api.streaming.told import BREACH, PASS
from application.caller import Caller
from application.engine.deciding import LIVE
from application.engine.draft import Draft
from application.gateway import LIVE_PARTITION
from application.happenings import Happenings
from application.refusals import NotFound
from domain.account.events import ObjectivesMet, RuleBreached
from domain.account.state import Account
from projections.leaderboard import per_cent
from projections.news import Happened

log = structlog.get_logger("tradesense.streams")

PUBLIC: Final = "public"
CHANNEL: Final = f"feed:{PUBLIC}"
MOST_WAITING: Final = 512  # for a name; of a crash of the market the latest are told
AT_ONCE: Final = 50

Handles = Callable[[Collection[str]], Awaitable[dict[str, str]]]
Latest = Callable[[int], Awaitable[tuple[Happened, ...]]]
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
        self._waiting: deque[Happened] = deque(maxlen=MOST_WAITING)
        self._come = asyncio.Event()
        self._told_to = 0
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
        for position, stream, fact in draft.facts:
            if isinstance(fact, RuleBreached | ObjectivesMet):
                account_id = stream.removeprefix("account-")
                account = self._happenings.account(partition, account_id)
                assert account is not None
                if account.venue_id == LIVE:
                    self._waiting.append(happened(position, account, fact))
                    self._come.set()

    async def run(self) -> None:
        try:
            await self._tell(list(await self._latest(AT_ONCE)))
        except UNANSWERED as error:  # nor is there any table at the very first start
            log.info("no-earlier-news", because=type(error).__name__)
        while True:
            await self._come.wait()
            some = [
                self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))
            ]
            await self._tell(some)
            if not self._waiting:
                self._come.clear()

    async def _tell(self, news: list[Happened]) -> None:
        try:
            handles = await self._handles({each.trader_id for each in news})
        except UNANSWERED:
            handles = {}  # the mask will do
        for each in news:
            if each.position > self._told_to:
                self._told_to = each.position
                name = shown_name(handles.get(each.trader_id), each.account_id)
                self._hub.publish(CHANNEL, each.event, news_view(each, name))


def happened(
    position: int, account: Account, fact: RuleBreached | ObjectivesMet
) -> Happened:
    breach = fact.breaches[0] if isinstance(fact, RuleBreached) else None
    return Happened(
        event=BREACH if breach else PASS,
        account_id=account.account_id,
        trader_id=account.trader_id,
        phase=account.phase.name,
        currency=account.currency,
        deposit=account.marks.deposit.amount.amount,
        balance=fact.balance.amount,
        at=fact.at,
        partition=LIVE_PARTITION,
        position=position,
        rule=breach.limit.id if breach else None,
        kind=str(type(breach.limit).__struct_config__.tag) if breach else None,
        effect=breach.limit.effect if breach else None,
        floor=breach.floor.amount if breach else None,
        observed=breach.observed.amount if breach else None,
    )


def news_view(news: Happened, handle: str) -> NewsView:
    gain: Decimal = news.balance - news.deposit
    return NewsView(
        handle=handle,
        account_id=news.account_id,
        phase=news.phase,
        currency=news.currency,
        deposit=news.deposit,
        balance=news.balance,
        return_percent=per_cent(gain, news.deposit),
        at=news.at,
        position=f"{news.partition}-{news.position}",
        rule=news.rule or UNSET,
        kind=news.kind or UNSET,
        effect=news.effect or UNSET,
        floor=UNSET if news.floor is None else news.floor,
        observed=UNSET if news.observed is None else news.observed,
    )


def shown_name(handle: str | None, account_id: str) -> str:
    """The trader's name, or the mask that the leaderboard gives the account."""
    if handle is None or "@" in handle:
        return f"trader-{sha256(account_id.encode()).hexdigest()[:6]}"
    return handle
