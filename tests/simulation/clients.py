"""Whoever asks something of the engines: traders, a feed, operators, somebody curious.

They send again what nobody has answered, and believe nothing that they are told.
"""

import asyncio
from collections.abc import Sequence
from itertools import count
from random import Random
from typing import Final

from msgspec.structs import replace

from application.engine.asks import Answer, Ask, Poisoned, TakeQuotes
from application.refusals import NotFound, Waitable
from application.views.parked import ParkedView
from tests.simulation.answers import ANOTHER_BODY, Told
from tests.simulation.fleet import Fleet, Process
from tests.simulation.promises import must
from tests.simulation.realm import Realm
from tests.simulation.workload import LIVE, Operator, Trader, by_the_house

MOST_LISTED: Final = 50
LISTING_SECONDS: Final = 0.5


class Clients:
    def __init__(
        self, luck: Random, fleet: Fleet, traders: Sequence[Trader], commands: int
    ) -> None:
        self._luck, self._fleet = luck, fleet
        self._traders = traders
        self._commands = commands
        self.sent = 0

    @property
    def _have_had_enough(self) -> bool:
        return self.sent >= self._commands

    async def send(self, realm: Realm, ask: Ask) -> Told:
        """One attempt, at whoever serves; or what was taken for it."""
        process, answers, luck = await self._fleet.door(), realm.answers, self._luck
        known = answers.acknowledged
        was_there = realm.model.first_told.get(ask.stream, known + 1) <= known
        self.sent += 1
        asking: asyncio.Task[Answer] = process.task(
            process.gateway.ask(realm.name, ask)
        )
        patience = luck.choice((0.3, 6.0, 6.0, 6.0))
        await asyncio.wait({asking}, timeout=patience)
        told: Told = None
        if asking.done():
            told = asking.exception() or asking.result()
        elif luck.random() < 0.7:  # hang up, or let it run on unheard
            asking.cancel()
        answers.hear(ask, told, known, was_there=was_there)
        return told

    async def insist(self, realm: Realm, ask: Ask, tries: int) -> Told:
        """Send it until somebody decides, as a client with a key may."""
        told = await self.send(realm, ask)
        while tries and ask.is_kept and isinstance(told, Waitable | None):
            tries -= 1
            await asyncio.sleep(self._luck.choice((0.0, 0.1, 0.5)))
            told = await self.send(realm, ask)
        return told

    async def trade(self, trader: Trader) -> None:
        luck, realm = self._luck, trader.realm
        while not self._have_had_enough:
            ask = trader.next()
            if ask.is_kept and luck.random() < 0.05:
                await asyncio.gather(self.send(realm, ask), self.send(realm, ask))
            told = await self.insist(realm, ask, 4)
            if ask.is_kept and luck.random() < 0.05:
                await self.send(realm, ask)
            if ask.is_kept and isinstance(told, Poisoned) and luck.random() < 0.7:
                await asyncio.sleep(luck.choice((0.1, 0.5, 2.0)))
                await self.send(realm, ask)
            if ask.is_kept and isinstance(told, Answer) and luck.random() < 0.01:
                await self.send(realm, replace(ask, request_hash=ANOTHER_BODY))
            if luck.random() < 0.2 and trader.accounts:
                account_id = luck.choice(trader.accounts)
                self._look(await self._fleet.door(), realm, account_id, trader.name)
            await asyncio.sleep(luck.choice((0.0, 0.0, 0.002, 0.02, 0.1)))

    async def quote(self, live: Realm) -> None:
        """The live market, through its own traders' eyes."""
        watched = [each for each in self._traders if each.venue_id == LIVE]
        for number in count():
            if self._have_had_enough:
                return
            source = watched[number % len(watched)]
            quotes = tuple(source.quote(None) for _ in range(self._luck.randint(1, 4)))
            command = TakeQuotes(venue_id=LIVE, quotes=quotes)
            ask = by_the_house(f"venue-{LIVE}", command, number)
            await self.send(live, replace(ask, is_kept=False))
            await asyncio.sleep(self._luck.choice((0.01, 0.05, 0.1)))

    # -- what is parked ---------------------------------------------------------------

    async def operate(self, operator: Operator) -> None:
        """Decide about what failed, sometimes twice, and not always in one way."""
        luck, realm = self._luck, operator.realm
        while not self._have_had_enough:
            await asyncio.sleep(luck.choice((0.3, 1.0, 3.0)))
            for item in await self.parked(realm):
                if luck.random() < 0.3:
                    continue
                decisions = [operator.decision(item)]
                if luck.random() < 0.2:
                    decisions.append(operator.decision(item))
                await asyncio.gather(*(self.insist(realm, d, 4) for d in decisions))

    async def settle(self, operator: Operator) -> None:
        """Until nothing is left: once more, and what fails again no more."""
        realm, ask = operator.realm, operator.retry
        while items := await self.parked(realm):
            for item in items:
                await self.insist(realm, ask(item), 20)
            ask = operator.skip

    async def parked(self, realm: Realm) -> tuple[ParkedView, ...]:
        process = await self._fleet.door()
        listing = process.task(process.gateway.parked(realm.name, 0, MOST_LISTED))
        await asyncio.wait({listing}, timeout=LISTING_SECONDS)
        if not listing.done() or isinstance(listing.exception(), ConnectionError):
            return ()
        found: tuple[ParkedView, ...] = listing.result()
        return found

    # -- memory -----------------------------------------------------------------------

    def look_around(self, process: Process) -> None:
        """Who happens to ask just as it wakes."""
        for trader in self._traders:
            for account_id in trader.accounts[:1]:
                self._look(process, trader.realm, account_id, trader.name)

    def _look(
        self, process: Process, realm: Realm, account_id: str, owner: str
    ) -> None:
        """Memory answers only as long as nobody else can have begun."""
        if self._fleet.is_held(process):
            return
        try:
            view = process.gateway.account(account_id, owner)
        except (Waitable, NotFound):
            return
        partition, _, text = view.position.partition("-")
        known, model, position = realm.answers.acknowledged, realm.model, int(text)
        must(partition == realm.name, "an account of another partition:", view)
        must(position >= known, "memory of the past:", view.position, "<", known)
        account = model.accounts[account_id]
        stored = (model.position, account["venue"]["sequence"])
        is_judged = account_id not in model.book.pending
        if (position, view.quote_sequence) == stored and is_judged:
            must(view.balance == account["balance"], "balance", view)
            must(view.equity == model.book.equity(account), "equity", view)
            shown = "active" if view.status == "paused" else view.status
            must(shown == account["status"], "status", view)
