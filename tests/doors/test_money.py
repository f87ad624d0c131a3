"""The worked cases of trading through the public doors, in dollars, euros and yen."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from httpx import AsyncClient

from api.cli.main import main
from infrastructure.roles import Role
from tests.databases import Database
from tests.doors.desk import MAX_LOSS, Desk

NEVER = {**MAX_LOSS, "amount": ["pct_initial", "99"]}
LISTED: list[dict[str, Any]] = [
    {
        "symbol": "EURUSD",
        "leverage": 100,
        "commission_per_lot": "7.00",
        "swap_long": "-6.50",
        "sessions": "always",
        "rollover": ["America/New_York", "17:00"],
        "triple_swap_on": "Wed",
    },
    {"symbol": "USDJPY", "leverage": 100, "sessions": "always"},
    {"symbol": "EURJPY", "leverage": 100, "sessions": "always"},
    {"symbol": "GBPJPY", "leverage": 100, "sessions": "always", "digits": 3},
    {"symbol": "USDCHF", "leverage": 30, "sessions": "always"},
]


class Floor:
    """A desk with a venue of several symbols, and accounts on terms of trading."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @classmethod
    async def opened(cls, http: AsyncClient) -> "Floor":
        desk = await Desk.opened(http)
        body = {"starts_at": "2026-01-05T09:00:00Z", "instruments": LISTED}
        desk.venue_id = (await desk.post("/sandbox/venues", body, 201))["venue_id"]
        return cls(desk)

    async def account(
        self, initial: str = "100000", currency: str = "USD", **trading: Any
    ) -> str:
        plan = {"initial": initial, "reset": ["UTC", "00:00"], "rules": [NEVER]}
        body = {"plan": plan, "currency": currency, "trading": trading}
        place = f"/sandbox/venues/{self.desk.venue_id}/accounts"
        account_id = (await self.desk.post(place, body, 201))["account_id"]
        assert isinstance(account_id, str)
        return account_id

    async def quote(self, symbol: str, bid: str, ask: str | None = None) -> None:
        body = {"quotes": [{"symbol": symbol, "bid": bid, "ask": ask or bid}]}
        venue = f"/sandbox/venues/{self.desk.venue_id}"
        told = await self.desk.post(f"{venue}/quotes", body, 200)
        assert told["results"][0]["accepted"], told

    async def advance(self, to: str) -> None:
        place = f"/sandbox/venues/{self.desk.venue_id}/clock/advance"
        await self.desk.post(place, {"to": to}, 200)

    async def trade(self, account_id: str, side: str, lots: str, symbol: str) -> Any:
        return await self.desk.trade(account_id, side, lots, symbol=symbol)

    async def close(self, trade: Any, lots: str | None = None) -> Any:
        body = {"quantity": lots} if lots else {}
        return await self.desk.post(f"/trades/{trade['trade_id']}/close", body, 200)

    async def standing(self, account_id: str) -> Any:
        return await self.desk.get(f"/accounts/{account_id}")

    async def events(self, account_id: str) -> list[str]:
        told = await self.desk.get(f"/accounts/{account_id}/events", limit=200)
        return [each["type"] for each in told["items"]]


async def test_t01_opening_takes_commission_margin_and_the_spread(
    http: AsyncClient,
) -> None:
    floor = await Floor.opened(http)
    account_id = await floor.account()
    await floor.quote("EURUSD", "1.09990", "1.10000")
    trade = await floor.trade(account_id, "buy", "1.00", "EURUSD")
    assert (trade["open_price"], trade["commission"]) == ("1.10000", "7.00")
    standing = await floor.standing(account_id)
    assert standing["margin"] == "1100.00"
    assert standing["balance"] == "99993.00"
    assert standing["equity"] == "99983.00"
    assert standing["free_margin"] == "98883.00"
    assert standing["margin_level"] == "9089.36"
    assert standing["trading"]["stop_out"] == "50"


async def test_t02_and_t13_a_gain_in_yen_is_sold_at_the_ask(http: AsyncClient) -> None:
    floor = await Floor.opened(http)
    dollars, euros = await floor.account(), await floor.account(currency="EUR")
    await floor.quote("USDJPY", "150.000", "150.010")
    sold = await floor.trade(dollars, "sell", "0.50", "USDJPY")
    await floor.quote("USDJPY", "149.490", "149.500")
    assert (await floor.close(sold))["profit"] == "167.22"
    await floor.quote("EURJPY", "163.25", "163.27")
    await floor.quote("GBPJPY", "189.990", "190.000")
    bought = await floor.trade(euros, "buy", "0.40", "GBPJPY")
    await floor.quote("GBPJPY", "190.600", "190.610")
    closed = await floor.close(bought)
    assert (closed["profit"], closed["balance"]) == ("147.00", "100147.00")


