"""What the doors of trading promise: once, mine only, and with reasons."""

import asyncio
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response

from tests.doors.desk import Desk


async def trading(http: AsyncClient) -> tuple[Desk, str]:
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    return desk, account_id


async def test_a_key_has_one_effect_and_one_answer(http: AsyncClient) -> None:
    desk, account_id = await trading(http)
    body = {
        "account_id": account_id,
        "symbol": "EURUSD",
        "side": "buy",
        "quantity": "0.10",
    }

    async def send() -> Response:
        headers = {"Idempotency-Key": "once"}
        return await desk.ask("POST", "/trades", json=body, headers=headers)

    answers = await asyncio.gather(*(send() for _ in range(50)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    replayed = [each.headers.get("idempotency-replayed") for each in answers]
    assert sorted(replayed, key=str).count("true") == 49
    standing = await desk.get(f"/accounts/{account_id}")
    assert standing["margin"] == "110.00"

    other = await desk.post("/trades", body | {"quantity": "0.20"}, 422, "once")
    assert other["code"] == "idempotency-key-reused"


async def test_a_decided_no_is_kept_with_its_key(http: AsyncClient) -> None:
    desk, account_id = await trading(http)
    first = await desk.trade(account_id, quantity="90.00", status=409, key="greedy")
    assert first["code"] == "insufficient-margin"
    assert set(first["arithmetic"]) == {"rule", "limit", "actual", "at"}
    again = await desk.trade(account_id, quantity="90.00", status=409, key="greedy")
    assert again == first


async def test_a_client_order_id_opens_one_trade(http: AsyncClient) -> None:
    desk, account_id = await trading(http)
    first = await desk.trade(account_id, quantity="0.10", client_order_id="mine-1")
    again = await desk.trade(
        account_id, quantity="0.10", client_order_id="mine-1", status=200
    )
    assert again == first


async def test_what_is_not_mine_is_not_there(
    http: AsyncClient, projected: None
) -> None:
    desk, account_id = await trading(http)
    trade = await desk.trade(account_id)
    stranger = await Desk.opened(http)
    venue = f"/sandbox/venues/{desk.venue_id}"
    quote = {"symbol": "EURUSD", "bid": "1.0", "ask": "1.1"}
    for method, path, body in (
        ("GET", f"/accounts/{account_id}", None),
        ("GET", f"/accounts/{account_id}/events", None),
        ("GET", f"/trades?account_id={account_id}", None),
        ("GET", f"/trades/{trade['trade_id']}", None),
        ("GET", f"/breaches?account_id={account_id}", None),
        ("POST", f"/trades/{trade['trade_id']}/close", {}),
        (
            "POST",
            "/trades",
            {
                "account_id": account_id,
                "symbol": "EURUSD",
                "side": "buy",
                "quantity": "1.00",
            },
        ),
        ("POST", f"{venue}/quotes", {"quotes": [quote]}),
        ("POST", f"{venue}/clock/advance", {"to": "2026-02-01T00:00:00Z"}),
        ("GET", f"/market-data/symbols?venue_id={desk.venue_id}", None),
    ):
        answer = await stranger.ask(method, path, json=body)
        assert answer.status_code == 404, (method, path, answer.text)
        assert answer.json()["code"] == "not-found"
    standing = await desk.get(f"/accounts/{account_id}")
    assert standing["version"] == trade["version"]


async def test_a_trade_is_closed_in_parts_and_only_once(
    http: AsyncClient, projected: None
) -> None:
    desk, account_id = await trading(http)
    trade = await desk.trade(account_id)
    close = f"/trades/{trade['trade_id']}/close"
    part = await desk.post(close, {"quantity": "0.40"}, 200)
    assert (part["status"], part["closed_quantity"]) == ("open", "0.40")
    assert (part["profit"], part["balance"]) == ("-4.00", "9996.00")
    too_much = await desk.post(close, {"quantity": "0.70"}, 409)
    assert too_much["code"] == "quantity-refused"
    rest = await desk.post(close, {}, 200)
    assert (rest["status"], rest["closed_quantity"]) == ("closed", "1.00")
    assert (rest["profit"], rest["balance"]) == ("-10.00", "9990.00")
    again = await desk.post(close, {}, 409)
    assert again["code"] == "trade-not-open"
    unknown = await desk.post(f"/trades/{uuid4()}/close", {}, 404)
    assert unknown["code"] == "not-found"


@pytest.mark.parametrize(
    "quantity",
    ["0", "0.00", "-1", "NaN", "1e400", "1_000", "٣", " 1", "1\n", "", 1, None, [1]],
)
async def test_a_size_that_is_no_size_changes_nothing(
    http: AsyncClient, quantity: object
) -> None:
    desk, account_id = await trading(http)
    body = {
        "account_id": account_id,
        "symbol": "EURUSD",
        "side": "buy",
        "quantity": quantity,
    }
    refused = await desk.post("/trades", body, 400)
    assert refused["code"] == "invalid-request"
    assert refused["errors"]
    assert (await desk.get(f"/accounts/{account_id}"))["version"] == 1


async def test_a_decided_no_says_which(http: AsyncClient) -> None:
    desk, account_id = await trading(http)
    for change, code in (
        ({"symbol": "GBPUSD"}, "unknown-symbol"),
        ({"quantity": "0.001"}, "quantity-refused"),
        ({"quantity": "90"}, "insufficient-margin"),
        ({"stop_loss": "1.2"}, "stop-refused"),
        ({"take_profit": "1.0"}, "stop-refused"),
    ):
        body = {
            "account_id": account_id,
            "symbol": "EURUSD",
            "side": "buy",
            "quantity": "0.10",
            **change,
        }
        refused = await desk.post("/trades", body, 409)
        assert refused["code"] == code


async def test_the_gate_of_a_sandbox_says_what_it_refused(http: AsyncClient) -> None:
    desk, _ = await trading(http)
    quotes = [
        {"symbol": "EURUSD", "bid": "1.10010", "ask": "1.10000"},
        {"symbol": "GBPUSD", "bid": "1.1", "ask": "1.1"},
        {"symbol": "EURUSD", "bid": "0", "ask": "1.1"},
        {
            "symbol": "EURUSD",
            "bid": "1.1",
            "ask": "1.1",
            "at": "2026-01-05T08:59:59Z",
        },
        {"symbol": "EURUSD", "bid": "1.10000", "ask": "1.10010"},
        {"symbol": "EURUSD", "bid": "1.10000", "ask": "1.10010"},
    ]
    path = f"/sandbox/venues/{desk.venue_id}/quotes"
    told = await desk.post(path, {"quotes": quotes}, 200)
    assert [each.get("reason") for each in told["results"]] == [
        "crossed",
        "unknown-symbol",
        "not-a-price",
        "late",
        None,
        "duplicate",
    ]
    assert [each["sequence"] for each in told["results"]] == [None] * 4 + [2, None]


async def test_a_stop_fills_at_the_tick_that_reaches_it(http: AsyncClient) -> None:
    desk, account_id = await trading(http)
    await desk.trade(account_id, stop_loss="1.09800", take_profit="1.10500")
    await desk.quote("1.09800", "1.09810")
    standing = await desk.get(f"/accounts/{account_id}")
    assert (standing["balance"], standing["margin"]) == ("9800.00", "0.00")


async def test_a_queried_position_is_waited_for(
    http: AsyncClient, projected: None
) -> None:
    desk, account_id = await trading(http)
    trade = await desk.trade(account_id)
    listed = await desk.get(
        "/trades", account_id=account_id, min_position=trade["position"]
    )
    assert [each["trade_id"] for each in listed["items"]] == [trade["trade_id"]]
    answer = await desk.ask("GET", "/leaderboard?min_position=p1-999999999")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["code"] == "projection-behind"


async def test_lists_are_paged_to_the_end(http: AsyncClient, projected: None) -> None:
    desk, account_id = await trading(http)
    opened = [
        (await desk.trade(account_id, quantity="0.01"))["trade_id"] for _ in range(5)
    ]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = await desk.get("/trades", account_id=account_id, limit=2, **more)
        seen.extend(each["trade_id"] for each in page["items"])
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(opened)
    facts = await desk.get(f"/accounts/{account_id}/events", limit=3)
    rest = await desk.get(
        f"/accounts/{account_id}/events",
        after_position=facts["items"][-1]["position"],
    )
    versions = [each["version"] for each in (*facts["items"], *rest["items"])]
    assert versions == list(range(1, 7))
