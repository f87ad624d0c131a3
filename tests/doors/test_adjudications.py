"""A history sent to the door is judged as the command line judges it."""

from pathlib import Path

import msgspec
from httpx import AsyncClient
from litestar.testing import create_async_test_client

from api.trading.adjudications import judge_history
from tests.doors.desk import Desk

CASES = [
    case
    for file in sorted(Path("docs/cases").glob("*.json"))
    for case in msgspec.json.decode(file.read_bytes())
]


async def test_every_published_case_is_judged_as_expected(http: AsyncClient) -> None:
    desk = await Desk.opened(http)
    for case in CASES:
        judged = await desk.post("/adjudications", case, 200)
        assert judged == {
            "id": case["id"],
            "verdicts": case["expect"],
            "assertions_failed": [],
        }


async def test_touching_the_floor_is_allowed() -> None:
    """At the door alone: a verdict needs no database."""
    rule = {"id": "max", "kind": "max", "mode": "static", "amount": ["abs", "100"]}
    case = {
        "id": "touching",
        "plan": {"initial": "1000", "reset": ["UTC", "00:00"], "rules": [rule]},
        "events": [{"at": "2026-01-05T10:00:00Z", "equity": "900"}],
    }
    async with create_async_test_client(judge_history) as door:
        answer = await door.post("/adjudications", json=case)
    assert (answer.status_code, answer.json()["verdicts"]) == (200, [])


async def test_a_history_without_end_is_refused(http: AsyncClient) -> None:
    desk = await Desk.opened(http)
    case = {
        "id": "long",
        "plan": {"initial": "1000", "reset": ["UTC", "00:00"], "rules": []},
        "events": [
            {"at": "1990-01-01T00:00:00Z", "balance": "1000"},
            {"at": "2190-01-01T00:00:00Z", "balance": "1000"},
        ],
    }
    refused = await desk.post("/adjudications", case, 400)
    assert "boundaries" in refused["errors"][0]["reason"]


async def test_a_rule_that_leaves_a_choice_open_is_refused(http: AsyncClient) -> None:
    desk = await Desk.opened(http)
    rule = {"id": "daily", "kind": "daily", "amount": ["pct_initial", "5"]}
    case = {
        "id": "open",
        "plan": {"initial": "1000", "reset": ["UTC", "00:00"], "rules": [rule]},
        "events": [{"at": "2026-01-05T00:00:00Z", "balance": "1000"}],
    }
    refused = await desk.post("/adjudications", case, 400)
    assert "anchor" in refused["errors"][0]["reason"]
