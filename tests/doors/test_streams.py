"""Streams over real sockets: what is sent, to whom, and what becomes of who is late."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from httpx import AsyncClient

from api.asgi import listening_config
from api.bootstrap import build
from api.streaming.pulse import Rhythm
from infrastructure.embedded.servers import Servers
from infrastructure.roles import Role
from infrastructure.settings import Settings
from projections.process import project
from projections.runner import PAGE
from tests.doors.desk import Desk
from tests.doors.reading import Page, Talk

Address = tuple[str, int]
QUICK = Rhythm(apart_seconds=0.001, beat_seconds=0.02)
IMPATIENT = Rhythm(first_message_seconds=0.0)


@asynccontextmanager
async def serving(
    settings: Settings, servers: Servers, rhythm: Rhythm
) -> AsyncIterator[Address]:
    listener = socket.create_server(("127.0.0.1", 0))
    app = build(settings, servers, rhythm=rhythm)
    server = uvicorn.Server(listening_config(app, "127.0.0.1", 0))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def asking(address: Address) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(
        base_url=f"http://{address[0]}:{address[1]}", timeout=20, trust_env=False
    ) as client:
        yield client


@pytest.fixture
async def http(address: Address) -> AsyncIterator[AsyncClient]:
    async with asking(address) as client:
        yield client


@pytest.fixture
async def projecting(address: Address, own_servers: Servers) -> AsyncIterator[None]:
    """The projector runs, as it does beside the API."""
    task = asyncio.create_task(project(own_servers.database_url(Role.PROJECTOR), PAGE))
    yield
    task.cancel()
    await asyncio.wait((task,))


@pytest.fixture
async def desk(http: AsyncClient) -> Desk:
    opened = await Desk.opened(http)
    await opened.open_venue()
    return opened


def token_of(desk: Desk) -> str:
    return desk.headers["Authorization"].removeprefix("Bearer ")


async def test_a_page_reads_public_channels_without_login(http: AsyncClient) -> None:
    async with Page.reading(http, "leaderboard:main,feed:public") as page:
        assert page.status == 200
        assert page.headers["content-type"].startswith("text/event-stream")
        board, feed = await page.next(), await page.next()
        assert board.type == feed.type == "snapshot"
        assert board.data["channel"] == "leaderboard:main"
        assert board.data["data"]["board"] == "main"
        assert feed.data["data"] == {"items": []}
        assert feed.id is not None


async def test_an_owner_sees_fills_breach_and_standing_as_they_are_committed(
    desk: Desk, address: Address
) -> None:
    account_id = await desk.open_account()
    name = f"account:{account_id}"
    await desk.quote("1.09990", "1.10000")
    async with Talk.open(address, token_of(desk)) as talk:
        await talk.subscribes(name)
        assert (await talk.next())["type"] == "subscribed"
        first = await talk.next()
        assert (first["type"], first["data"]["equity"]) == ("snapshot", "10000.00")
        trade = await desk.trade(account_id)
        fill = await talk.next("fill")
        assert fill["data"]["trade_id"] == trade["trade_id"]
        assert (fill["data"]["action"], fill["data"]["price"]) == ("open", "1.10000")
        standing = await talk.next("standing")
        assert standing["data"]["equity"] == "9990.00"
        await desk.quote("1.09000", "1.09010")
        assert (await talk.next("standing"))["data"]["equity"] == "9000.00"
        await desk.quote("1.08999", "1.09009")
        crossed = await talk.next("breach")
        assert (crossed["data"]["floor"], crossed["data"]["observed"]) == (
            "9000.00",
            "8999.00",
        )
        closing = await talk.next("fill")
        assert (closing["data"]["reason"], closing["data"]["left"]) == (
            "liquidation",
            "0.00",
        )
        last = await talk.next("standing")
        assert (last["data"]["status"], last["data"]["balance"]) == (
            "breached",
            "8999.00",
        )
        assert closing["seq"] == crossed["seq"] + 1


async def test_a_breach_on_the_stream_is_the_one_in_the_tables(
    desk: Desk, address: Address, own_servers: Servers, projecting: None
) -> None:
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    async with Talk.open(address, token_of(desk)) as talk:
        await talk.subscribes(f"account:{account_id}")
        await desk.trade(account_id)
        await desk.quote("1.08999", "1.09009")
        told = (await talk.next("breach"))["data"]
    kept = await desk.get(
        f"/breaches/{told['breach_id']}", min_position=told["position"]
    )
    assert {key: kept[key] for key in told if key in kept} == {
        key: told[key] for key in told if key in kept
    }
    assert kept["event_position"] == told["position"]
