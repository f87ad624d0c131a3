"""A curve tells every point of the way, exactly, and ends where the account ended."""

from decimal import Decimal
from typing import Any

import pytest
from httpx import AsyncClient

from infrastructure.event_store import looking_back
from tests.doors.conftest import LogIn
from tests.doors.desk import MAX_LOSS, Desk

DAILY = {
    "id": "daily",
    "kind": "daily",
    "anchor": "max",
    "amount": ["pct_initial", "5"],
}
FLOORS = {"max": "9000.00", "daily": "9500.00"}


async def curve_of(desk: Desk, account_id: str, **parameters: Any) -> Any:
    return await desk.get(f"/accounts/{account_id}/curve", **parameters)


def equities(curve: Any) -> list[str]:
    return [each["equity"] for each in curve["points"]]


async def breached(desk: Desk) -> str:
    """Up to 10,200 over a boundary, then down through the new day's floor."""
    await desk.open_venue("2026-01-05T22:00:00Z")
    account_id = await desk.open_account(MAX_LOSS, DAILY)
    await desk.quote("1.09990", "1.10000", "2026-01-05T22:10:00Z")
    await desk.trade(account_id)
    await desk.quote("1.10200", "1.10210", "2026-01-05T23:00:00Z")
    await desk.quote("1.09700", "1.09710", "2026-01-06T01:00:00Z")
    await desk.quote("1.09699", "1.09709", "2026-01-06T02:00:00Z")
    await desk.quote("1.20000", "1.20010", "2026-01-06T03:00:00Z")
    return account_id


async def test_every_quote_is_a_point_and_the_verdict_is_the_last(
    http: AsyncClient, projected: None
) -> None:
    desk = await Desk.opened(http)
    account_id = await breached(desk)
    curve = await curve_of(desk, account_id)
    assert equities(curve) == [
        "10000.00",  # opened
        "9990.00",  # bought, and the spread
        "10200.00",
        "10200.00",  # the day turns
        "9700.00",  # on the floor
        "9699.00",  # and below
    ]
    floors = [each["floors"]["daily"] for each in curve["points"]]
    assert floors == ["9500.00"] * 3 + ["9700.00"] * 3
    assert {each["floors"]["max"] for each in curve["points"]} == {"9000.00"}
    assert curve["status"] == "breached"
    assert curve["ended_at"] == curve["points"][-1]["at"] == "2026-01-06T02:00:00Z"
    assert curve["is_whole"]


async def test_the_last_point_of_a_living_account_is_its_standing(
    http: AsyncClient, projected: None
) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    await desk.trade(account_id)
    await desk.quote("1.10100", "1.10110", "2026-01-05T09:01:00Z")
    curve = await curve_of(desk, account_id)
    standing = await desk.get(f"/accounts/{account_id}")
    assert curve["points"][-1] == {
        "at": standing["valued_at"],
        "equity": standing["equity"],
        "balance": standing["balance"],
        "floors": {each["rule"]: each["floor"] for each in standing["limits"]},
    }
    assert curve["ended_at"] is None


async def test_samples_of_many_ticks_meet_the_same_floors_and_the_same_end(
    http: AsyncClient, projected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await Desk.opened(http)
    account_id = await breached(desk)
    monkeypatch.setattr(looking_back, "FEW_TICKS", 0)
    monkeypatch.setattr(looking_back, "SAMPLES", 1)
    curve = await curve_of(desk, account_id)
    whole = [each["floors"]["daily"] for each in curve["points"]]
    assert (whole[0], whole[-1]) == ("9500.00", "9700.00")
    assert equities(curve)[-1] == "9699.00"


async def test_a_few_points_keep_the_first_and_the_last(
    http: AsyncClient, projected: None
) -> None:
    desk = await Desk.opened(http)
    account_id = await breached(desk)
    curve = await curve_of(desk, account_id, points=2)
    assert equities(curve) == ["10000.00", "9699.00"]


async def test_a_sandbox_is_shown_to_its_owner_and_the_house_only(
    http: AsyncClient, log_in: LogIn, projected: None
) -> None:
    desk, stranger = await Desk.opened(http), await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    auditor = await log_in("auditor@tradesense.ai", "auditor123")
    for what in ("curve", "overview"):
        path = f"/api/v1/accounts/{account_id}/{what}"
        told = {
            "owner": await http.get(path, headers=desk.headers),
            "auditor": await http.get(path, headers=auditor),
            "stranger": await http.get(path, headers=stranger.headers),
            "nobody": await http.get(path),
            "forger": await http.get(path, headers={"Authorization": "Bearer x.y.z"}),
        }
        assert {who: answer.status_code for who, answer in told.items()} == {
            "owner": 200,
            "auditor": 200,
            "stranger": 404,
            "nobody": 401,
            "forger": 401,
        }


async def test_an_overview_shows_what_is_open_closed_and_crossed(
    http: AsyncClient, projected: None
) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    closed = await desk.trade(account_id, quantity="0.10", client_order_id="mine")
    await desk.post(f"/trades/{closed['trade_id']}/close", {}, 200)
    opened = await desk.trade(account_id, side="sell", quantity="0.20")
    view = await desk.get(f"/accounts/{account_id}/overview")
    (held,) = view["positions"]
    assert (held["trade_id"], held["price"]) == (opened["trade_id"], "1.10000")
    assert Decimal(held["profit"]) == Decimal("-2.00")
    (trade,) = view["trades"]
    assert (trade["profit"], trade["client_order_id"]) == ("-1.00", "mine")
    assert view["is_mine"]
    assert view["breaches"] == []
    await desk.quote("1.20000", "1.20010")
    (crossed,) = (await desk.get(f"/accounts/{account_id}/overview"))["breaches"]
    assert (crossed["floor"], crossed["primary"]) == ("9000.00", True)


async def test_what_happens_in_a_sandbox_is_no_news(
    http: AsyncClient, projected: None
) -> None:
    desk = await Desk.opened(http)
    account_id = await breached(desk)
    assert (await desk.get("/breaches", account_id=account_id))["items"]
    answer = await http.get("/api/v1/feed")
    assert (answer.status_code, answer.json()["items"]) == (200, [])
