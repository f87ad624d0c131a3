"""What the doors of orders promise: placed, seen, changed knowingly, cancelled."""

from typing import Any

import pytest
from httpx import AsyncClient

from tests.doors.desk import MAX_LOSS, Desk

ENDED = {"time_in_force": "gtd", "expires_at": "2026-01-05T09:00:00Z"}


async def trading(http: AsyncClient) -> tuple[Desk, str]:
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    return desk, account_id


async def place(desk: Desk, account_id: str, status: int = 201, **rest: Any) -> Any:
    key = rest.pop("key", None)
    body = {
        "account_id": account_id,
        "symbol": "EURUSD",
        "side": "buy",
        "type": "limit",
        "quantity": "0.10",
        "time_in_force": "gtc",
        **rest,
    }
    return await desk.post("/orders", body, status, key)


async def test_a_limit_order_waits_and_fills_at_its_price_or_better(
    http: AsyncClient, projected: None
) -> None:
    desk, account_id = await trading(http)
    placed = await place(desk, account_id, price="1.09500", stop_loss="1.09000")
    assert (placed["status"], placed["trade_id"]) == ("working", None)
    path = f"/orders/{placed['order_id']}"
    assert await desk.get(path) == placed
    await desk.quote("1.09480", "1.09490")
    filled = await desk.get(path)
    assert (filled["status"], filled["fill_price"]) == ("filled", "1.09490")
    assert filled["version"] == 2
    trade = await desk.get(f"/trades/{filled['trade_id']}")
    assert trade["order_id"] == placed["order_id"]
    assert (trade["open_price"], trade["stop_loss"]) == ("1.09490", "1.09000")
    await desk.quote("1.08900", "1.08910")
    closed = await desk.get(f"/trades/{filled['trade_id']}")
    assert (closed["status"], closed["close_price"]) == ("closed", "1.08900")
    assert closed["profit"] == "-59.00"  # past its stop of 1.09000


async def test_a_market_order_is_a_trade_at_once(
    http: AsyncClient, projected: None
) -> None:
    desk, account_id = await trading(http)
    placed = await place(desk, account_id, type="market", take_profit="1.12000")
    assert placed["status"] == "filled"
    assert placed["fill_price"] == "1.10000"
    trade = await desk.get(f"/trades/{placed['trade_id']}")
    assert (trade["status"], trade["take_profit"]) == ("open", "1.12000")


@pytest.mark.parametrize("lasts", ["ioc", "FOK"])
async def test_what_cannot_be_filled_now_is_decided_cancelled(
    http: AsyncClient, projected: None, lasts: str
) -> None:
    desk, account_id = await trading(http)
    placed = await place(desk, account_id, price="1.09999", time_in_force=lasts)
    assert (placed["status"], placed["reason"]) == ("cancelled", "unfilled")
    assert await desk.get(f"/orders/{placed['order_id']}") == placed
    at_once = await place(desk, account_id, price="1.10000", time_in_force=lasts)
    assert at_once["status"] == "filled"


async def test_an_order_is_changed_by_whoever_knows_how_it_stands(
    http: AsyncClient, projected: None
) -> None:
    desk, account_id = await trading(http)
    placed = await place(desk, account_id, price="1.09500")
    path = f"/orders/{placed['order_id']}"
    tag = (await desk.ask("GET", path)).headers["etag"]
    assert tag == '"1"'
    first = await desk.ask(
        "PATCH", path, json={"price": "1.09400"}, headers={"If-Match": tag}
    )
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    assert (first.json()["price"], first.json()["version"]) == ("1.09400", 2)
    for method, body in (("PATCH", {"price": "1.09300"}), ("DELETE", None)):
        late = await desk.ask(method, path, json=body, headers={"If-Match": tag})
        assert (late.status_code, late.json()["code"]) == (412, "precondition-failed")
    gone = await desk.ask("DELETE", path, headers={"If-Match": '"2"'})
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    assert gone.json()["reason"] == "trader"
    again = await desk.ask("DELETE", path)
    assert (again.status_code, again.json()["code"]) == (409, "order-not-working")
    assert (await desk.get(path))["status"] == "cancelled"