async def test_a_yen_account_is_exact_to_the_yen(http: AsyncClient) -> None:
    floor = await Floor.opened(http)
    account_id = await floor.account("10000000", "JPY", commission="on_close")
    await floor.quote("USDJPY", "150.123", "150.133")
    await floor.quote("EURUSD", "1.09990", "1.10000")
    trade = await floor.trade(account_id, "buy", "0.10", "EURUSD")
    assert (trade["commission"], trade["swap"]) == ("0", "0")
    await floor.quote("EURUSD", "1.10123", "1.10133")
    closed = await floor.close(trade)
    # 12.30 x 150.123 is 1,846.51, and the commission of 0.7 yen is one
    assert (closed["profit"], closed["commission"]) == ("1847", "1")
    assert closed["balance"] == "10001846"


async def test_t05_a_netting_account_has_one_trade_of_a_symbol(
    http: AsyncClient, projected: None
) -> None:
    floor = await Floor.opened(http)
    account_id = await floor.account(book="netting", commission="on_close")
    await floor.quote("EURUSD", "1.1000")
    first = await floor.trade(account_id, "buy", "1.00", "EURUSD")
    await floor.quote("EURUSD", "1.1020")
    second = await floor.trade(account_id, "buy", "1.00", "EURUSD")
    assert second["trade_id"] == first["trade_id"]
    assert (second["quantity"], second["open_price"]) == ("2.00", "1.10100")
    await floor.quote("EURUSD", "1.1030")
    taken = await floor.trade(account_id, "sell", "1.50", "EURUSD")
    assert (taken["trade_id"], taken["status"]) == (first["trade_id"], "open")
    assert (taken["profit"], taken["closed_quantity"]) == ("300.00", "1.50")
    await floor.quote("EURUSD", "1.1000")
    turned = await floor.trade(account_id, "sell", "1.00", "EURUSD")
    assert turned["trade_id"] != first["trade_id"]
    assert (turned["side"], turned["quantity"]) == ("sell", "0.50")
    assert turned["open_price"] == "1.10000"
    shown = (await floor.desk.get("/trades", account_id=account_id))["items"]
    assert {
        (each["side"], each["quantity"], each["status"], each["profit"])
        for each in shown
    } == {("sell", "0.50", "open", "0.00"), ("buy", "2.00", "closed", "250.00")}
    assert (await floor.standing(account_id))["balance"] == "100236.00"
    assert await floor.events(account_id) == [
        "account.opened/1",
        "account.position-opened/1",
        "account.position-increased/1",
        "account.position-closed/1",
        "account.position-closed/1",
        "account.position-opened/1",
    ]


@pytest.mark.parametrize(
    ("model", "margin"),
    [("uncovered", "1100.00"), ("larger_leg", "3300.00"), ("full", "5500.00")],
)
async def test_t06_a_hedge_holds_margin_by_its_model(
    http: AsyncClient, model: str, margin: str
) -> None:
    floor = await Floor.opened(http)
    account_id = await floor.account(hedged_margin=model)
    await floor.quote("EURUSD", "1.10000")
    await floor.trade(account_id, "sell", "3.00", "EURUSD")
    await floor.trade(account_id, "buy", "2.00", "EURUSD")
    assert (await floor.standing(account_id))["margin"] == margin


async def test_t07_the_call_and_the_stop_out(
    http: AsyncClient, projected: None
) -> None:
    floor = await Floor.opened(http)
    account_id = await floor.account("3336.31")
    await floor.quote("USDCHF", "0.90000")
    await floor.trade(account_id, "buy", "1.00", "USDCHF")
    assert (await floor.standing(account_id))["margin"] == "3333.33"
    await floor.quote("USDCHF", "0.89990")
    called = await floor.standing(account_id)
    assert (called["equity"], called["is_margin_called"]) == ("3325.20", True)
    await floor.quote("USDCHF", "0.88522")  # 3,336.31 - 1,669.64 = 1,666.67
    stopped = await floor.standing(account_id)
    assert (stopped["balance"], stopped["margin"]) == ("1666.67", "0.00")
    (closed,) = (await floor.desk.get("/trades", account_id=account_id))["items"]
    assert (closed["status"], closed["close_price"]) == ("closed", "0.88522")
    assert (await floor.events(account_id))[2:] == [
        "account.margin-called/1",
        "account.position-closed/1",
        "account.margin-restored/1",
    ]


