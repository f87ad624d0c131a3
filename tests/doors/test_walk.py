"""From a purchase to a breach, to the cent, through the public doors only."""

from decimal import Decimal

from httpx import AsyncClient

from tests.doors.desk import Desk


async def test_a_loss_to_the_floor_is_allowed_and_one_point_more_is_a_breach(
    http: AsyncClient, projected: None
) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    trade = await desk.trade(account_id)
    assert trade["open_price"] == "1.10000"
    assert (await desk.get(f"/accounts/{account_id}"))["equity"] == "9990.00"

    await desk.quote("1.09000", "1.09010")
    touching = await desk.get(f"/accounts/{account_id}")
    assert (touching["equity"], touching["status"]) == ("9000.00", "active")
    (limit,) = touching["limits"]
    assert (limit["floor"], limit["distance"]) == ("9000.00", "0.00")

    told = await desk.quote("1.08999", "1.09009")
    assert [each["sequence"] for each in told["results"]] == [3]
    account = await desk.get(f"/accounts/{account_id}")
    assert (account["status"], account["balance"]) == ("breached", "8999.00")
    (breach,) = (await desk.get("/breaches", account_id=account_id))["items"]
    assert breach["primary"]
    assert (breach["floor"], breach["observed"]) == ("9000.00", "8999.00")
    assert [quote["sequence"] for quote in breach["quotes"]] == [3]
    assert breach == await desk.get(f"/breaches/{breach['breach_id']}")

    (closed,) = (await desk.get("/trades", account_id=account_id))["items"]
    assert (closed["status"], closed["close_price"]) == ("closed", "1.08999")
    refused = await desk.trade(account_id, status=409)
    assert refused["code"] == "account-breached"
    events = (await desk.get(f"/accounts/{account_id}/events"))["items"]
    assert [event["type"] for event in events] == [
        "account.opened/1",
        "account.position-opened/1",
        "account.rule-breached/1",
        "account.position-closed/1",
    ]
    numbers = [int(event["position"].rpartition("-")[2]) for event in events]
    assert numbers == sorted(numbers)
    assert breach["event_position"] == events[2]["position"]


async def test_the_evidence_recomputes_from_its_own_fields(
    http: AsyncClient, projected: None
) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    await desk.trade(account_id, quantity="0.60")
    await desk.trade(account_id, quantity="0.40")
    await desk.quote("1.08900", "1.08910")
    (breach,) = (await desk.get("/breaches", account_id=account_id))["items"]
    equity = Decimal(breach["balance"])
    for held in breach["positions"]:
        move = Decimal(held["valued_at"]) - Decimal(held["open_price"])
        profit = move * Decimal(held["quantity"]) * Decimal(held["contract_size"])
        assert profit == Decimal(held["profit"])
        equity += profit
    assert equity == Decimal(breach["equity"]) == Decimal(breach["observed"])
    deposit = Decimal(breach["deposit"])
    assert deposit - deposit * 10 / 100 == Decimal(breach["floor"])
    assert equity < Decimal(breach["floor"])
    for line in breach["arithmetic"]:
        assert any(sign in line for sign in ("=", "<"))


async def test_a_challenge_is_bought_passed_twice_funded_and_then_lost(
    http: AsyncClient, projected: None
) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    bought = await desk.buy_sprint()
    plan = await desk.get(f"/plans/{bought['plan_id']}")
    assert bought["terms_hash"] == plan["terms_hash"]
    challenge = f"/challenges/{bought['challenge_id']}"
    account_id = bought["account_id"]
    price = Decimal("1.10000")
    for phase in ("evaluation", "verification"):
        standing = await desk.get(f"/accounts/{account_id}")
        assert (standing["phase"], standing["balance"]) == (phase, "10000.00")
        await desk.quote(str(price - Decimal("0.00010")), str(price))
        trade = await desk.trade(account_id)
        price += Decimal("0.00110")
        await desk.quote(str(price - Decimal("0.00010")), str(price))
        closed = await desk.post(f"/trades/{trade['trade_id']}/close", {}, 200)
        assert (closed["profit"], closed["balance"]) == ("100.00", "10100.00")
        passed = await desk.get(f"/accounts/{account_id}")
        assert passed["status"] == "passed"
        now = await desk.get(challenge)
        assert now["account_id"] != account_id
        account_id = now["account_id"]
    assert (now["status"], now["phase"]) == ("funded", "funded")
    assert [phase["status"] for phase in now["phases"]] == [
        "passed",
        "passed",
        "active",
    ]

    await desk.trade(account_id)
    fallen = price - Decimal("0.00101")
    await desk.quote(str(fallen - Decimal("0.00010")), str(fallen))
    lost = await desk.get(challenge)
    assert lost["status"] == "breached"
    (breach,) = (await desk.get("/breaches", account_id=account_id))["items"]
    assert (breach["rule"], breach["floor"]) == ("daily", "9900.00")
    assert breach["terms_hash"] == plan["terms_hash"]
    (listed,) = (await desk.get("/challenges"))["items"]
    assert listed["status"] == "breached"


async def test_a_boundary_passes_on_the_sandbox_clock_and_can_breach_by_itself(
    http: AsyncClient, projected: None
) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    daily = {
        "id": "daily",
        "kind": "daily",
        "anchor": "max",
        "amount": ["pct_initial", "5"],
    }
    account_id = await desk.open_account(daily)
    await desk.quote("1.09990", "1.10000")
    won = await desk.trade(account_id)
    await desk.quote("1.10600", "1.10610")
    await desk.post(f"/trades/{won['trade_id']}/close", None, 200)
    await desk.trade(account_id)
    await desk.quote("1.10000", "1.10010")
    before = await desk.get(f"/accounts/{account_id}")
    assert (before["equity"], before["status"]) == ("9990.00", "active")
    clock = f"/sandbox/venues/{desk.venue_id}/clock/advance"
    told = await desk.post(clock, {"to": "2026-01-06T00:00:00Z"}, 200)
    assert told["boundaries"] == 1
    after = await desk.get(f"/accounts/{account_id}")
    assert (after["status"], after["balance"]) == ("breached", "9990.00")
    (breach,) = (await desk.get("/breaches", account_id=account_id))["items"]
    assert (breach["floor"], breach["observed"]) == ("10100.00", "9990.00")
    assert breach["decided_at"] == "2026-01-06T00:00:00Z"
    back = await desk.post(clock, {"to": "2026-01-05T23:59:59Z"}, 409)
    assert back["code"] == "clock-backwards"