async def test_one_client_order_id_for_trades_and_orders(http: AsyncClient) -> None:
    desk, account_id = await trading(http)
    names = ({"client_order_id": f"mine-{number}"} for number in range(3))
    one, two, three = (dict[str, Any](each) for each in names)
    trade = await desk.trade(account_id, quantity="0.10", **one)
    again = await place(desk, account_id, 200, price="1.09500", **one)
    assert again == trade
    waits = await place(desk, account_id, price="1.09500", **two)
    again = await place(desk, account_id, 200, price="1.09600", **two)
    assert again == waits
    again = await desk.trade(account_id, status=200, **two)
    assert again == waits
    other = await place(desk, account_id, price="1.09500", **three)
    assert other["order_id"] != waits["order_id"]


async def test_orders_are_listed_by_status_and_page_by_page(
    http: AsyncClient, projected: None
) -> None:
    desk, account_id = await trading(http)
    placed = [
        await place(desk, account_id, price=f"1.0{number}000") for number in range(5, 9)
    ]
    await desk.ask("DELETE", f"/orders/{placed[0]['order_id']}")
    working = await desk.get(
        "/orders", account_id=account_id, status="working", limit=2
    )
    rest = await desk.get(
        "/orders",
        account_id=account_id,
        status="working",
        limit=2,
        cursor=working["next"],
    )
    listed = [each["order_id"] for each in (*working["items"], *rest["items"])]
    assert sorted(listed) == sorted(each["order_id"] for each in placed[1:])
    assert rest["next"] is None
    mine = await desk.get("/orders", status="cancelled")
    assert [each["order_id"] for each in mine["items"]] == [placed[0]["order_id"]]


async def test_an_order_that_has_no_such_shape_is_refused_before_it_is_decided(
    http: AsyncClient,
) -> None:
    desk, account_id = await trading(http)
    for wrong in (
        {"price": None},
        {"price": "0"},
        {"price": "1.0", "stop_price": "1.1"},
        {"type": "market", "price": "1.0"},
        {"type": "stop"},
        {"type": "stop_limit", "price": "1.1"},
        {"type": "iceberg", "price": "1.0"},
        {"price": "1.0", "time_in_force": "gtd"},
        {"price": "1.0", "time_in_force": "day", "expires_at": "2026-01-06T00:00:00Z"},
        {"price": "1.0", "trailing": "-1"},
        {"price": "1.0", "colour": "red"},
    ):
        refused = await place(desk, account_id, 400, **wrong)
        assert refused["code"] == "invalid-request"
        assert refused["errors"], wrong
    assert (await desk.get(f"/accounts/{account_id}"))["version"] == 1


async def test_a_decided_no_says_which(http: AsyncClient) -> None:
    desk, account_id = await trading(http)
    for wrong, code in (
        ({"price": "1.0", "symbol": "GBPUSD"}, "unknown-symbol"),
        ({"price": "1.0", "quantity": "0.001"}, "quantity-refused"),
        ({"price": "1.0", "quantity": "90"}, "insufficient-margin"),
        ({"price": "1.000001"}, "price-refused"),
        ({"price": "1.0", "stop_loss": "1.1"}, "stop-refused"),
        ({"type": "stop", "stop_price": "1.10000"}, "stop-refused"),
        ({"price": "1.0", "oco": "nobody"}, "order-not-working"),
        ({"price": "1.0", **ENDED}, "order-refused"),
    ):
        refused = await place(desk, account_id, 409, **wrong)
        assert refused["code"] == code
        if code == "insufficient-margin":
            assert refused["arithmetic"]["rule"] == "free_margin"


async def test_a_strangers_order_is_not_there(
    http: AsyncClient, projected: None
) -> None:
    desk, account_id = await trading(http)
    placed = await place(desk, account_id, price="1.09500")
    stranger = await Desk.opened(http)
    path = f"/orders/{placed['order_id']}"
    for method, where, body in (
        ("GET", path, None),
        ("GET", f"/orders?account_id={account_id}", None),
        ("PATCH", path, {"price": "1.09400"}),
        ("DELETE", path, None),
    ):
        answer = await stranger.ask(method, where, json=body)
        assert answer.status_code == 404, (method, where)
    assert (await stranger.get("/orders"))["items"] == []
    assert (await desk.get(path))["status"] == "working"


