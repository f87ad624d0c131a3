"""Candles and ticks of a symbol, over HTTP; a rebuild makes the same of them."""

from typing import Any

import pytest
from httpx import AsyncClient

from infrastructure.roles import Role
from projections.digest import digest
from projections.rebuild import rebuild
from tests.databases import Database
from tests.doors.desk import Desk

EURO = "/market-data/symbols/EURUSD"


async def quoted(http: AsyncClient) -> Desk:
    """Three minutes of the euro, and two quotes that the gate refuses."""
    desk = await Desk.opened(http)
    await desk.open_venue()
    for at, bid, ask in (
        ("09:00:05", "1.10000", "1.10010"),
        ("09:00:30", "1.10100", "1.10105"),
        ("09:00:55", "1.09900", "1.09920"),
        ("09:01:00", "1.09950", "1.09960"),
        ("09:06:10", "1.10200", "1.10210"),
    ):
        await desk.quote(bid, ask, f"2026-01-05T{at}Z")
    await desk.quote("1.10300", "1.10200", "2026-01-05T09:06:20Z")
    await desk.quote("0", "1.10200", "2026-01-05T09:06:30Z")
    return desk


async def candles(desk: Desk, **asked: Any) -> Any:
    return await desk.get(f"{EURO}/candles", venue_id=desk.venue_id, **asked)


async def test_candles_in_several_intervals(http: AsyncClient, projected: None) -> None:
    desk = await quoted(http)
    first, second, third = (await candles(desk))["items"]
    assert (first["open"], first["high"]) == ("1.10000", "1.10100")
    assert (first["low"], first["close"]) == ("1.09900", "1.09900")
    assert (first["ask_high"], first["ask_low"], first["ticks"]) == (
        "1.10105",
        "1.09920",
        3,
    )
    assert second["opens_at"] == "2026-01-05T09:01:00Z"
    assert third["opens_at"] == "2026-01-05T09:06:00Z"
    five = (await candles(desk, interval="5m"))["items"]
    assert [each["ticks"] for each in five] == [4, 1]
    for interval in ("15m", "1h", "4h", "1d"):
        (whole,) = (await candles(desk, interval=interval))["items"]
        assert (whole["ticks"], whole["close"]) == (5, "1.10200")
        assert (whole["first_sequence"], whole["last_sequence"]) == (1, 5)


async def test_candles_are_paged_from_an_instant_on(
    http: AsyncClient, projected: None
) -> None:
    desk = await quoted(http)
    asked = {"from": "2026-01-05T09:00:00Z", "to": "2026-01-05T09:06:00Z", "limit": 1}
    page = await candles(desk, **asked)
    seen = list(page["items"])
    while page["next"]:
        page = await candles(desk, **asked, cursor=page["next"])
        seen += page["items"]
    starts = [each["opens_at"] for each in seen]
    assert starts == ["2026-01-05T09:00:00Z", "2026-01-05T09:01:00Z"]
    (latest,) = (await candles(desk, limit=1))["items"]
    assert latest["opens_at"] == "2026-01-05T09:06:00Z"


async def test_ticks_are_told_with_what_the_gate_made_of_them(
    http: AsyncClient,
) -> None:
    desk = await quoted(http)
    asked = {"venue_id": desk.venue_id, "from": "2026-01-05T09:00:30Z"}
    told = await desk.get(f"{EURO}/ticks", **asked)
    assert [each["sequence"] for each in told["items"]] == [2, 3, 4, 5, None, None]
    crossed, zero = told["items"][-2:]
    assert (crossed["accepted"], crossed["reason"], crossed["after"]) == (
        False,
        "crossed",
        5,
    )
    assert (zero["reason"], zero["bid"]) == ("not-a-price", "0")
    refused = await desk.get(f"{EURO}/ticks", **asked, accepted="false")
    assert [each["reason"] for each in refused["items"]] == ["crossed", "not-a-price"]
    page = await desk.get(f"{EURO}/ticks", **asked, limit=4)
    rest = await desk.get(f"{EURO}/ticks", **asked, limit=4, cursor=page["next"])
    assert page["items"] + rest["items"] == told["items"]
    upto = await desk.get(f"{EURO}/ticks", **asked, to="2026-01-05T09:01:00Z")
    assert [each["sequence"] for each in upto["items"]] == [2, 3]


@pytest.mark.parametrize("what", ["candles", "ticks"])
async def test_a_stranger_and_a_bad_question_get_nothing(
    http: AsyncClient, what: str
) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    stranger = await Desk.opened(http)
    path, here = f"{EURO}/{what}", {"venue_id": desk.venue_id}
    assert (await stranger.ask("GET", path, params=here)).status_code == 404
    nothing = f"/market-data/symbols/XAUUSD/{what}"
    assert (await desk.ask("GET", nothing, params=here)).status_code == 404
    for wrong in (
        {"from": "2026-01-05T09:00:00"},
        {"from": "yesterday"},
        {"limit": "201"},
        {"cursor": "???"},
    ):
        answer = await desk.ask("GET", path, params=here | wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
    if what == "candles":
        answer = await desk.ask("GET", path, params=here | {"interval": "7m"})
        assert answer.status_code == 400


async def test_a_rebuild_makes_the_same_candles(
    http: AsyncClient, projected: None, database: Database
) -> None:
    desk = await quoted(http)
    await candles(desk)
    dsn = database.dsn(Role.PROJECTOR)
    live = await digest(dsn)
    assert live.ticks[desk.venue_id] == 7
    await rebuild(dsn, ("p1", "s1"))
    again = await digest(dsn)
    assert again.candles == live.candles
    assert again.ticks == live.ticks
    await desk.quote("1.10250", "1.10260", "2026-01-05T09:06:40Z")
    (*_, last) = (await candles(desk))["items"]
    assert (last["ticks"], last["close"]) == (2, "1.10250")
