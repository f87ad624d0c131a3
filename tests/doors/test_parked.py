"""An admin sees what failed, and has it asked again or leaves it undone."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString
from uuid import uuid4

import pytest
from click.testing import CliRunner
from httpx import AsyncClient, Response

from api.cli.main import main
from infrastructure.roles import Role
from tests.databases import Database
from tests.doors.conftest import LogIn
from tests.doors.desk import Desk

REFUSE = """
    CREATE FUNCTION s1.refuse_now() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF convert_from(NEW.state, 'UTF8') LIKE '%poison%' THEN
            RAISE EXCEPTION 'poison' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$;
    GRANT EXECUTE ON FUNCTION s1.refuse_now() TO ts_app;
    CREATE TRIGGER refuse BEFORE INSERT ON s1.events
    FOR EACH ROW EXECUTE FUNCTION s1.refuse_now();
"""
INSERT: LiteralString = """
    INSERT INTO {p}.parked (kind, subject, origin, cause, body)
    VALUES ('policy', 'x-1', %s, 'it broke', '')
"""
MEND = "DROP TRIGGER refuse ON s1.events"


@pytest.fixture
async def admin(log_in: LogIn) -> dict[str, str]:
    return await log_in("admin@tradesense.ai", "admin123")


@asynccontextmanager
async def parked_trade(
    http: AsyncClient, database: Database
) -> AsyncIterator[tuple[Desk, str]]:
    """The database cannot store one trader's order."""
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    database.execute(REFUSE)
    name = f"poison-{uuid4().hex}"
    problem = await desk.trade(account_id, status=500, client_order_id=name)
    assert problem["code"] == "internal-error"
    await desk.trade(account_id, quantity="0.10", client_order_id="plain")
    yield desk, account_id


async def listed(http: AsyncClient, admin: dict[str, str]) -> list[dict[str, Any]]:
    answer = await http.get("/api/v1/admin/parked", headers=admin)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def decide(
    http: AsyncClient, headers: dict[str, str], item: dict[str, Any], how: str
) -> Response:
    path = f"/api/v1/admin/parked/{item['partition']}/{item['id']}/{how}"
    body = {"reason": "a test"} if how == "skip" else None
    return await http.post(path, json=body, headers=headers)


async def test_what_failed_is_listed_with_its_cause_and_asked_again(
    http: AsyncClient, admin: dict[str, str], database: Database
) -> None:
    async with parked_trade(http, database) as (desk, account_id):
        (item,) = await listed(http, admin)
        assert item["kind"] == "command"
        assert item["subject"] == f"account-{account_id}"
        assert item["cause"].startswith("Rejected: 23514")
        assert item["command"]["type"] == "OpenPosition"
        database.execute(MEND)

        answers = [await decide(http, admin, item, "retry") for _ in range(2)]

        assert {each.status_code for each in answers} == {200}
        assert answers[0].content == answers[1].content
        assert answers[0].json()["status"] == "retried"
        assert await listed(http, admin) == []
        account = await desk.get(f"/accounts/{account_id}")
        assert account["margin"] == "1210.00"  # both lots and the tenth
        refused = await decide(http, admin, item, "skip")
        assert (refused.status_code, refused.json()["code"]) == (409, "parked-settled")


async def test_what_is_skipped_stays_undone(
    http: AsyncClient, admin: dict[str, str], database: Database
) -> None:
    async with parked_trade(http, database) as (desk, account_id):
        (item,) = await listed(http, admin)
        skipped = await decide(http, admin, item, "skip")
        assert (skipped.status_code, skipped.json()["status"]) == (200, "skipped")
        assert await listed(http, admin) == []
        account = await desk.get(f"/accounts/{account_id}")
        assert account["margin"] == "110.00"
        told = database.execute(
            "SELECT convert_from(state, 'UTF8')::json ->> 'reason' FROM s1.events"
            " WHERE originator_id = %s",
            f"parked-{item['id']}",
        )
        assert told == [("a test",)]


async def test_the_list_comes_in_pages(
    http: AsyncClient, admin: dict[str, str], database: Database
) -> None:
    both: tuple[LiteralString, ...] = ("p1", "s1")
    for partition in both:
        for number in range(3):
            database.execute(
                INSERT.replace("{p}", partition),
                str(number),
            )
    seen: list[tuple[str, str]] = []
    parameters: dict[str, str] = {"limit": "2"}
    while True:
        answer = await http.get(
            "/api/v1/admin/parked", params=parameters, headers=admin
        )
        page = answer.json()
        seen += [(item["partition"], item["id"]) for item in page["items"]]
        if page["next"] is None:
            break
        parameters["cursor"] = page["next"]
    assert seen == [(each, str(n)) for each in ("p1", "s1") for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("p1/1", 404),
        ("p9/1", 404),
        ("p1/0", 400),
        ("p1/x", 400),
        ("p1/" + "9" * 30, 400),
    ],
)
async def test_what_is_not_parked_is_not_there(
    http: AsyncClient, admin: dict[str, str], place: str, status: int
) -> None:
    for how, body in (("retry", None), ("skip", {"reason": "x"})):
        path = f"/api/v1/admin/parked/{place}/{how}"
        answer = await http.post(path, json=body, headers=admin)
        assert answer.status_code == status, answer.text


async def test_it_is_for_admins_only(http: AsyncClient, log_in: LogIn) -> None:
    item = {"partition": "p1", "id": "1"}
    for email, password in (
        ("user@tradesense.ai", "user123"),
        ("auditor@tradesense.ai", "auditor123"),
    ):
        headers = await log_in(email, password)
        answers = [
            await http.get("/api/v1/admin/parked", headers=headers),
            await decide(http, headers, item, "retry"),
            await decide(http, headers, item, "skip"),
        ]
        assert [each.status_code for each in answers] == [403] * 3
    nobody = await http.get("/api/v1/admin/parked")
    assert nobody.status_code == 401


async def test_the_command_line_lists_retries_and_skips(
    address: tuple[str, int],
    seeded: None,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"http://{address[0]}:{address[1]}"
    monkeypatch.setenv("TS_ENV", "dev")
    monkeypatch.setenv("DATABASE_URL", database.dsn(Role.AUDITOR))
    monkeypatch.setenv("REDIS_URL", database.servers.redis_url)

    async def tradesense(*words: str) -> list[str]:
        said = await asyncio.to_thread(CliRunner().invoke, main, ("parked", *words))
        return said.output.splitlines()  # the server's own lines may be among them

    async with (
        AsyncClient(base_url=url) as http,
        parked_trade(http, database) as (desk, account_id),
    ):
        first, *_, last = await tradesense("list")
        assert (first[:6], last) == ("s1/1  ", "1 parked.")
        database.execute(MEND)

        retried = await tradesense("retry", "s1/1", "--url", url)
        assert retried[-1].startswith("s1/1 is retried (s1-")
        assert (await desk.get(f"/accounts/{account_id}"))["margin"] == "1210.00"
        assert json.loads((await tradesense("list", "--json"))[-1]) == {"items": []}

        late = await tradesense("skip", "s1/1", "--reason", "late", "--url", url)
        assert late[-1].startswith("Error: parked-settled")
        stranger = ("--email", "user@tradesense.ai", "--password", "user123")
        denied = await tradesense("retry", "s1/1", "--url", url, *stranger)
        assert denied[-1].startswith("Error: forbidden")
        odd = await tradesense("retry", "../..", "--url", url)
        assert "such as p1/17" in odd[-1]
