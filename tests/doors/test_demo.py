"""Demo traders live by the public API: they pass, are breached, wait, and come back."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from itertools import chain, repeat
from random import Random

import msgspec
import pytest
from click.testing import CliRunner
from httpx import AsyncClient, MockTransport, Request, Response
from msgspec import Struct

from api.cli.seed import seed
from api.demo import styles
from api.demo.answers import Symbol
from api.demo.cast import CAST, Part
from api.demo.client import Client, Person
from api.demo.crowd import Opened, open_accounts
from api.demo.floor import Floor
from api.demo.styles import Style, Wish
from api.demo.tape import Tape
from api.demo.temper import RECKLESS
from api.demo.ticker import Ticker
from api.demo.trader import Trader

ADA = Person("ada.1@demo.tradesense.ai", "demo trader Ada of seed 1", "Ada")
BTCUSD = {
    "symbol": "BTCUSD",
    "leverage": 20,
    "commission_per_lot": "4",
    "sessions": "always",
}
START = Decimal(50_000)
SPREAD = Decimal(5)
ENOUGH_BEATS = 120


class Venue(Struct, frozen=True):
    venue_id: str


class Taken(Struct, frozen=True):
    now: str


class Desk:
    """One trader on a sandbox of their own, whose price we move."""

    def __init__(self, client: Client, venue_id: str, style: Style) -> None:
        self.lines: list[str] = []
        self._client, self._venue_id = client, venue_id
        self._price = START
        tape = Tape()
        ticker = Ticker(tape, self.lines.append)
        part = Part("Ada", style, RECKLESS)
        self.trader = Trader(0, part, client, dice(1), venue_id, ticker)
        self._floor = Floor(client, venue_id, [self.trader], tape, ticker)

    @classmethod
    async def opened(cls, http: AsyncClient, style: Style) -> "Desk":
        client = Client(http, ADA)
        wanted = {"starts_at": "2026-01-04T09:00:00Z", "instruments": [BTCUSD]}
        venue = await client.post("/sandbox/venues", Venue, wanted)
        return cls(client, venue.venue_id, style)

    async def until(self, said: str, step: str, times: int = 1) -> list[str]:
        """Move the price a step a beat until a line has said it so many times."""
        for _ in range(ENOUGH_BEATS):
            if sum(said in line for line in self.lines) >= times:
                return self.lines
            self._price += Decimal(step)
            quote = {
                "symbol": "BTCUSD",
                "bid": str(self._price),
                "ask": str(self._price + SPREAD),
            }
            path = f"/sandbox/venues/{self._venue_id}/quotes"
            await self._client.post(path, Taken, {"quotes": [quote]})
            await self._floor.beat()
        raise AssertionError(self.lines)


@pytest.fixture
async def wire(address: tuple[str, int]) -> AsyncIterator[AsyncClient]:
    """A client of the API as another process would reach it."""
    host, port = address
    async with AsyncClient(base_url=f"http://{host}:{port}") as client:
        yield client


async def test_a_bull_in_a_rising_market_is_funded(wire: AsyncClient) -> None:
    desk = await Desk.opened(wire, styles.bull)
    lines = await desk.until("begins funded", "10")
    story = ("bought sprint", "BTCUSD at", "closed BTCUSD", "passed evaluation  +1.")
    assert places(lines, *story) == sorted(places(lines, *story))
    assert any("passed verification" in line for line in lines)
    assert not any("breached" in line for line in lines)


async def test_a_bull_in_a_falling_market_is_breached_and_tries_again(
    wire: AsyncClient,
) -> None:
    desk = await Desk.opened(wire, styles.bull)
    lines = await desk.until("bought sprint", "-10", times=2)
    breach = next(line for line in lines if "was breached" in line)
    assert "daily loss, equity" in breach
    deposits = ("below 9,900.00", "below 49,500.00")
    assert breach.endswith(deposits)


async def test_a_seed_opens_each_account_once(wire: AsyncClient) -> None:
    def nothing() -> None: ...

    first = await open_accounts(wire, 7, 5, nothing)
    again = await open_accounts(wire, 7, 5, nothing)
    assert first == again == Opened(traders=5, accounts=5, refused=0)
    head = (await wire.get("/api/v1/plans")).json()["position"]
    await open_accounts(wire, 7, 5, nothing)
    # quotes write no events, and neither did the purchases asked for once more
    assert (await wire.get("/api/v1/plans")).json()["position"] == head


def test_a_seed_is_for_development_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TS_ENV", "test")
    told = CliRunner().invoke(seed)
    assert (told.exit_code, "TS_ENV=dev" in told.output) == (1, True)


async def test_while_the_api_is_busy_nobody_asks() -> None:
    api = Scripted({"/market-data/symbols": lambda: page([symbol()])})
    busy = repeat(Response(503, headers={"Retry-After": "7"}))
    doors = chain([Response(202, json={})], busy)  # the floor's own, then the trader's
    api.answers["/auth/register"] = lambda: next(doors)
    async with api.client() as http:
        floor = floor_of(http)
        for _ in range(7):
            await floor.beat()
    assert api.asked.count("POST /auth/register") == 1 + 1


async def test_a_token_that_has_run_out_is_replaced_on_the_way() -> None:
    tokens = iter((Response(401, json={"code": "unauthenticated"}), page([symbol()])))
    api = Scripted({"/market-data/symbols": lambda: next(tokens)})
    async with api.client() as http:
        await floor_of(http, traders=False).beat()
    assert api.asked == [
        *("POST /auth/register", "POST /auth/login", "GET /market-data/symbols"),
        *("POST /auth/register", "POST /auth/login", "GET /market-data/symbols"),
    ]


async def test_a_purchase_whose_answer_was_lost_is_asked_for_with_the_same_key() -> (
    None
):
    bought = iter((Response(503), Response(201, json=CHALLENGE)))
    api = Scripted(
        {
            "/market-data/symbols": lambda: page([symbol()]),
            "/challenges": lambda: next(bought),
            "/accounts/a1": lambda: Response(200, json=account()),
            "/plans": lambda: page([PLAN]),
        }
    )
    api.answers["GET /challenges"] = lambda: page([])
    async with api.client() as http:
        floor = floor_of(http)
        while len(api.keys) < 2:
            await floor.beat()
    first, second = api.keys
    assert first == second


async def test_a_new_run_finds_the_account_and_the_trade_of_the_old_one() -> None:
    trade = {
        "trade_id": "t1",
        "symbol": "BTCUSD",
        "side": "buy",
        "quantity": "1",
        "status": "open",
        "open_price": "50000",
        "profit": "0",
    }
    api = Scripted(
        {
            "/market-data/symbols": lambda: page([symbol()]),
            "/challenges": lambda: page([CHALLENGE]),
            "/accounts/a1": lambda: Response(200, json=account(margin="2500")),
            "/trades": lambda: page([trade]),
        }
    )
    async with api.client() as http:
        tape = Tape()
        trader = trader_of(http, tape)
        await trader.step(0, tape)
    assert trader.account is not None
    assert trader.account.account_id == "a1"
    assert trader.trade is not None
    assert trader.trade.trade_id == "t1"


def test_a_closed_market_offers_nothing_to_trade() -> None:
    tape = Tape()
    tape.take([listed("EURUSD", "1.1", "closed"), listed("BTCUSD", "50000", "open")])
    assert set(tape.open) == {"BTCUSD"}


def test_the_same_seed_wishes_the_same_and_another_one_does_not() -> None:
    def wishes(number: int) -> list[Wish | None]:
        market, tape, wished = dice(0), Tape(), []
        thrown = {part: dice(f"{number}/{part.name}") for part in CAST}
        for _ in range(30):
            prices = {each: 100 + market.random() for each in ("ETHUSD", "BTCUSD")}
            tape.take(listed(each, f"{at:.2f}", "open") for each, at in prices.items())
            offered = list(tape.open.values())
            wished += [part.style(tape, offered, thrown[part]) for part in CAST]
        return wished

    assert wishes(1) == wishes(1)
    assert wishes(1) != wishes(2)


def test_it_waits_for_an_api_that_is_not_there_and_ends_at_a_signal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", "demo"],
        env={**os.environ, "HOST": "127.0.0.1", "PORT": port},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "waiting for the market" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=20)
    assert (process.returncode, complaints) == (0, "")


CHALLENGE = {"challenge_id": "c1", "status": "active", "account_id": "a1"}
PLAN = {"plan_id": "p1", "name": "sprint", "sizes": [{"deposit": "10000"}]}


def dice(seed: int | str) -> Random:
    return Random(seed)  # noqa: S311 - to be repeated, not secret


class Scripted:
    """An API that answers each path as told."""

    def __init__(self, answers: dict[str, Callable[[], Response]]) -> None:
        self.asked: list[str] = []
        self.keys: list[str] = []
        self.answers = {
            "/auth/register": lambda: Response(202, json={}),
            "/auth/login": lambda: Response(200, json={"access_token": "t"}),
            **answers,
        }

    def client(self) -> AsyncClient:
        return AsyncClient(transport=MockTransport(self), base_url="http://api")

    def __call__(self, request: Request) -> Response:
        path = request.url.path.removeprefix("/api/v1")
        self.asked.append(f"{request.method} {path}")
        if key := request.headers.get("Idempotency-Key"):
            self.keys.append(key)
        answer = self.answers.get(self.asked[-1]) or self.answers[path]
        return answer()


def floor_of(http: AsyncClient, *, traders: bool = True) -> Floor:
    tape = Tape()
    ticker = Ticker(tape, lambda _: None)
    here = [trader_of(http, tape)] if traders else []
    watcher = Client(http, Person("floor@demo.tradesense.ai", "the floor's own", "F"))
    return Floor(watcher, "live", here, tape, ticker)


def trader_of(http: AsyncClient, tape: Tape) -> Trader:
    part = Part("Ada", styles.bull, RECKLESS)
    ticker = Ticker(tape, lambda _: None)
    return Trader(0, part, Client(http, ADA), dice(1), "live", ticker)


def page(items: list[object]) -> Response:
    body = {"items": items, "next": None, "position": "p1-1"}
    return Response(200, content=msgspec.json.encode(body))


def symbol() -> Symbol:
    return listed("BTCUSD", "50000", "open")


def listed(name: str, price: str, session: str) -> Symbol:
    return msgspec.convert(
        {
            "symbol": name,
            "bid": price,
            "ask": str(Decimal(price) + Decimal("0.01")),
            "at": "2026-01-04T09:00:00Z",
            "session": session,
            "contract_size": "1",
            "digits": 2,
            "quantity_step": "0.01",
            "quantity_min": "0.01",
            "quantity_max": "100",
            "currency": "USD",
            "leverage": 20,
        },
        Symbol,
    )


def account(margin: str = "0") -> dict[str, object]:
    return {
        "account_id": "a1",
        "challenge_id": "c1",
        "phase": "evaluation",
        "currency": "USD",
        "status": "active",
        "deposit": "10000",
        "balance": "10000",
        "equity": "10000",
        "margin": margin,
        "free_margin": "7500",
        "limits": [],
        "objectives": [],
    }


def places(lines: list[str], *words: str) -> list[int]:
    """Where each was said first; fails on what was never said."""
    return [
        next(place for place, line in enumerate(lines) if word in line)
        for word in words
    ]
