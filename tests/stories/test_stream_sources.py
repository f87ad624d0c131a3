"""What the engines commit and the tables say becomes messages: once, and no other."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from api.streaming import accounts as accounts_of_streams
from api.streaming.accounts import LOOK_SECONDS, Accounts
from api.streaming.feed import CHANNEL, Feed
from api.streaming.hub import Hub
from api.streaming.leaderboards import Leaderboards
from api.streaming.quotes import Quotes
from application.caller import Caller, Role
from application.gateway import LocalGateway
from application.happenings import LocalHappenings
from application.refusals import NotFound, ProjectionBehind, Unauthenticated
from projections.happenings import Happening
from projections.leaderboard import Ranked
from tests.stories.engines import (
    Desk,
    advance,
    buy,
    desk,
    gold,
    open_account,
    open_live,
    open_venue,
    sell_out,
)
from tests.stories.facts import MAX_LOSS, MONDAY, TARGET
from tests.stories.test_streams import START, Reader

OWNER = Caller("a-trader", frozenset({Role.TRADER}), "s")
STRANGER = Caller("another", frozenset({Role.TRADER}), "s")
AUDITOR = Caller("an-auditor", frozenset({Role.AUDITOR}), "s")


class Floor:
    """An engine that plays the live partition, or the one of the sandboxes."""

    def __init__(self, here: Desk, partition: str) -> None:
        self.desk = here
        self.rounds_asked = 0
        self.hub = Hub(START, self._is_due)
        self.happenings = LocalHappenings()
        self.gateway = LocalGateway(self.happenings.of({partition: here.host}))

    def _is_due(self) -> None:
        self.rounds_asked += 1

    async def ask(self, *asks: Any) -> None:
        await self.desk.ask(*asks)


@asynccontextmanager
async def live_floor() -> AsyncIterator[Floor]:
    async with desk() as here:
        await here.ask(open_live())
        yield Floor(here, "p1")


async def opened(floor: Floor, source: Any, name: str) -> Reader:
    subject = name.partition(":")[2]
    floor.hub.open(name, source.message, await source.opening(subject))
    reader = Reader(floor.hub, name)
    reader.read()
    return reader


# -- quotes ---------------------------------------------------------------------------


async def test_only_the_newest_quote_of_a_round_is_shown() -> None:
    async with live_floor() as live:
        quotes = Quotes(live.hub, live.happenings)
        await live.ask(gold("1900", venue_id="live"))
        reader = await opened(live, quotes, "quotes:XAUUSD")
        live.rounds_asked = 0
        await live.ask(gold("1901", "1902", venue_id="live"))
        await live.ask(gold("1903", venue_id="live"))
        assert live.rounds_asked
        live.hub.round(0)
        (quote,) = reader.read()
        assert (quote["data"]["bid"], quote["data"]["sequence"]) == ("1903.00", 4)
        live.hub.round(0)
        assert reader.read() == []


async def test_a_symbol_that_is_not_traded_has_no_quotes() -> None:
    async with live_floor() as live:
        quotes = Quotes(live.hub, live.happenings)
        with pytest.raises(NotFound):
            quotes.admit("NOTHING", None)
        quotes.admit("XAUUSD", None)
        assert await quotes.opening("XAUUSD") is None


# -- accounts -------------------------------------------------------------------------


async def test_an_account_is_for_its_owner_and_for_staff() -> None:
    async with live_floor() as live:
        accounts = Accounts(live.hub, live.gateway, live.happenings)
        await live.ask(open_account("a", MAX_LOSS, venue_id="live"))
        accounts.admit("a", OWNER)
        accounts.admit("a", AUDITOR)
        with pytest.raises(Unauthenticated):
            accounts.admit("a", None)
        for account_id, caller in (("a", STRANGER), ("b", OWNER), ("b", AUDITOR)):
            with pytest.raises(NotFound):
                accounts.admit(account_id, caller)


async def test_an_event_is_told_before_the_standing_that_it_led_to() -> None:
    async with live_floor() as live:
        accounts = Accounts(live.hub, live.gateway, live.happenings)
        await live.ask(
            open_account("a", MAX_LOSS, venue_id="live"), gold("1900", venue_id="live")
        )
        reader = await opened(live, accounts, "account:a")
        await live.ask(buy("a", "t"))
        live.hub.round(0)
        fill, standing = reader.read()
        assert (fill["type"], fill["data"]["price"]) == ("fill", "1901.00")
        assert (standing["type"], standing["data"]["equity"]) == (
            "standing",
            "99900.00",
        )
        assert fill["data"]["position"] == standing["data"]["position"]


async def test_a_standing_is_shown_now_and_then_and_only_if_it_differs() -> None:
    async with live_floor() as live:
        accounts = Accounts(live.hub, live.gateway, live.happenings)
        await live.ask(
            open_account("a", MAX_LOSS, venue_id="live"), gold("1900", venue_id="live")
        )
        await live.ask(buy("a", "t"))
        reader = await opened(live, accounts, "account:a")
        await live.ask(gold("1901", venue_id="live"))
        live.hub.round(1.0)
        assert [each["data"]["equity"] for each in reader.read()] == ["100000.00"]
        await live.ask(gold("1902", venue_id="live"))
        live.rounds_asked = 0
        live.hub.round(1.0 + LOOK_SECONDS / 2)
        assert reader.read() == []
        assert live.rounds_asked == 1  # the next one, in which it will be time
        await live.ask(gold("1903", venue_id="live"))
        live.hub.round(1.0 + LOOK_SECONDS)
        assert [each["data"]["equity"] for each in reader.read()] == ["100200.00"]
        await live.ask(gold("1903", venue_id="live"))
        live.hub.round(1.0 + 2 * LOOK_SECONDS)
        assert reader.read() == []


async def test_many_accounts_are_looked_at_in_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accounts_of_streams, "MOST_LOOKS", 1)
    async with live_floor() as live:
        accounts = Accounts(live.hub, live.gateway, live.happenings)
        await live.ask(gold("1900", venue_id="live"))
        readers = []
        for name in ("a", "b", "c"):
            await live.ask(open_account(name, MAX_LOSS, venue_id="live"))
            readers.append(await opened(live, accounts, f"account:{name}"))
        await live.ask(buy("a", "t"), buy("b", "u"), buy("c", "v"))
        for number in range(1, 4):
            live.hub.round(1)
            shown = [
                [each for each in reader.read() if each["type"] == "standing"]
                for reader in readers
            ]
            assert [len(each) for each in shown] == [
                int(position == number) for position in range(1, 4)
            ]


async def test_an_account_without_a_trade_is_looked_at_when_its_day_turns() -> None:
    async with live_floor() as live:
        accounts = Accounts(live.hub, live.gateway, live.happenings)
        await live.ask(open_account("a", MAX_LOSS, venue_id="live"))
        reader = await opened(live, accounts, "account:a")
        await live.ask(gold("1900", venue_id="live"))
        live.hub.round(0)
        assert reader.read() == []
        live.desk.clock.at = MONDAY.replace(day=MONDAY.day + 1)
        await live.ask(advance(live.desk.clock.at, "live"))
        live.hub.round(1)
        (standing,) = reader.read()
        assert standing["data"]["day"]["starts_at"] == "2026-01-05T23:00:00Z"


async def test_what_nobody_reads_any_more_is_not_looked_at() -> None:
    async with live_floor() as live:
        accounts = Accounts(live.hub, live.gateway, live.happenings)
        await live.ask(open_account("a", MAX_LOSS, venue_id="live"))
        await accounts.opening("a")  # and nobody opens the channel
        live.hub.round(0)
        live.rounds_asked = 0
        await live.ask(gold("1900", venue_id="live"))
        assert live.rounds_asked == 0


# -- the public feed ------------------------------------------------------------------


class Names:
    def __init__(self, **handles: str) -> None:
        self.handles = {key.replace("_", "-"): name for key, name in handles.items()}
        self.is_away = False

    async def of(self, trader_ids: Collection[str]) -> dict[str, str]:
        if self.is_away:
            raise psycopg.OperationalError
        return self.handles


async def no_news(limit: int) -> tuple[Happening, ...]:
    return ()


async def lose(floor: Floor, account_id: str = "a") -> None:
    await floor.ask(
        open_account(account_id, MAX_LOSS, venue_id="live", deposit="10000.00"),
        gold("1899", "1900", venue_id="live"),
        buy(account_id, f"t-{account_id}", "0.50"),
        gold("1890", "1880", "1879", "1870", "1869", venue_id="live"),
    )
    assert floor.desk.account(account_id).is_over


async def news_of(floor: Floor, feed: Feed, many: int) -> list[Any]:
    reader = Reader(floor.hub, CHANNEL)
    reader.read()
    running = asyncio.create_task(feed.run())
    heard: list[Any] = []
    for _ in range(100):
        await asyncio.sleep(0)
        floor.hub.round(0)
        heard += reader.read()
    running.cancel()
    assert len(heard) == many
    return heard


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (Names(a_trader="Anna"), "Anna"),
        (Names(a_trader="anna@example.org"), "trader-ca9781"),
        (Names(), "trader-ca9781"),
    ],
    ids=["name", "address", "erased"],
)
async def test_a_breach_is_told_with_a_name_or_a_mask_never_an_address(
    names: Names, shown: str
) -> None:
    async with live_floor() as live:
        feed = Feed(live.hub, live.happenings, names.of, no_news)
        await lose(live)
        (told,) = await news_of(live, feed, 1)
        assert (told["type"], told["data"]["handle"]) == ("breach", shown)
        assert told["data"]["rule"] == "max"
        assert Decimal(told["data"]["observed"]) < Decimal(told["data"]["floor"])
        assert "trader_id" not in told["data"]


async def test_without_names_the_news_still_goes_out() -> None:
    async with live_floor() as live:
        names = Names(a_trader="Anna")
        names.is_away = True
        feed = Feed(live.hub, live.happenings, names.of, no_news)
        await lose(live)
        (told,) = await news_of(live, feed, 1)
        assert told["data"]["handle"] == "trader-ca9781"


async def test_a_pass_is_told_too() -> None:
    async with live_floor() as live:
        feed = Feed(live.hub, live.happenings, Names(a_trader="Anna").of, no_news)
        await live.ask(
            open_account("a", TARGET, venue_id="live"),
            gold("1900", venue_id="live"),
            buy("a", "t", "10.00"),
            gold("1950", "1951", "2000", "2001", venue_id="live"),
            sell_out("a", "t"),
        )
        (told,) = await news_of(live, feed, 1)
        assert told["type"] == "pass"
        assert told["data"]["rule"] is None


async def test_a_sandbox_is_no_news() -> None:
    async with desk() as here:
        floor = Floor(here, "s1")
        feed = Feed(floor.hub, floor.happenings, Names().of, no_news)
        await here.ask(
            open_venue(),
            open_account("a", MAX_LOSS, deposit="10000.00"),
            gold("1900"),
            buy("a", "t", "0.50"),
            gold("1800"),
        )
        assert here.account("a").is_over
        reader = Reader(floor.hub, CHANNEL)
        reader.read()
        running = asyncio.create_task(feed.run())
        for _ in range(10):
            await asyncio.sleep(0)
        floor.hub.round(0)
        running.cancel()
        assert reader.read() == []


async def test_what_the_tables_have_told_is_not_told_again() -> None:
    async with live_floor() as live:
        feed_of_before: list[Happening] = []

        async def latest(limit: int) -> tuple[Happening, ...]:
            return tuple(feed_of_before)

        feed = Feed(live.hub, live.happenings, Names().of, latest)
        await lose(live, "a")
        before = Happening(
            kind="breach",
            at=MONDAY,
            account_id="a",
            handle="anna@example.org",
            phase="evaluation",
            currency="USD",
            deposit=Decimal(10_000),
            balance=Decimal(9_000),
            breach_id="b",
            rule="max",
            effect="hard",
            floor=Decimal(9_000),
            observed=Decimal(8_999),
        )
        feed_of_before.append(before)
        await lose(live, "b")
        told = await news_of(live, feed, 2)
        assert [each["data"]["account_id"] for each in told] == ["a", "b"]


# -- the leaderboard ------------------------------------------------------------------


class Tables:
    """How far the tables are, and the best of the one board."""

    def __init__(self) -> None:
        self.at = 1
        self.moved = asyncio.Event()
        self.best: tuple[Ranked, ...] = ()
        self.is_away = False
        self.looked = asyncio.Event()

    def position(self, partition: str) -> int:
        return self.at

    async def wait_for(
        self,
        partition: str,
        position: int,
        timeout: float,  # noqa: ASYNC109 - as the real one has it
    ) -> None:
        if self.at < position:
            await self.moved.wait()
            self.moved.clear()
            if self.at < position:
                raise ProjectionBehind

    async def best_of(self, board: str, limit: int) -> tuple[Ranked, ...]:
        self.looked.set()
        if self.is_away:
            raise psycopg.OperationalError
        return self.best

    def move(self) -> None:
        self.at += 1
        self.moved.set()


def ranked(handle: str, percent: str) -> Ranked:
    return Ranked(
        rank=1,
        handle=handle,
        account_id="a",
        phase="evaluation",
        return_percent=Decimal(percent),
        equity_drawdown=Decimal(0),
    )


async def test_the_board_is_shown_when_its_table_has_changed_it() -> None:
    tables, hub = Tables(), Hub(START, lambda: None)
    boards = Leaderboards(hub, tables, tables.best_of, apart_seconds=0)
    tables.best = (ranked("anna@example.org", "1.0"),)
    view = await boards.opening("main")
    assert view.items[0].handle == "trader-ca9781"
    hub.open("leaderboard:main", boards.message, view)
    reader = Reader(hub, "leaderboard:main")
    reader.read()
    running = asyncio.create_task(boards.run())
    seen: list[str] = []
    for percent in ("1.0", "2.0", "2.0", "3.0"):
        tables.best = (ranked("Anna", percent),)
        tables.looked.clear()
        tables.move()
        await tables.looked.wait()
        await asyncio.sleep(0)
        hub.round(0)
        seen += [each["data"]["items"][0]["return_percent"] for each in reader.read()]
    running.cancel()
    assert seen == ["1.0", "2.0", "3.0"]


async def test_a_board_that_could_not_be_read_is_shown_as_soon_as_it_can() -> None:
    tables, hub = Tables(), Hub(START, lambda: None)
    boards = Leaderboards(hub, tables, tables.best_of, apart_seconds=0)
    tables.is_away = True
    board = await boards.opening("main")
    hub.open("leaderboard:main", boards.message, board)
    reader = Reader(hub, "leaderboard:main")
    assert reader.read()[1]["data"]["items"] == []
    running = asyncio.create_task(boards.run())
    tables.is_away = False
    tables.best = (ranked("Anna", "1.0"),)
    told: list[Any] = []
    while not told:
        tables.moved.set()
        await asyncio.sleep(0)
        hub.round(0)
        told = reader.read()
    running.cancel()
    assert told[0]["data"]["items"][0]["handle"] == "Anna"


async def test_there_are_only_boards_that_exist() -> None:
    tables = Tables()
    boards = Leaderboards(Hub(START, lambda: None), tables, tables.best_of)
    boards.admit("main", None)
    with pytest.raises(NotFound):
        boards.admit("mine", None)