async def test_a_breach_cancels_what_waits(http: AsyncClient, projected: None) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account(MAX_LOSS)
    await desk.quote("1.09990", "1.10000")
    await desk.trade(account_id)
    placed = await place(desk, account_id, price="1.05000")
    await desk.quote("1.08000", "1.08010")
    gone = await desk.get(f"/orders/{placed['order_id']}")
    assert (gone["status"], gone["reason"]) == ("cancelled", "breach")
    refused = await place(desk, account_id, 409, price="1.05000")
    assert refused["code"] == "account-breached"


async def test_a_preview_tells_what_an_order_would_leave(http: AsyncClient) -> None:
    """Ten lots at a stop of a hundred points lose 1,000 dollars: all that there is."""
    desk, account_id = await trading(http)
    body = {
        "account_id": account_id,
        "symbol": "EURUSD",
        "side": "buy",
        "type": "market",
        "quantity": "0.50",
        "stop_loss": "1.09000",
    }
    seen = await desk.post("/orders/preview", body, 200)
    assert (seen["margin"], seen["commission"]) == ("550.00", "0.00")
    assert (seen["equity_after"], seen["equity_at_stop"]) == ("9995.00", "9500.00")
    assert seen["distances"] == [{"rule": "max", "distance": "995.00"}]
    assert seen["distances_at_stop"] == [{"rule": "max", "distance": "500.00"}]
    assert seen["largest_quantity"] == "1.00"  # to the floor, which may be touched
    none = await desk.post("/orders/preview", {**body, "stop_loss": None}, 200)
    assert (none["equity_at_stop"], none["largest_quantity"]) == (None, None)
    beyond = await desk.post("/orders/preview", {**body, "quantity": "90"}, 200)
    assert beyond["free_margin_after"].startswith("-")  # it is told, not refused
    refused = await desk.post("/orders/preview", {**body, "stop_loss": "1.2"}, 409)
    assert refused["code"] == "stop-refused"
    assert (await desk.get(f"/accounts/{account_id}"))["version"] == 1


async def test_a_trailing_stop_follows_the_price_and_never_back(
    http: AsyncClient, projected: None
) -> None:
    """T11: 50 pips behind 1.1000, then 1.1060, then 1.1030."""
    desk, account_id = await trading(http)
    await desk.quote("1.10000", "1.10010")
    trade = await desk.trade(account_id, quantity="0.10")
    path = f"/trades/{trade['trade_id']}"
    moved = await desk.ask("PATCH", path, json={"trailing": "0.00500"})
    assert moved.status_code == 200, moved.text
    assert (moved.json()["trailing"], moved.json()["stop_loss"]) == (
        "0.00500",
        "1.09500",
    )
    await desk.quote("1.10600", "1.10610")
    await desk.quote("1.10300", "1.10310")
    await desk.quote("1.10101", "1.10111")
    assert (await desk.get(path))["status"] == "open"
    await desk.quote("1.10100", "1.10110")
    closed = await desk.get(path)
    assert (closed["status"], closed["close_price"]) == ("closed", "1.10100")


