"""Plans at the doors: drafted by admins, refused with both readings, then sold."""

from typing import Any

import pytest
from httpx import AsyncClient, Response

from tests.doors.conftest import LogIn
from tests.doors.desk import Desk
from tests.stories.plans import DAILY, DAYS, MAX_LOSS, TARGET, phase, written

FIVE = written(
    phase(DAILY, MAX_LOSS, TARGET, DAYS, name="evaluation", reset=["UTC", "00:00"]),
    phase(DAILY, MAX_LOSS, name="funded", reset=["UTC", "00:00"]),
    name="Two steps",
    sizes=[{"deposit": "10000", "price": "89"}],
    add_ons=[
        {
            "id": "no-days",
            "name": "No minimum days",
            "price": ["pct", "10"],
            "changes": [{"at": "phases[evaluation].rules[days]", "to": None}],
        },
        {
            "id": "wider",
            "name": "A daily loss of 6 %",
            "price": ["abs", "20"],
            "changes": [
                {
                    "at": f"phases[{name}].rules[daily].amount",
                    "to": ["pct_initial", "6"],
                }
                for name in ("evaluation", "funded")
            ],
        },
    ],
)


def with_daily(percent: str) -> dict[str, Any]:
    daily = DAILY | {"amount": ["pct_initial", percent]}
    changed = [each | {"rules": [daily, *each["rules"][1:]]} for each in FIVE["phases"]]
    return FIVE | {"phases": changed}


class Office:
    """The admin at the doors of the plans."""

    def __init__(self, http: AsyncClient, headers: dict[str, str]) -> None:
        self._http, self._headers = http, headers

    async def post(self, path: str, body: Any = None, key: str = "") -> Response:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        return await self._http.post(f"/api/v1{path}", json=body, headers=headers)

    async def get(self, path: str) -> Any:
        answer = await self._http.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def sells(self, body: dict[str, Any] = FIVE) -> Any:
        drafted = await self.post("/plans", body)
        assert drafted.status_code == 201, drafted.text
        plan_id = drafted.json()["plan_id"]
        assert (await self.post(f"/plans/{plan_id}/activate")).status_code == 200
        return drafted.json()


@pytest.fixture
async def office(http: AsyncClient, log_in: LogIn) -> Office:
    return Office(http, await log_in("admin@tradesense.ai", "admin123"))


def purchase(plan_id: str, **rest: Any) -> dict[str, Any]:
    return {
        "plan_id": plan_id,
        "deposit": "10000",
        "payment": {"method": "dev"},
    } | rest


async def test_a_plan_is_drafted_activated_and_then_superseded(office: Office) -> None:
    answer = await office.post("/plans", FIVE)
    first = answer.json()
    assert (answer.status_code, first["version"], first["status"]) == (201, 1, "draft")
    assert first["terms_hash"].startswith("sha256:")
    assert answer.headers["x-position"] == first["position"]
    plan = f"/plans/{first['plan_id']}"
    assert first["plan_id"] not in str((await office.get("/plans"))["items"])

    active = await office.post(f"{plan}/activate", {})
    assert (active.status_code, active.json()["status"]) == (200, "active")
    assert first["plan_id"] in str((await office.get("/plans"))["items"])

    second = (await office.post(f"{plan}/versions", with_daily("4"))).json()
    assert (second["version"], second["status"]) == (2, "draft")
    assert second["terms_hash"] != first["terms_hash"]
    assert (await office.get(plan))["version"] == 1
    assert (await office.post(f"{plan}/activate", {"version": 2})).status_code == 200
    assert (await office.get(plan))["version"] == 2
    assert (await office.get(f"{plan}?version=1"))["status"] == "superseded"
    told = [
        (each["version"], each["status"])
        for each in (await office.get(f"{plan}/versions"))["items"]
    ]
    assert told == [(1, "superseded"), (2, "active")]


