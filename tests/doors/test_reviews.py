"""A breach is annulled, confirmed or dismissed over HTTP, and shown as that."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from httpx import AsyncClient, Response

from tests.doors.conftest import LogIn
from tests.doors.desk import MAX_LOSS, Desk

House = Callable[..., Awaitable[Response]]
WHY = {"reason": "the feed stuttered"}


@pytest.fixture
async def desk(http: AsyncClient) -> Desk:
    desk = await Desk.opened(http)
    await desk.open_venue()
    return desk


@pytest.fixture
async def house(http: AsyncClient, log_in: LogIn) -> House:
    admin = await log_in("admin@tradesense.ai", "admin123")

    async def ask(path: str, body: object) -> Response:
        return await http.post(f"/api/v1/admin{path}", json=body, headers=admin)

    return ask


async def breached(desk: Desk, account_id: str) -> dict[str, Any]:
    """By a quote that is 100 pips off; then the market is where it was."""
    await desk.quote("1.09990", "1.10000")
    await desk.trade(account_id)
    told = await desk.quote("1.08000", "1.08010")
    await desk.quote("1.10090", "1.10100")
    query = {"account_id": account_id, "min_position": told["position"]}
    breach, *_ = (await desk.get("/breaches", **query))["items"]
    assert (breach["annulled"], breach["review"]) == (False, None)
    assert isinstance(breach, dict)
    return breach


async def test_an_annulled_breach_stays_shown_and_the_account_trades_on(
    desk: Desk, house: House, projected: None
) -> None:
    account_id = await desk.open_account(MAX_LOSS)
    breach = await breached(desk, account_id)
    (bad,) = (each["sequence"] for each in breach["quotes"])
    path = f"/breaches/{breach['breach_id']}/annul"
    answers = [await house(path, WHY | {"ticks": [bad]}) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200], answers[0].text
    assert answers[0].content == answers[1].content
    told = answers[0].json()
    assert (told["status"], told["balance"], told["correction"]) == (
        "active",
        "9990.00",
        "1990.00",
    )
    shown = await desk.get(
        f"/breaches/{breach['breach_id']}", min_position=told["position"]
    )
    assert (shown["annulled"], shown["decided_because"]) == (True, WHY["reason"])
    assert shown["observed"] == breach["observed"]
    await desk.trade(account_id)
    stands = await desk.get(f"/accounts/{account_id}")
    assert (stands["status"], stands["equity"]) == ("active", "9980.00")
    curve = await desk.get(f"/accounts/{account_id}/curve")
    assert curve["points"][-1]["equity"] == "9980.00"


async def test_a_challenge_is_active_again(
    desk: Desk, house: House, projected: None
) -> None:
    challenge = await desk.buy_sprint()
    breach = await breached(desk, challenge["account_id"])
    path = f"/challenges/{challenge['challenge_id']}"
    assert (await desk.get(path))["status"] == "breached"
    (bad,) = (each["sequence"] for each in breach["quotes"])
    body = WHY | {"ticks": [bad]}
    told = (await house(f"/breaches/{breach['breach_id']}/annul", body)).json()
    after = await desk.get(path, min_position=told["position"])
    assert (after["status"], after["phases"][0]["status"]) == ("active", "active")
    query = {"min_position": told["position"]}
    (listed,) = (await desk.get("/challenges", **query))["items"]
    assert listed["status"] == "active"
    query |= {"account_id": challenge["account_id"]}
    crossed = (await desk.get("/breaches", **query))["items"]
    assert [each["annulled"] for each in crossed] == [True, True]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (WHY | {"ticks": [1]}, 409),
        (WHY | {"ticks": [77]}, 409),
        (WHY | {"ticks": []}, 400),
        (WHY, 400),
        ({"ticks": [2]}, 400),
    ],
)
async def test_what_annuls_nothing_is_refused(
    desk: Desk, house: House, projected: None, body: dict[str, Any], status: int
) -> None:
    account_id = await desk.open_account(MAX_LOSS)
    breach = await breached(desk, account_id)
    answer = await house(f"/breaches/{breach['breach_id']}/annul", body)
    assert answer.status_code == status, answer.text
    assert (await desk.get(f"/accounts/{account_id}"))["status"] == "breached"


async def bridged(desk: Desk, **terms: str) -> str:
    plan = {"initial": "1000", "reset": ["UTC", "00:00"], "rules": [MAX_LOSS]}
    body = {"plan": plan, "kind": "bridge", **terms}
    path = f"/sandbox/venues/{desk.venue_id}/accounts"
    account_id: str = (await desk.post(path, body, 201))["account_id"]
    return account_id


SEEN = {"sequence": 1, "at": "2026-01-05T10:00:00Z", "equity": "899.99"}


@pytest.mark.parametrize(
    ("decision", "status", "review"),
    [("confirm", "breached", "confirmed"), ("dismiss", "active", "dismissed")],
)
async def test_an_observed_breach_waits_for_a_decision(
    desk: Desk,
    house: House,
    projected: None,
    decision: str,
    status: str,
    review: str,
) -> None:
    account_id = await bridged(desk, observed_breach="review")
    path = f"/accounts/{account_id}/observations"
    told = await desk.post(path, {"observations": [SEEN]}, 200)
    assert (told["status"], len(told["verdicts"])) == ("frozen", 1)
    query = {"account_id": account_id, "min_position": told["position"]}
    (breach,) = (await desk.get("/breaches", **query))["items"]
    assert breach["review"] == "open"
    decided = await house(f"/breaches/{breach['breach_id']}/{decision}", WHY)
    assert (decided.status_code, decided.json()["status"]) == (200, status)
    query |= {"min_position": decided.json()["position"]}
    (breach,) = (await desk.get("/breaches", **query))["items"]
    assert breach["review"] == review
    again = await house(f"/breaches/{breach['breach_id']}/{decision}", WHY)
    assert (again.status_code, again.json()["code"]) == (409, "review-refused")


async def test_the_bridge_reports_of_accounts_that_are_not_its_own(
    http: AsyncClient, desk: Desk, log_in: LogIn
) -> None:
    account_id = await bridged(desk)
    path = f"/api/v1/accounts/{account_id}/observations"
    body = {"observations": [SEEN]}
    for login, status in (
        (("bridge@tradesense.ai", "bridge123"), 200),
        (("admin@tradesense.ai", "admin123"), 200),
        (("user@tradesense.ai", "user123"), 404),
        (("auditor@tradesense.ai", "auditor123"), 404),
    ):
        answer = await http.post(path, json=body, headers=await log_in(*login))
        assert answer.status_code == status, login


async def test_only_the_house_looks_again(
    http: AsyncClient, desk: Desk, log_in: LogIn, projected: None
) -> None:
    account_id = await desk.open_account(MAX_LOSS)
    breach = await breached(desk, account_id)
    for login in (
        ("user@tradesense.ai", "user123"),
        ("bridge@tradesense.ai", "bridge123"),
    ):
        headers = await log_in(*login)
        for how in ("annul", "confirm", "dismiss"):
            path = f"/api/v1/admin/breaches/{breach['breach_id']}/{how}"
            answer = await http.post(path, json=WHY, headers=headers)
            assert answer.status_code == 403


async def test_no_breach_of_that_id_is_not_found(
    desk: Desk, house: House, projected: None
) -> None:
    account_id = await desk.open_account(MAX_LOSS)
    await breached(desk, account_id)  # so the tables are there
    assert (await house("/breaches/nothing/dismiss", WHY)).status_code == 404
