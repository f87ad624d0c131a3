"""A case that is sent as observations of a bridge account is judged as published."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx import AsyncClient

from tests.doors.conftest import LogIn
from tests.doors.desk import Desk

CASES = [
    case
    for file in sorted(Path("docs/cases").glob("*.json"))
    for case in msgspec.json.decode(file.read_bytes())
]
SAID = ("at", "balance", "equity", "flat", "opened", "closed")
RULE = {"id": "max", "kind": "max", "mode": "static", "amount": ["abs", "100"]}
PLAN = {"initial": "1000", "reset": ["UTC", "00:00"], "rules": [RULE]}
AT = "2026-01-05T10:00:00Z"


def observations(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"sequence": number} | {name: event[name] for name in SAID if name in event}
        for number, event in enumerate(case["events"], start=1)
    ]


@pytest.fixture
async def desk(http: AsyncClient) -> Desk:
    desk = await Desk.opened(http)
    await desk.open_venue()
    return desk


async def bridged(desk: Desk, plan: object = PLAN) -> str:
    body = {"plan": plan, "currency": "USD", "kind": "bridge"}
    account = await desk.post(f"/sandbox/venues/{desk.venue_id}/accounts", body, 201)
    assert account["terms_hash"]
    told: str = account["account_id"]
    return told


async def sent(
    desk: Desk, account_id: str, *observed: dict[str, Any], status: int = 200
) -> Any:
    body = {"observations": list(observed)}
    return await desk.post(f"/accounts/{account_id}/observations", body, status)


async def test_every_published_case_sent_at_once(desk: Desk) -> None:
    for case in CASES:
        account_id = await bridged(desk, case["plan"])
        told = await sent(desk, account_id, *observations(case))
        assert told["verdicts"] == case["expect"], case["id"]


async def test_every_published_case_sent_one_by_one(desk: Desk) -> None:
    for case in CASES:
        account_id = await bridged(desk, case["plan"])
        verdicts = []
        for each, event in zip(observations(case), case["events"], strict=True):
            told = await sent(desk, account_id, each)
            verdicts += told["verdicts"]
            for rule, level in event.get("floors", {}).items():
                assert Decimal(told["floors"][rule]) == Decimal(level), case["id"]
            assert told["days"] == event.get("days", told["days"]), case["id"]
        assert verdicts == case["expect"], case["id"]


async def test_a_breach_shows_where_every_breach_shows(
    desk: Desk, projected: None
) -> None:
    account_id = await bridged(desk)
    at_floor = {"sequence": 1, "at": AT, "equity": "900"}
    told = await sent(desk, account_id, at_floor)
    assert (told["verdicts"], told["status"]) == ([], "active")
    told = await sent(desk, account_id, {"sequence": 2, "at": AT, "equity": "899.99"})
    assert told["verdicts"] == [["e2", "max", "hard", "900.00", "899.99"]]
    assert told["floors"] == {"max": "900.00"}
    account = await desk.get(f"/accounts/{account_id}")
    assert (account["status"], account["equity"]) == ("breached", "899.99")
    events = (await desk.get(f"/accounts/{account_id}/events"))["items"]
    assert [each["type"] for each in events] == [
        "account.opened/1",
        "account.observed/1",
        "account.observed/1",
        "account.rule-breached/1",
    ]
    assert events[-1]["payload"]["source"] == "e2"
    (breach,) = (await desk.get("/breaches", account_id=account_id))["items"]
    assert (breach["positions"], breach["observed"]) == ([], "899.99")
    assert breach["arithmetic"] == ["1000.00 - 100.00 = 900.00", "899.99 < 900.00"]
    (row,) = (await desk.get("/accounts"))["items"]
    assert (row["account_id"], row["status"]) == (account_id, "breached")


async def test_what_is_sent_twice_changes_nothing_and_may_not_change(
    desk: Desk,
) -> None:
    account_id = await bridged(desk)
    seen = {"sequence": 1, "at": AT, "equity": "950"}
    first = await sent(desk, account_id, seen)
    again = await sent(desk, account_id, seen)
    assert again["version"] == first["version"]
    other = await sent(desk, account_id, seen | {"equity": "940"}, status=409)
    assert other["code"] == "observation-refused"


async def test_each_kind_of_account_has_its_own_doors(desk: Desk) -> None:
    await desk.quote("1.09990", "1.10000")
    simulated, observed = await desk.open_account(), await bridged(desk)
    seen = {"sequence": 1, "at": AT, "equity": "950"}
    refused = await sent(desk, simulated, seen, status=409)
    assert refused["code"] == "account-simulated"
    refused = await desk.trade(observed, status=409)
    assert refused["code"] == "account-bridged"


async def test_a_strangers_account_is_not_found(desk: Desk, http: AsyncClient) -> None:
    account_id = await bridged(desk)
    stranger = await Desk.opened(http)
    seen = {"sequence": 1, "at": AT, "equity": "950"}
    refused = await sent(stranger, account_id, seen, status=404)
    assert refused["code"] == "not-found"


async def test_a_bridge_reports_of_anybodys_account(desk: Desk, log_in: LogIn) -> None:
    account_id = await bridged(desk)
    house = Desk(desk.http, await log_in("admin@tradesense.ai", "admin123"))
    await sent(house, account_id, {"sequence": 1, "at": AT, "equity": "950"})
    assert (await desk.get(f"/accounts/{account_id}"))["equity"] == "950.00"


NO_OBSERVATIONS: tuple[dict[str, object], ...] = (
    {"sequence": 0},
    {"sequence": True},
    {"at": "2026-01-05T10:00:00"},
    {"at": "9999-12-31T23:59:59Z"},
    {"equity": "1e9"},
    {"equity": 950},
    {"profit": "1"},
    {"closed": [{"opened_at": AT}]},
)
BEYOND: tuple[dict[str, object], ...] = (
    {"equity": "999999999999999.999"},
    {"at": "2150-01-01T00:00:00Z"},
    {"closed": [{"opened_at": AT, "profit": "1"}]},
)


async def test_what_cannot_have_been_is_refused_and_nothing_breaks(desk: Desk) -> None:
    account_id = await bridged(desk)
    await sent(desk, account_id, {"sequence": 1, "at": AT, "equity": "950"})
    following = {"sequence": 2, "at": AT, "equity": "940"}
    for wrong in NO_OBSERVATIONS:
        refused = await sent(desk, account_id, following | wrong, status=400)
        assert refused["code"] == "invalid-request", wrong
    for beyond in BEYOND:
        refused = await sent(desk, account_id, following | beyond, status=409)
        assert refused["code"] == "observation-refused", beyond
    account = await desk.get(f"/accounts/{account_id}")
    assert (account["status"], account["equity"]) == ("active", "950.00")


async def test_at_most_a_thousand_are_taken_at_once(desk: Desk) -> None:
    account_id = await bridged(desk)
    seen = [{"sequence": n, "at": AT, "equity": "950"} for n in range(1, 1_002)]
    await sent(desk, account_id, *seen, status=400)
    told = await sent(desk, account_id, *seen[:1_000])
    assert told["verdicts"] == []
