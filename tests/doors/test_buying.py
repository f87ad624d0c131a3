"""Nobody pays for what is refused."""

import asyncio
from typing import Any

import pytest
from httpx import AsyncClient

from infrastructure.payments.development import DevelopmentPayments
from tests.doors.conftest import LogIn
from tests.doors.desk import Desk
from tests.doors.test_plans import FIVE

CAP = {"id": "most", "kind": "allocation", "cap": "10000", "accounts": None}


@pytest.fixture
def charged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The orders that were charged."""
    seen: list[str] = []

    async def charge(_: object, order_id: str, *__: object) -> str:
        await asyncio.sleep(0)
        seen.append(order_id)
        return f"dev-{order_id}"

    monkeypatch.setattr(DevelopmentPayments, "charge", charge)
    return seen


@pytest.fixture
async def purchase(http: AsyncClient, log_in: LogIn) -> dict[str, Any]:
    """A plan of which one person holds one."""
    headers = await log_in("admin@tradesense.ai", "admin123")
    phases = [each | {"rules": [*each["rules"], CAP]} for each in FIVE["phases"]]
    body = FIVE | {"phases": phases}
    plan = (await http.post("/api/v1/plans", json=body, headers=headers)).json()
    path = f"/api/v1/plans/{plan['plan_id']}/activate"
    assert (await http.post(path, headers=headers)).status_code == 200
    return {
        "plan_id": plan["plan_id"],
        "deposit": "10000",
        "payment": {"method": "dev"},
        "venue_id": "",
    }


async def test_what_is_above_the_cap_is_refused_before_it_is_charged(
    http: AsyncClient, purchase: dict[str, Any], charged: list[str]
) -> None:
    desk = await Desk.opened(http)
    purchase |= {"venue_id": await desk.open_venue()}
    await desk.post("/challenges", purchase, 201, key="first")
    await desk.post("/challenges", purchase, 201, key="first")  # is not refused
    refused = await desk.post("/challenges", purchase, 409, key="second")
    assert refused["code"] == "rule-refused"
    assert refused["arithmetic"]["actual"] == "20000.00"
    assert await desk.post("/challenges", purchase, 409, key="second") == refused
    assert len(set(charged)) == 1


async def test_of_two_at_once_one_is_charged(
    http: AsyncClient, purchase: dict[str, Any], charged: list[str]
) -> None:
    desk = await Desk.opened(http)
    purchase |= {"venue_id": await desk.open_venue()}
    both = [desk.ask("POST", "/challenges", json=purchase) for _ in range(2)]
    answers = await asyncio.gather(*both)
    assert sorted(each.status_code for each in answers) == [201, 409]
    assert len(charged) == 1
