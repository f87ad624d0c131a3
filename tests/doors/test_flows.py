"""The house moves an account's capital over HTTP, and nobody else does."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from httpx import AsyncClient, Response

from tests.doors.conftest import LogIn
from tests.doors.desk import MAX_LOSS, Desk

TRAILING = {
    "id": "trail",
    "kind": "max",
    "mode": "trail",
    "hwm_on": "balance",
    "amount": ["pct_initial", "10"],
    "flow_marks": "keep",
}
House = Callable[..., Awaitable[Response]]


@pytest.fixture
async def desk(http: AsyncClient) -> Desk:
    desk = await Desk.opened(http)
    await desk.open_venue()
    await desk.quote("1.09990", "1.10000")
    return desk


@pytest.fixture
async def house(http: AsyncClient, log_in: LogIn) -> House:
    admin = await log_in("admin@tradesense.ai", "admin123")

    async def ask(path: str, body: object, key: str | None = None) -> Response:
        headers = admin | ({"Idempotency-Key": key} if key else {})
        path = f"/api/v1/admin/accounts/{path}"
        return await http.post(path, json=body, headers=headers)

    return ask


async def earned(desk: Desk, account_id: str) -> None:
    """500.00 are made on EURUSD, and it stands where it stood."""
    trade = await desk.trade(account_id)
    await desk.quote("1.10500", "1.10510")
    await desk.post(f"/trades/{trade['trade_id']}/close", {}, 200)
    await desk.quote("1.09990", "1.10000")


def payout(amount: str, payout_id: str = "p-1") -> dict[str, str]:
    return {"kind": "payout", "payout_id": payout_id, "amount": amount}


async def test_an_approval_that_comes_again_has_one_debit_and_one_answer(
    desk: Desk, house: House
) -> None:
    account_id = await desk.open_account(MAX_LOSS)
    await earned(desk, account_id)
    answers = [await house(f"{account_id}/flows", payout("400")) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 200]
    assert answers[0].content == answers[1].content
    told = answers[0].json()
    assert (told["amount"], told["balance"], told["capital"]) == (
        "-400.00",
        "10100.00",
        "9600.00",
    )
    stands = await desk.get(f"/accounts/{account_id}")
    assert (stands["balance"], stands["status"]) == ("10100.00", "active")
    events = (await desk.get(f"/accounts/{account_id}/events"))["items"]
    names = [each["type"] for each in events]
    assert names.count("account.flow-posted/1") == 1


async def test_what_does_not_cover_it_is_told_with_the_numbers(
    desk: Desk, house: House
) -> None:
    account_id = await desk.open_account(MAX_LOSS)
    await earned(desk, account_id)
    held = await house(
        f"{account_id}/payouts", {"payout_id": "p-1", "amount": "450.00"}
    )
    assert (held.status_code, held.json()["balance"]) == (201, "10500.00")
    refused = await house(f"{account_id}/flows", payout("50.01", "p-2"))
    assert (refused.status_code, refused.json()["code"]) == (409, "payout-uncovered")
    arithmetic = refused.json()["arithmetic"]
    assert (arithmetic["rule"], arithmetic["limit"], arithmetic["actual"]) == (
        "profit",
        "50.00",
        "50.01",
    )
    body = {"reason": "withdrawn"}
    freed = await house(f"{account_id}/payouts/p-1/release", body)
    assert (freed.status_code, freed.json()["held"]) == (200, [])
    again = await house(f"{account_id}/payouts/p-1/release", body)
    assert (again.status_code, again.json()["code"]) == (409, "payout-not-held")


async def test_a_kept_mark_stays_and_a_payout_never_crosses_its_floor(
    desk: Desk, house: House
) -> None:
    tight = TRAILING | {"amount": ["abs", "450"]}
    account_id = await desk.open_account(tight)
    await earned(desk, account_id)
    refused = await house(f"{account_id}/flows", payout("500"))
    assert refused.json()["arithmetic"]["rule"] == "trail"
    assert (await house(f"{account_id}/flows", payout("450"))).status_code == 201
    (limit,) = (await desk.get(f"/accounts/{account_id}"))["limits"]
    assert (limit["floor"], limit["distance"]) == ("10050.00", "0.00")


async def test_a_key_books_once(desk: Desk, house: House) -> None:
    account_id = await desk.open_account(MAX_LOSS)
    body = {"kind": "correction", "amount": "-12.50", "reason": "swap twice"}
    answers = [await house(f"{account_id}/flows", body, "one") for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert (await desk.get(f"/accounts/{account_id}"))["balance"] == "9987.50"


async def test_scaling_shows_in_limits_and_tables(
    desk: Desk, house: House, projected: None
) -> None:
    account_id = await desk.open_account(MAX_LOSS)
    body: dict[str, Any] = {
        "kind": "scaling",
        "deposit": "12500",
        "reason": "four good months",
    }
    scaled = (await house(f"{account_id}/flows", body)).json()
    assert (scaled["deposit"], scaled["policy_version"]) == ("12500.00", 2)
    stands = await desk.get(f"/accounts/{account_id}")
    assert (stands["deposit"], stands["limits"][0]["floor"]) == (
        "12500.00",
        "11250.00",
    )
    narrower = MAX_LOSS | {"amount": ["pct_initial", "5"]}
    body |= {"rules": [narrower]}
    other = (await house(f"{account_id}/flows", body)).json()
    assert other["terms_hash"] != scaled["terms_hash"]
    stands = await desk.get(f"/accounts/{account_id}", min_position=other["position"])
    assert stands["limits"][0]["floor"] == "11875.00"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "payout", "amount": "1"},
        {"kind": "payout", "payout_id": "p", "amount": "-1"},
        {"kind": "correction", "amount": "1"},
        {"kind": "correction", "amount": "0", "reason": "x"},
        {"kind": "correction", "amount": "1.001", "reason": "x"},
        {"kind": "credit", "amount": "-1", "reason": "x"},
        {"kind": "scaling", "deposit": "0", "reason": "x"},
        {"kind": "scaling", "deposit": "1", "reason": "x", "rules": [{"kind": "no"}]},
        {"kind": "gift", "amount": "1", "reason": "x"},
        {"kind": "credit", "amount": "1", "reason": ""},
    ],
)
async def test_what_is_no_flow_is_a_400(
    desk: Desk, house: House, wrong: dict[str, Any]
) -> None:
    account_id = await desk.open_account(MAX_LOSS)
    refused = await house(f"{account_id}/flows", wrong)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-request")


@pytest.mark.parametrize(
    "login",
    [("user@tradesense.ai", "user123"), ("auditor@tradesense.ai", "auditor123")],
)
async def test_a_flow_is_for_the_house_alone(
    http: AsyncClient, desk: Desk, log_in: LogIn, login: tuple[str, str]
) -> None:
    account_id = await desk.open_account(MAX_LOSS)
    path = f"/api/v1/admin/accounts/{account_id}/flows"
    body = {"kind": "credit", "amount": "1", "reason": "x"}
    headers = await log_in(*login)
    assert (await http.post(path, json=body, headers=headers)).status_code == 403
    owner = await http.post(path, json=body, headers=desk.headers)
    assert owner.status_code == 403


async def test_nobodys_account_is_not_found(house: House) -> None:
    body = {"kind": "credit", "amount": "1", "reason": "x"}
    assert (await house("nobody/flows", body)).status_code == 404