async def test_a_trade_is_protected_by_whoever_knows_how_it_stands(
    http: AsyncClient, projected: None
) -> None:
    desk, account_id = await trading(http)
    trade = await desk.trade(account_id, quantity="0.10", stop_loss="1.09000")
    path = f"/trades/{trade['trade_id']}"

    async def patched(status: int, seen: str, **body: object) -> Any:
        headers = {"If-Match": seen}
        answer = await desk.ask("PATCH", path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    kept = await patched(200, '"1"', take_profit="1.12000")
    assert (kept["stop_loss"], kept["take_profit"]) == ("1.09000", "1.12000")
    assert (await patched(412, '"1"', stop_loss=None))["code"] == "precondition-failed"
    free = await patched(200, '"2"', stop_loss=None)
    assert (free["stop_loss"], free["take_profit"]) == (None, "1.12000")
    wrong = await patched(409, "*", stop_loss="1.10000")
    assert wrong["code"] == "stop-refused"
    read = await desk.ask("GET", path)
    assert (read.headers["etag"], read.json()["revision"]) == ('"3"', 3)


async def test_opposite_trades_close_each_other_without_a_spread(
    http: AsyncClient,
) -> None:
    desk, account_id = await trading(http)
    long = await desk.trade(account_id, quantity="0.30")  # at 1.10000
    await desk.quote("1.10500", "1.10510")
    short = await desk.trade(account_id, "sell", quantity="0.20")  # at 1.10500
    path = f"/trades/{long['trade_id']}/close-by"
    both = await desk.post(path, {"trade_id": short["trade_id"]}, 200)
    first, second = both["trades"]
    assert (first["status"], first["profit"]) == ("open", "100.00")
    assert (second["status"], second["profit"]) == ("closed", "0.00")
    assert both["balance"] == "10100.00"
    same = await desk.post(path, {"trade_id": long["trade_id"]}, 409)
    assert same["code"] == "not-opposite"


async def test_closing_all_leaves_nothing_open_and_nothing_waiting(
    http: AsyncClient, projected: None
) -> None:
    desk, account_id = await trading(http)
    await desk.trade(account_id, quantity="0.10")
    await desk.trade(account_id, "sell", quantity="0.20")
    placed = await place(desk, account_id, price="1.05000")
    path = f"/accounts/{account_id}/close-all"
    flat = await desk.post(path, None, 200)
    assert [each["status"] for each in flat["trades"]] == ["closed", "closed"]
    assert flat["cancelled"] == [placed["order_id"]]
    assert flat["left"] == []
    standing = await desk.get(f"/accounts/{account_id}")
    assert (standing["margin"], standing["equity"]) == ("0.00", "9997.00")
    again = await desk.post(path, None, 409)
    assert again["code"] == "trade-not-open"


@pytest.mark.parametrize(
    ("currency", "initial", "margin", "balance"),
    [
        # 0.10 lots bought at 1.09500 and closed at 1.10500: 100 dollars
        ("USD", "10000", "109.50", "10100.00"),
        ("EUR", "10000", "100.00", "10090.49"),  # 100 / 1.10510
        ("JPY", "1000000", "16425", "1015000"),  # 100 x 150.000
    ],
)
async def test_an_order_fills_in_the_currency_of_its_account(
    http: AsyncClient, currency: str, initial: str, margin: str, balance: str
) -> None:
    desk = await Desk.opened(http)
    free = {"leverage": 100, "commission_per_lot": "0", "sessions": "always"}
    listings = [{"symbol": "EURUSD", **free}, {"symbol": "USDJPY", **free}]
    venue = {"starts_at": "2026-01-05T09:00:00Z", "instruments": listings}
    made = await desk.post("/sandbox/venues", {**venue, "gate": "order"}, 201)
    quotes = f"/sandbox/venues/{made['venue_id']}/quotes"

    async def quoted(symbol: str, bid: str, ask: str) -> None:
        sent = {"symbol": symbol, "bid": bid, "ask": ask}
        await desk.post(quotes, {"quotes": [sent]}, 200)

    plan = {"initial": initial, "reset": ["UTC", "00:00"], "rules": [MAX_LOSS]}
    account = await desk.post(
        f"/sandbox/venues/{made['venue_id']}/accounts",
        {"plan": plan, "currency": currency},
        201,
    )
    account_id = account["account_id"]
    await quoted("USDJPY", "150.000", "150.000")
    await quoted("EURUSD", "1.09990", "1.10000")
    await place(desk, account_id, price="1.09500", take_profit="1.10500")
    await quoted("EURUSD", "1.09490", "1.09500")
    held = await desk.get(f"/accounts/{account_id}")
    assert held["margin"] == margin
    await quoted("EURUSD", "1.10500", "1.10510")
    flat = await desk.get(f"/accounts/{account_id}")
    assert (flat["margin"].strip("0."), flat["balance"]) == ("", balance)
