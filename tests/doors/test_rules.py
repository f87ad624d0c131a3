"""The further rules at the public doors: shown as they stand, and judged in time."""

from decimal import Decimal
from typing import Any

from httpx import AsyncClient

from tests.doors.desk import Desk

WEEKLY = {
    "id": "weekly",
    "kind": "weekly",
    "amount": ["pct_initial", "5"],
    "anchor": "max",
    "week": "mon",
    "cmp": "lt",
    "measured": "equity",
    "eval": "tick",
    "effect": "hard",
}
CAP = {
    "id": "cap",
    "kind": "daily_cap",
    "amount": ["abs", "300"],
    "anchor": "equity",
    "cmp": "le",
    "measured": "equity",
    "eval": "tick",
    "effect": "pause",
}
SHARE = {
    "id": "share",
    "kind": "consistency",
    "best": "day",
    "of": "net",
    "pct": "40",
    "cmp": "gt",
    "effect": "raise_target",
}
TARGET = {
    "id": "target",
    "kind": "target",
    "pct": "1",
    "basis": "closed",
    "flat": True,
}
IDLE = {
    "id": "idle",
    "kind": "inactivity",
    "activity": "filled",
    "warn": ["elapsed", 15],
    "after": ["elapsed", 30],
    "from": "activity",
}


async def bought_and_closed(desk: Desk, account_id: str, to: str) -> Any:
    """Buy a lot of EURUSD at 1.10000 and close it at `to`."""
    await desk.quote("1.09990", "1.10000")
    opened = await desk.trade(account_id)
    await desk.quote(to, str(Decimal(to) + Decimal("0.00010")))
    return await desk.post(f"/trades/{opened['trade_id']}/close", {}, 200)


async def test_an_account_shows_what_its_rules_ask_for(http: AsyncClient) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account(WEEKLY, CAP, SHARE, TARGET, IDLE)
    await bought_and_closed(
        desk, account_id, "1.10100"
    )  # 100: the target, all on one day
    account = await desk.get(f"/accounts/{account_id}")
    assert account["status"] == "active"
    limits = {each["rule"]: each for each in account["limits"]}
    assert (limits["weekly"]["floor"], limits["weekly"]["ceiling"]) == ("9500.00", None)
    assert (limits["cap"]["floor"], limits["cap"]["ceiling"]) == (
        "9700.00",
        "10300.00",
    )
    assert limits["cap"]["distance"] == "200.00"
    asked = {each["rule"]: each for each in account["objectives"]}
    assert (asked["target"]["required"], asked["target"]["met"]) == ("10250.00", False)
    assert (asked["share"]["required"], asked["share"]["actual"]) == (
        "250.00",
        "100.00",
    )
    (timer,) = account["timers"]
    assert (timer["then"], timer["runs_out_at"]) == (
        "warn",
        "2026-01-20T09:00:00.000001Z",
    )


async def test_a_gain_that_is_too_much_pauses_with_its_evidence(
    http: AsyncClient, projected: None
) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account(CAP)
    await desk.quote("1.09990", "1.10000")
    await desk.trade(account_id)
    await desk.quote("1.10300", "1.10310")
    assert (await desk.get(f"/accounts/{account_id}"))["status"] == "paused"
    (breach,) = (await desk.get("/breaches", account_id=account_id))["items"]
    assert (breach["rule"], breach["effect"]) == ("cap", "pause")
    assert breach["arithmetic"][-2:] == [
        "10000.00 + 300.00 = 10300.00",
        "10300.00 >= 10300.00",
    ]


async def test_an_account_that_nobody_trades_expires(http: AsyncClient) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account(IDLE)
    to = {"to": "2026-02-04T09:00:01Z"}
    await desk.post(f"/sandbox/venues/{desk.venue_id}/clock/advance", to, 200)
    account = await desk.get(f"/accounts/{account_id}")
    assert (account["status"], account["timers"]) == ("expired", [])
    refused = await desk.trade(account_id, status=409)
    assert refused["code"] == "account-closed"
    told = await desk.get(f"/accounts/{account_id}/events")
    assert [each["type"] for each in told["items"]] == [
        "account.opened/1",
        "account.warned/1",
        "account.expired/1",
    ]


async def test_a_rule_of_another_vocabulary_is_refused(http: AsyncClient) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    for wrong in (
        WEEKLY | {"week": "monday"},
        {key: value for key, value in WEEKLY.items() if key != "week"},
        CAP | {"anchor": "trail_equity"},
        SHARE | {"of": "positive"},
        IDLE | {"after": ["elapsed", 0]},
        IDLE | {"after": ["hours", 5]},
        TARGET | {"sticky": True},
    ):
        plan = {"initial": "10000", "reset": ["UTC", "00:00"], "rules": [wrong]}
        body = {"plan": plan, "currency": "USD", "kind": "simulated"}
        path = f"/sandbox/venues/{desk.venue_id}/accounts"
        refused = await desk.post(path, body, 400)
        assert refused["code"] == "invalid-request"