async def test_only_a_draft_is_activated_and_only_once(office: Office) -> None:
    plan_id = (await office.sells())["plan_id"]
    for version in (1, 2, None):
        again = await office.post(f"/plans/{plan_id}/activate", {"version": version})
        assert (again.status_code, again.json()["code"]) == (409, "version-not-drafted")
    unknown = await office.post("/plans/nothing/activate")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")


async def test_what_is_ambiguous_is_refused_with_both_readings(office: Office) -> None:
    bare = {name: each for name, each in MAX_LOSS.items() if name != "cmp"}
    body = written(phase(bare, TARGET), phase(MAX_LOSS, name="funded"))
    answer = await office.post("/plans", body, "once")
    refused = answer.json()
    assert (answer.status_code, refused["code"]) == (409, "plan-ambiguous")
    (finding,) = refused["findings"]
    assert finding["field"] == "phases[0].rules[0].cmp"
    assert "touching" in finding["reason"]
    one, other = finding["readings"]
    assert (one[:3], other[:3]) == ("lt:", "le:")
    again = await office.post("/plans", body, "once")
    assert again.content == answer.content
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"currency": "ZZZ"}, "currency"),
        ({"colour": "red"}, "colour"),
        ({"name": ""}, "name"),
        ({"sizes": []}, "sizes"),
        ({"sizes": [{"deposit": "0", "price": "1"}]}, "sizes[0].deposit"),
        ({"sizes": [{"deposit": "1e3", "price": "1"}]}, "sizes[0].deposit"),
        ({"phases": [phase(TARGET | {"pct": 8.5})]}, "phases[0].rules[0].pct"),
        ({"phases": [phase(TARGET | {"pct": "NaN"})]}, "phases[0].rules[0]"),
        ({"phases": [phase(TARGET | {"pct": "8_0"})]}, "phases[0].rules[0].pct"),
        ({"phases": [phase(TARGET | {"rainbow": 1})]}, "phases[0].rules[0].rainbow"),
        ({"phases": [phase(MAX_LOSS | {"cmp": "<"})]}, "phases[0].rules[0].cmp"),
        ({"phases": [phase({"id": "x", "kind": "luck"})]}, "phases[0].rules[0].kind"),
        ({"phases": [phase(MAX_LOSS, reset=["UTC", "24:00"])]}, "phases[0].reset"),
        ({"plan_id": "mine"}, "plan_id"),
    ],
    ids=str,
)
async def test_what_no_plan_can_say_is_a_matter_of_the_schema(
    office: Office, change: dict[str, Any], path: str
) -> None:
    answer = await office.post("/plans", FIVE | change)
    assert answer.status_code == 400, answer.text
    assert path in [each["path"] for each in answer.json()["errors"]]


async def test_only_an_admin_writes_plans(http: AsyncClient, log_in: LogIn) -> None:
    nobody = await http.post("/api/v1/plans", json=FIVE)
    assert nobody.status_code == 401
    for email, password in (
        ("user@tradesense.ai", "user123"),
        ("auditor@tradesense.ai", "auditor123"),
    ):
        other = Office(http, await log_in(email, password))
        assert (await other.post("/plans", FIVE)).status_code == 403
        assert (await other.post("/plans/x/activate", {})).status_code == 403
        assert (await other.post("/plans/x/versions", FIVE)).status_code == 403


async def test_a_plan_may_be_sent_as_it_was_answered(office: Office) -> None:
    sold = await office.sells()
    answered = await office.get(f"/plans/{sold['plan_id']}")
    del answered["plan_id"]
    copy = await office.post("/plans", answered)
    assert copy.status_code == 201, copy.text
    assert copy.json()["terms_hash"] == sold["terms_hash"]
    assert copy.json()["plan_id"] != sold["plan_id"]


async def test_a_doubt_is_told_and_refuses_nothing(office: Office) -> None:
    body = written(phase(MAX_LOSS, reset=["Etc/GMT-2", "00:00"]))
    drafted = await office.post("/plans", body)
    assert drafted.status_code == 201
    (doubt,) = drafted.json()["warnings"]
    assert (doubt["field"], doubt["severity"]) == ("phases[0].reset[0]", "warning")


