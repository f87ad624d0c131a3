"""Operators see to a venue's symbols; everybody sees how those stand."""

from typing import Any

import pytest
from click.testing import CliRunner
from httpx import AsyncClient

from api.cli.main import main
from tests.doors.conftest import LogIn
from tests.doors.desk import Desk

ZERO = {"symbol": "EURUSD", "bid": "0", "ask": "1.1"}


@pytest.fixture
async def admin(http: AsyncClient, log_in: LogIn) -> Desk:
    return Desk(http, await log_in("admin@tradesense.ai", "admin123"))


async def trading(http: AsyncClient) -> tuple[Desk, str]:
    desk = await Desk.opened(http)
    await desk.open_venue(gate="full")
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    return desk, account_id


async def euro(desk: Desk) -> Any:
    return await desk.get("/market-data/symbols/EURUSD", venue_id=desk.venue_id)


async def test_a_broken_source_is_quarantined_and_released_with_a_reason(
    http: AsyncClient, admin: Desk
) -> None:
    desk, account_id = await trading(http)
    assert (await euro(desk))["status"] == "trading"
    quotes = {"quotes": [ZERO] * 20}
    await desk.post(f"/sandbox/venues/{desk.venue_id}/quotes", quotes, 200)
    assert (await euro(desk))["status"] == "quarantined"
    refused = await desk.trade(account_id, status=409)
    assert refused["code"] == "quote-stale"
    metrics = (await http.get("/metrics")).text
    assert 'tradesense_symbols_quarantined{partition="s1"} 1.0' in metrics
    assert 'reason="not-a-price"} 20.0' in metrics

    path = f"/admin/venues/{desk.venue_id}/symbols/EURUSD/release"
    reason = {"reason": "checked elsewhere"}
    assert (await desk.post(path, reason, 403))["code"] == "forbidden"
    told = await admin.post(path, reason, 200)
    assert (told["symbol"], told["reason"]) == ("EURUSD", "checked elsewhere")
    await desk.quote("1.05000", "1.05010")  # five per cent lower, and believed
    assert (await euro(desk))["status"] == "trading"
    again = await admin.post(path, reason, 409)
    assert again["code"] == "symbol-not-quarantined"


async def test_a_specification_changes_and_trades_cite_it(
    http: AsyncClient, admin: Desk
) -> None:
    desk, account_id = await trading(http)
    path = f"/admin/venues/{desk.venue_id}/symbols/EURUSD"
    change = {"leverage": 50, "reason": "as announced"}
    assert (await desk.post(path, change, 403))["code"] == "forbidden"
    told = await admin.post(path, change, 200)
    assert (told["instrument"]["version"], told["instrument"]["leverage"]) == (2, 50)
    assert (await euro(desk))["specification"] == 2
    await desk.trade(account_id, quantity="0.10")
    facts = await desk.get(f"/accounts/{account_id}/events")
    assert facts["items"][-1]["payload"]["position"]["specification"] == 2

    closing = {"rights": "close_only", "reason": "to be delisted"}
    await admin.post(path, closing, 200)
    assert (await euro(desk))["status"] == "close_only"
    refused = await desk.trade(account_id, status=409)
    assert refused["code"] == "symbol-close-only"


async def test_what_is_no_specification_is_refused_where_it_is_wrong(
    http: AsyncClient, admin: Desk
) -> None:
    desk, _ = await trading(http)
    path = f"/admin/venues/{desk.venue_id}/symbols/EURUSD"
    for change, status, code in (
        ({"leverage": 0}, 400, "invalid-request"),
        ({"leverages": 1}, 400, "invalid-request"),
        ({"digits": 4}, 409, "instrument-fixed"),
        ({"effective_from": "2020-01-01T00:00:00Z"}, 409, "effective-in-the-past"),
    ):
        told = await admin.post(path, change | {"reason": "a test"}, status)
        assert told["code"] == code
    nowhere = f"/admin/venues/{desk.venue_id}/symbols/XXXYYY"
    assert (await admin.post(nowhere, {"reason": "a"}, 404))["code"] == "not-found"


async def test_a_symbol_is_added_from_an_instant_on(
    http: AsyncClient, admin: Desk
) -> None:
    desk, _ = await trading(http)
    listing = {
        "symbol": "GBPUSD",
        "sessions": "always",
        "reason": "new",
        "effective_from": "2026-01-05T10:00:00Z",
    }
    await admin.post(f"/admin/venues/{desk.venue_id}/symbols", listing, 201)
    pound = "/market-data/symbols/GBPUSD"
    early = await desk.ask("GET", pound, params={"venue_id": desk.venue_id})
    assert early.status_code == 404
    to = {"to": "2026-01-05T10:00:00Z"}
    await desk.post(f"/sandbox/venues/{desk.venue_id}/clock/advance", to, 200)
    found = await desk.get(pound, venue_id=desk.venue_id)
    assert (found["specification"], found["session"]) == (1, "open")


async def test_a_sandbox_keeps_holidays(http: AsyncClient) -> None:
    desk = await Desk.opened(http)
    listing = {
        "symbol": "EURUSD",
        "sessions": "always",
        "holidays": [
            {"since": "2026-01-05T12:00:00Z", "until": "2026-01-06T12:00:00Z"}
        ],
    }
    body = {"starts_at": "2026-01-05T09:00:00Z", "instruments": [listing]}
    venue = await desk.post("/sandbox/venues", body, 201)
    desk.venue_id = venue["venue_id"]
    account_id = await desk.open_account()
    await desk.quote("1.1", "1.1")
    assert (await euro(desk))["session"] == "open"
    to = {"to": "2026-01-05T12:00:00Z"}
    await desk.post(f"/sandbox/venues/{desk.venue_id}/clock/advance", to, 200)
    assert (await euro(desk))["session"] == "closed"
    assert (await desk.trade(account_id, status=409))["code"] == "market-closed"


def test_the_command_says_when_nobody_answers() -> None:
    here = ["--url", "http://127.0.0.1:9"]
    for said in (
        ["list"],
        ["release", "EURUSD", "--reason", "a test"],
        ["change", "EURUSD", "leverage=50", "--reason", "a test"],
        ["add", "USDCAD", "--reason", "a test"],
    ):
        told = CliRunner().invoke(main, ["symbols", *said, *here])
        assert told.exit_code == 1
        assert "Nobody answers" in told.output


def test_a_specification_is_said_name_by_name() -> None:
    said = ["symbols", "change", "EURUSD", "leverage", "--reason", "a test"]
    told = CliRunner().invoke(main, said)
    assert told.exit_code == 2
    assert "leverage=50" in told.output