async def test_t08_and_t09_shares_of_commission_and_three_nights_of_swap(
    http: AsyncClient, projected: None
) -> None:
    floor = await Floor.opened(http)
    account_id = await floor.account(commission="on_close", swap="accrued")
    posting = await floor.account()
    await floor.quote("EURUSD", "1.10000")
    trade = await floor.trade(account_id, "buy", "1.00", "EURUSD")
    await floor.trade(posting, "buy", "1.00", "EURUSD")
    await floor.advance("2026-01-05T22:00:00Z")  # 17:00 in New York
    standing = await floor.standing(account_id)
    assert (standing["balance"], standing["equity"]) == ("100000.00", "99993.50")
    part = await floor.close(trade, "0.30")
    assert (part["commission"], part["swap"]) == ("2.10", "-1.95")
    assert (part["accrued_swap"], part["balance"]) == ("-4.55", "99995.95")
    rest = await floor.close(trade)
    assert (rest["commission"], rest["swap"]) == ("7.00", "-6.50")
    assert rest["balance"] == "99986.50"
    assert (await floor.standing(posting))["balance"] == "99986.50"
    await floor.advance("2026-01-07T21:59:59Z")
    assert (await floor.standing(posting))["balance"] == "99980.00"
    await floor.advance("2026-01-07T22:00:00Z")  # the triple day
    assert (await floor.standing(posting))["balance"] == "99960.50"
    (held,) = (await floor.desk.get("/trades", account_id=posting))["items"]
    assert (held["swap"], held["balance"]) == ("-32.50", "99960.50")
    listed = (await floor.desk.get("/accounts"))["items"]
    balances = {each["account_id"]: each["balance"] for each in listed}
    assert balances == {account_id: "99986.50", posting: "99960.50"}
    points = (await floor.desk.get(f"/accounts/{posting}/curve"))["points"]
    assert points[-1]["balance"] == "99960.50"


async def test_what_converts_may_be_too_old(http: AsyncClient) -> None:
    floor = await Floor.opened(http)
    account_id = await floor.account(currency="EUR", conversion_stale_after=60)
    await floor.quote("EURJPY", "163.25", "163.27")
    await floor.advance("2026-01-05T09:01:01Z")
    await floor.quote("GBPJPY", "189.990", "190.000")
    refused = await floor.desk.trade(
        account_id, "buy", "0.40", status=409, symbol="GBPJPY"
    )
    assert refused["code"] == "quote-stale"


async def test_what_cannot_be_terms_of_trading_is_refused(http: AsyncClient) -> None:
    floor = await Floor.opened(http)
    plan = {"initial": "1000", "reset": ["UTC", "00:00"], "rules": [NEVER]}
    place = f"/sandbox/venues/{floor.desk.venue_id}/accounts"
    for trading, path in (
        ({"book": "both"}, "trading.book"),
        ({"leverage": 5}, "trading.leverage"),
        ({"margin_call": "1", "stop_out": "2"}, "trading"),
    ):
        refused = await floor.desk.post(place, {"plan": plan, "trading": trading}, 400)
        assert refused["errors"][0]["path"] == path


async def tradesense(*words: str) -> Any:
    ran = await asyncio.to_thread(CliRunner().invoke, main, [*words, "--json"])
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


async def test_all_of_it_replays_rebuilds_and_is_explained(
    http: AsyncClient,
    projected: None,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TS_ENV", "dev")
    monkeypatch.setenv("REDIS_URL", database.servers.redis_url)

    async def told_to(role: Role, *words: str) -> Any:
        monkeypatch.setenv("DATABASE_URL", database.dsn(role))
        return await tradesense(*words)

    floor = await Floor.opened(http)
    account_id = await floor.account(
        "4000",
        swap="accrued",
        book="netting",
        commission="on_close",
        slippage={"seed": 5, "weights": [1, 2, 3]},
        latency={"seed": 5, "at_least": 3, "at_most": 40},
        negative_balance="zero",
    )
    await floor.quote("USDCHF", "0.90000")
    await floor.quote("EURUSD", "1.10000")
    await floor.trade(account_id, "buy", "0.50", "USDCHF")
    await floor.trade(account_id, "buy", "0.40", "USDCHF")
    await floor.trade(account_id, "buy", "0.20", "EURUSD")
    await floor.trade(account_id, "sell", "0.30", "EURUSD")
    await floor.trade(account_id, "buy", "0.20", "EURUSD")
    await floor.advance("2026-01-06T23:00:00Z")
    await floor.quote("USDCHF", "0.89000")
    await floor.quote("USDCHF", "0.83000")
    standing = await floor.standing(account_id)
    told = await floor.events(account_id)
    assert told.count("account.swap-accrued/1") == 2
    assert told.count("account.margin-called/1") == 1
    assert told[-1] == "account.negative-balance-cleared/1"
    assert standing["balance"] == standing["equity"] == "0.00"
    report = await told_to(Role.AUDITOR, "audit", "replay")
    assert report["equal"], report["differences"]
    seen = {"account_id": account_id, "min_position": standing["position"]}
    assert len((await floor.desk.get("/trades", **seen))["items"]) == 4
    digest = await told_to(Role.PROJECTOR, "projections", "digest")
    await told_to(Role.PROJECTOR, "projections", "rebuild")
    assert (await told_to(Role.PROJECTOR, "projections", "digest"))["tables"] == digest[
        "tables"
    ]
    explained = await told_to(Role.AUDITOR, "audit", "explain", account_id)
    booked = sum(Decimal(each["amount"]) for each in explained["booked"])
    assert Decimal(4000) + booked == 0