async def test_a_draft_and_a_superseded_version_are_not_sold(
    http: AsyncClient, office: Office
) -> None:
    desk = await Desk.opened(http)
    plan_id = (await office.post("/plans", FIVE)).json()["plan_id"]
    assert (await desk.post("/challenges", purchase(plan_id), 409))["code"] == (
        "plan-not-active"
    )
    await office.post(f"/plans/{plan_id}/activate")
    await office.post(f"/plans/{plan_id}/versions", with_daily("4"))
    await office.post(f"/plans/{plan_id}/activate")
    seen = purchase(plan_id, plan_version=1)
    assert (await desk.post("/challenges", seen, 409))["code"] == "plan-not-active"
    await desk.open_venue()
    now = purchase(plan_id, plan_version=2, venue_id=desk.venue_id)
    assert (await desk.post("/challenges", now, 201))["plan_version"] == 2


async def test_what_was_sold_keeps_its_terms_whatever_is_sold_next(
    http: AsyncClient, office: Office, projected: None
) -> None:
    """A daily loss of 5 % was bought; the firm sells 4 % now; 4.5 % is lost."""
    desk = await Desk.opened(http)
    await desk.open_venue()
    sold = await office.sells()
    plan_id = sold["plan_id"]
    mine = purchase(plan_id, venue_id=desk.venue_id)
    bought = await desk.post("/challenges", mine, 201)
    drafted = await office.post(f"/plans/{plan_id}/versions", with_daily("4"))
    await office.post(f"/plans/{plan_id}/activate", {"version": 2})
    later = await desk.post("/challenges", mine, 201)
    assert (bought["terms_hash"], later["terms_hash"]) == (
        sold["terms_hash"],
        drafted.json()["terms_hash"],
    )

    await desk.quote("1.10000", "1.10000")
    for each in (bought, later):
        await desk.trade(each["account_id"])
    await desk.quote("1.09550", "1.09550")
    kept, strict = [
        await desk.get(f"/accounts/{each['account_id']}") for each in (bought, later)
    ]
    assert (kept["equity"], kept["status"]) == ("9550.00", "active")
    assert (strict["balance"], strict["status"]) == ("9550.00", "breached")

    await desk.quote("1.09499", "1.09499")
    breached = bought["account_id"]
    (breach,) = (await desk.get("/breaches", account_id=breached))["items"]
    assert (breach["floor"], breach["observed"]) == ("9500.00", "9499.00")
    assert breach["terms_hash"] == sold["terms_hash"]


async def test_add_ons_are_compiled_into_the_terms_of_the_sale(
    http: AsyncClient, office: Office
) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    sold = await office.sells()
    mine = purchase(sold["plan_id"], venue_id=desk.venue_id)
    plain = await desk.post("/challenges", mine, 201)
    hashes = set()
    for chosen in (["no-days", "wider"], ["wider", "no-days"]):
        bought = await desk.post("/challenges", mine | {"add_ons": chosen}, 201)
        assert bought["add_ons"] == ["no-days", "wider"]
        hashes.add(bought["terms_hash"])
    assert len(hashes) == 1
    assert plain["terms_hash"] == sold["terms_hash"]
    assert sold["terms_hash"] not in hashes
    account = await desk.get(f"/accounts/{bought['account_id']}")
    floors = {each["rule"]: each["floor"] for each in account["limits"]}
    assert floors == {"daily": "9400.00", "max": "9000.00"}
    assert [each["rule"] for each in account["objectives"]] == ["target"]


@pytest.mark.parametrize("add_ons", [["magic"], ["wider", "wider"]], ids=str)
async def test_an_add_on_that_is_not_offered_is_not_sold(
    http: AsyncClient, office: Office, add_ons: list[str]
) -> None:
    desk = await Desk.opened(http)
    plan_id = (await office.sells())["plan_id"]
    refused = await desk.post("/challenges", purchase(plan_id, add_ons=add_ons), 409)
    assert refused["code"] == "add-on-not-offered"
