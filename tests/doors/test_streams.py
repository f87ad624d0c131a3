"""Streams over real sockets: what is sent, to whom, and what becomes of who is late."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from msgspec import Struct

from api.streaming import streams as limits
from api.streaming.feed import CHANNEL
from api.streaming.pulse import Rhythm
from infrastructure.embedded.servers import Servers, acquire, discard
from infrastructure.roles import Role
from infrastructure.settings import Settings
from projections.process import project
from tests.adapters.test_launcher import gone
from tests.databases import Database
from tests.doors.desk import Desk
from tests.doors.reading import Page, Talk
from tests.doors.stage import Stage, stage

QUICK = Rhythm(apart_seconds=0.001)
BEATING = Rhythm(apart_seconds=0.001, beat_seconds=0.01)
IMPATIENT = Rhythm(first_message_seconds=0.0)


class Said(Struct):
    text: str


@pytest.fixture
async def here(settings: Settings, own_servers: Servers) -> AsyncIterator[Stage]:
    async with stage(settings, own_servers, QUICK) as built:
        yield built


@pytest.fixture
async def beating(settings: Settings, own_servers: Servers) -> AsyncIterator[Stage]:
    async with stage(settings, own_servers, BEATING) as built:
        yield built


@pytest.fixture
async def projector(own_servers: Servers) -> AsyncIterator[None]:
    """It runs as it does beside the API."""
    task = asyncio.create_task(project(own_servers.database_url(Role.PROJECTOR)))
    yield
    task.cancel()
    await asyncio.wait((task,))


def token_of(desk: Desk) -> str:
    return desk.headers["Authorization"].removeprefix("Bearer ")


def happens(here: Stage, *said: str) -> None:
    for each in said:
        here.streams.hub.publish(CHANNEL, "breach", Said(each))


# -- what is sent ---------------------------------------------------------------------


async def test_a_page_reads_public_channels_without_login(here: Stage) -> None:
    async with Page.reading(here.http, "leaderboard:main,feed:public") as page:
        assert page.status == 200
        assert page.headers["content-type"].startswith("text/event-stream")
        board, feed = await page.next(), await page.next()
        assert board.type == feed.type == "snapshot"
        assert board.data["channel"] == "leaderboard:main"
        assert board.data["data"]["board"] == "main"
        assert feed.data["data"] == {"items": []}
        happens(here, "news")
        news = await page.next()
        assert (news.type, news.data["data"]) == ("breach", {"text": "news"})
        assert news.data["seq"] == feed.data["seq"] + 1


async def test_an_owner_sees_fills_breach_and_standing_as_they_are_committed(
    here: Stage,
) -> None:
    desk = await here.desk()
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    async with Talk.open(here.address, token_of(desk)) as talk:
        await talk.subscribes(f"account:{account_id}")
        assert (await talk.next())["type"] == "subscribed"
        first = await talk.next()
        assert (first["type"], first["data"]["equity"]) == ("snapshot", "10000.00")
        trade = await desk.trade(account_id)
        fill = (await talk.next("fill"))["data"]
        assert fill["trade_id"] == trade["trade_id"]
        assert (fill["action"], fill["price"]) == ("open", "1.10000")
        assert (await talk.next("standing"))["data"]["equity"] == "9990.00"
        await desk.quote("1.09000", "1.09010")
        assert (await talk.next("standing"))["data"]["equity"] == "9000.00"
        await desk.quote("1.08999", "1.09009")
        crossed = await talk.next("breach")
        told = crossed["data"]
        assert (told["floor"], told["observed"]) == ("9000.00", "8999.00")
        closing = await talk.next("fill")
        assert (closing["data"]["reason"], closing["data"]["left"]) == (
            "liquidation",
            "0.00",
        )
        assert closing["seq"] == crossed["seq"] + 1
        last = (await talk.next("standing"))["data"]
        assert (last["status"], last["balance"]) == ("breached", "8999.00")


async def test_a_breach_on_the_stream_is_the_one_in_the_tables(
    here: Stage, projector: None
) -> None:
    desk = await here.desk()
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    async with Page.reading(
        here.http, f"account:{account_id}", headers=desk.headers
    ) as page:
        await page.next("snapshot")
        await desk.trade(account_id)
        await desk.quote("1.08999", "1.09009")
        told = (await page.next("breach")).data["data"]
    path, position = f"/breaches/{told['breach_id']}", told.pop("position")
    kept = await desk.get(path, min_position=position)
    assert kept["event_position"] == position
    assert {key: kept[key] for key in told} == told


async def test_the_live_market_and_its_board_move(
    settings: Settings, own_servers: Servers, projector: None
) -> None:
    market = Settings(data=settings.data, feed="live")
    async with stage(market, own_servers, QUICK) as here:
        desk = await here.desk()
        async with Page.reading(here.http, "quotes:BTCUSD,leaderboard:main") as page:
            first, second = await page.next("quote"), await page.next("quote")
            quote = second.data["data"]
            assert quote["sequence"] > first.data["data"]["sequence"]
            desk.venue_id = "live"
            bought = await desk.buy_sprint()
            order = {
                "account_id": bought["account_id"],
                "symbol": "BTCUSD",
                "side": "buy",
                "quantity": "0.01",
            }
            await desk.post("/trades", order, 201)
            board = (await page.next("leaderboard")).data["data"]
            assert [each["account_id"] for each in board["items"]] == [
                bought["account_id"]
            ]


async def test_a_heartbeat_carries_the_last_position(beating: Stage) -> None:
    desk = await beating.desk()
    await desk.open_venue()
    account_id = await desk.open_account()
    standing = await desk.get(f"/accounts/{account_id}")
    async with (
        Page.reading(beating.http, "feed:public") as page,
        Talk.open(beating.address) as talk,
    ):
        await talk.subscribes("feed:public")
        beat = (await page.next("heartbeat")).data
        assert beat["position"].startswith("p1-")
        assert standing["position"] in beat["positions"]
        assert (await talk.next("heartbeat"))["position"] == beat["position"]


# -- coming back ----------------------------------------------------------------------


async def test_a_page_that_comes_back_is_told_what_it_missed(here: Stage) -> None:
    async with Page.reading(here.http, "feed:public") as page:
        await page.next("snapshot")
        happens(here, "seen")
        seen = await page.next()
    happens(here, "missed", "too")
    async with Page.reading(here.http, "feed:public", after=seen.id) as page:
        missed = [await page.next(), await page.next()]
        assert [each.data["data"]["text"] for each in missed] == ["missed", "too"]
        assert [each.data["seq"] - seen.data["seq"] for each in missed] == [1, 2]
    async with Page.reading(here.http, "feed:public", after=1) as page:
        assert (await page.next()).type == "snapshot"


async def test_a_program_that_comes_back_is_told_what_it_missed(here: Stage) -> None:
    async with Talk.open(here.address) as talk:
        await talk.subscribes("feed:public")
        seq = (await talk.next("subscribed"))["seq"]
    happens(here, "missed")
    async with Talk.open(here.address) as talk:
        await talk.subscribes("feed:public", resume_from={"feed:public": seq})
        assert (await talk.next())["type"] == "subscribed"
        missed = await talk.next()
        assert (missed["seq"], missed["data"]["text"]) == (seq + 1, "missed")
        await talk.says(type="ack", channel="feed:public", seq=seq + 1)
        await talk.says(type="unsubscribe", channels=["feed:public"])
        assert (await talk.next())["type"] == "unsubscribed"
        await talk.subscribes("feed:public", resume_from={"feed:public": 1})
        assert (await talk.next())["type"] == "subscribed"
        assert (await talk.next())["type"] == "snapshot"


# -- who may ---------------------------------------------------------------------------


async def test_an_account_is_its_owners_business(here: Stage) -> None:
    owner, stranger = await here.desk(), await here.desk()
    await owner.open_venue()
    name = f"account:{await owner.open_account()}"
    for headers, status in ((None, 401), (stranger.headers, 404), (owner.headers, 200)):
        async with Page.reading(here.http, name, headers=headers) as page:
            assert page.status == status
    for token, code in ((None, "unauthenticated"), (token_of(stranger), "not-found")):
        async with Talk.open(here.address, token) as talk:
            await talk.subscribes(name, "feed:public")
            refused = await talk.next()
            assert (refused["type"], refused["channel"]) == ("refused", name)
            assert refused["code"] == code
            assert (await talk.next())["type"] == "subscribed"
            happens(here, "still heard")
            assert (await talk.next("breach"))["data"]["text"] == "still heard"


async def test_a_stream_ends_with_its_session(beating: Stage) -> None:
    desk = await beating.desk()
    async with (
        Talk.open(beating.address, token_of(desk)) as talk,
        Page.reading(beating.http, "feed:public", headers=desk.headers) as page,
    ):
        await talk.subscribes("feed:public")
        await page.next("heartbeat")
        assert (await desk.ask("POST", "/auth/logout")).status_code == 204
        assert await talk.closed() == 4401
        await page.ended()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("channels=", 400),
        ("channels=nothing:at-all", 400),
        ("channels=feed:public,", 400),
        ("channels=" + ",".join(f"quotes:A{n}" for n in range(65)), 400),
        ("channels=quotes:NOTHING", 404),
        ("channels=leaderboard:mine", 404),
        ("channels=feed:mine", 404),
    ],
)
async def test_what_is_no_channel_is_a_problem(
    http: Any, query: str, status: int
) -> None:
    answer = await http.get(f"/api/v1/stream?{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_token_that_is_not_good_opens_nothing(here: Stage) -> None:
    forged = {"Authorization": "Bearer nonsense"}
    async with Page.reading(here.http, "feed:public", headers=forged) as page:
        assert page.status == 401
    async with Talk.open(here.address) as talk:
        await talk.says(type="auth", token="nonsense")
        assert await talk.closed() == 4401
    one, other = await here.desk(), await here.desk()
    async with Talk.open(here.address, token_of(one)) as talk:
        await talk.says(type="auth", token=token_of(one))
        assert (await talk.next())["type"] == "authenticated"
        await talk.says(type="auth", token=token_of(other))
        assert await talk.closed() == 4401


# -- how much --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("hello", 4400),
        ("[]", 4400),
        ('{"type":"shout"}', 4400),
        ('{"type":"subscribe","channels":[]}', 4400),
        ('{"type":"subscribe","channels":["feed:public"],"loud":true}', 4400),
        ('{"type":"subscribe","channels":["nothing"]}', 4400),
        ('{"type":"ack","channel":"feed:public","seq":-1}', 4400),
        (b"\xff\xfe", 4400),
        ('{"type":"auth","token":"' + "x" * 20_000 + '"}', 4400),
        ("x" * 70_000, 1009),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_what_cannot_be_understood_ends_the_talk(
    here: Stage, said: str | bytes, code: int
) -> None:
    async with Talk.open(here.address) as talk:
        await talk.socket.send(said)
        assert await talk.closed() == code


async def test_who_says_nothing_is_shown_out(
    settings: Settings, own_servers: Servers
) -> None:
    async with (
        stage(settings, own_servers, IMPATIENT) as here,
        Talk.open(here.address) as talk,
    ):
        assert await talk.closed() == 4408


async def test_who_talks_without_pause_is_shown_out(here: Stage) -> None:
    async with Talk.open(here.address) as talk:
        for _ in range(300):
            await talk.says(type="ack", channel="feed:public", seq=1)
        assert await talk.closed() == 4429


async def test_there_are_so_many_streams_and_no_more(
    here: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_OF_ONE_ADDRESS", 1)
    async with Page.reading(here.http, "feed:public") as page:
        await page.next()
        async with Page.reading(here.http, "feed:public") as another:
            assert another.status == 503
            assert another.headers["retry-after"] == "1"
        async with Talk.open(here.address) as talk:
            assert await talk.closed() == 4429


async def test_a_stream_reads_so_many_channels_and_no_more(here: Stage) -> None:
    desk = await here.desk()
    await desk.open_venue()
    accounts = [f"account:{await desk.open_account()}" for _ in range(64)]
    async with Talk.open(here.address, token_of(desk)) as talk:
        await talk.subscribes(*accounts)
        for _ in accounts:
            await talk.next("subscribed")
        await talk.subscribes("feed:public")
        refused = await talk.next("refused")
        assert (refused["channel"], refused["code"]) == (
            "feed:public",
            "too-many-channels",
        )


async def test_who_never_reads_is_let_go_and_others_miss_nothing(here: Stage) -> None:
    async with (
        Talk.open(here.address, max_queue=1) as deaf,
        Page.reading(here.http, "feed:public") as absent,
        Talk.open(here.address) as talk,
    ):
        await deaf.subscribes("feed:public")
        await talk.subscribes("feed:public")
        await absent.next("snapshot")
        await talk.next("snapshot")
        heard: list[str] = []
        while len(here.streams.hub) > 1:
            happens(here, f"{len(heard)}{'.' * 8_000}")
            heard.append((await talk.next("breach"))["data"]["text"].rstrip("."))
        assert heard == [str(number) for number in range(len(heard))]
        assert len(heard) * 8_000 < 64 * 1024 * 1024
        assert await deaf.closed() == 4411


# -- what breaks -----------------------------------------------------------------------


async def test_streams_end_at_once_when_the_server_does(
    settings: Settings, own_servers: Servers
) -> None:
    async with asyncio.timeout(20):
        async with stage(settings, own_servers, QUICK) as here:
            talk = await Talk.connected(here.address)
            await talk.subscribes("feed:public")
            await talk.next("snapshot")
        assert await talk.closed() == 1012


@pytest.fixture
def valkey() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ts-valkey-"))
    folder.chmod(0o711)  # the servers' user passes through
    yield folder / "data"
    discard(folder / "data")
    folder.rmdir()


async def test_streams_go_on_while_valkey_is_killed_and_comes_back(
    settings: Settings, own_servers: Servers, database: Database, valkey: Path
) -> None:
    with acquire(valkey, database_url=database.dsn()) as bundled:
        dsns = {role: own_servers.database_url(role) for role in Role}
        servers = Servers(dsns, bundled.redis_url)
        async with (
            stage(settings, servers, QUICK) as here,
            Page.reading(here.http, "feed:public") as page,
        ):
            await page.next("snapshot")
            with redis.Redis.from_url(bundled.redis_url) as client:
                server = int(client.info("server")["process_id"])
            with gone(server):
                os.kill(server, signal.SIGKILL)
            happens(here, "meanwhile")
            assert (await page.next()).data["data"]["text"] == "meanwhile"
            with acquire(valkey, database_url=database.dsn()):  # it is back
                happens(here, "after")
                assert (await page.next()).data["data"]["text"] == "after"
