"""The doors without login say how the product is, also when a server is away."""

import json
import re
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient
from litestar import Litestar

from api.bootstrap import build
from api.docs import SWAGGER
from infrastructure.embedded.servers import Servers
from infrastructure.roles import Role
from infrastructure.settings import Settings
from tests.doors.running import asking, running

NOWHERE = "/nonexistent"
AWAY = f"postgresql://nobody@/nothing?host={NOWHERE}"
ANNA = {"email": "anna@example.org", "password": "a long enough password"}


@pytest.fixture
async def without_valkey(
    settings: Settings, own_servers: Servers
) -> AsyncIterator[AsyncClient]:
    servers = Servers(
        {role: own_servers.database_url(role) for role in Role},
        f"unix://{NOWHERE}/valkey.sock?db=0",
    )
    async with running(build(settings, servers)) as app, asking(app) as client:
        yield client


@pytest.fixture
async def without_postgres(
    settings: Settings, servers: Servers
) -> AsyncIterator[AsyncClient]:
    """An app that was never started, as its start waits for the database."""
    lost = Servers(dict.fromkeys(Role, AWAY), servers.redis_url)
    async with asking(build(settings, lost)) as client:
        yield client


async def test_health_answers_as_it_always_did(http: AsyncClient) -> None:
    answer = await http.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "healthy",
        "service": "tradesense-api",
        "version": "1.0.0",
        "database": "connected",
        "cache": "healthy",
    }


async def test_without_valkey_the_product_is_healthy(
    without_valkey: AsyncClient,
) -> None:
    answer = await without_valkey.get("/health")
    assert (answer.status_code, answer.json()["cache"]) == (200, "unavailable")


async def test_without_valkey_people_come_in_and_guessing_is_limited(
    without_valkey: AsyncClient,
) -> None:
    await without_valkey.post("/api/v1/auth/register", json=ANNA)
    entered = await without_valkey.post("/api/v1/auth/login", json=ANNA)
    assert entered.status_code == 200
    guesses = [
        await without_valkey.post(
            "/api/v1/auth/login", json=ANNA | {"password": "guess"}
        )
        for _ in range(11)
    ]
    assert [guess.status_code for guess in guesses] == [401] * 10 + [429]


async def test_without_postgres_the_product_is_not_healthy(
    without_postgres: AsyncClient,
) -> None:
    answer = await without_postgres.get("/health")
    assert (answer.status_code, answer.json()["database"]) == (503, "disconnected")
    assert (await without_postgres.get("/live")).status_code == 200


async def test_without_postgres_a_login_is_asked_to_come_again(
    without_postgres: AsyncClient,
) -> None:
    answer = await without_postgres.post("/api/v1/auth/login", json=ANNA)
    assert answer.status_code == 503
    assert answer.json()["code"] == "store-unavailable"
    assert answer.headers["Retry-After"] == "1"
    assert NOWHERE not in answer.text


async def test_ready_tells_the_engine_and_the_lag(http: AsyncClient) -> None:
    answer = await http.get("/ready")
    body = answer.json()
    assert answer.status_code == (200 if body["engine"] == "ready" else 503)
    assert set(body["projector"]) == {"lag_events", "lag_seconds"}


async def test_greetings(http: AsyncClient) -> None:
    for path in ("/api/v1/", "/api/v1/ping", "/api/v1/info", "/live"):
        assert (await http.get(path)).status_code == 200


async def test_the_pages_about_the_api_ask_no_other_host(http: AsyncClient) -> None:
    page = await http.get("/docs")
    start = await http.get("/docs/assets/start.js")
    style = (SWAGGER / "swagger-ui.css").read_text()
    assert not re.search(r"https?://|(src|href)=[\"']?//", page.text + start.text)
    assert not re.search(r"@import|url\(['\"]?(https?:)?//", style)
    for asset in re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text):
        assert (await http.get(asset)).status_code == 200
    assert "connect-src 'self'" in page.headers["content-security-policy"]


async def test_the_document_names_doors_and_problems(
    app: Litestar, http: AsyncClient
) -> None:
    document = json.loads((await http.get("/schema/openapi.json")).content)
    paths = document["paths"]
    login = paths["/api/v1/auth/login"]["post"]
    assert login["security"] == []
    assert set(login["responses"]) >= {"200", "400", "413", "415", "default"}
    profile = paths["/api/v1/users/profile"]["get"]
    assert profile["security"] == [{"bearer": []}]
    assert set(profile["responses"]) >= {"200", "401", "403"}
    for operations in paths.values():
        for operation in operations.values():
            assert "default" in operation["responses"]


async def test_every_problem_has_its_page(http: AsyncClient) -> None:
    refused = (await http.get("/nowhere")).json()
    page = await http.get(refused["doc_url"])
    assert (page.status_code, "not-found" in page.text) == (200, True)
    assert (await http.get("/problems/nonsense")).status_code == 404


async def test_metrics_count_by_route(http: AsyncClient) -> None:
    await http.get("/api/v1/ping")
    await http.get("/nowhere/at/all")
    text = (await http.get("/metrics")).text
    labels = 'method="GET",route="/api/v1/ping",status="200"'
    assert f"tradesense_http_requests_total{{{labels}}} 1.0" in text
    assert "nowhere" not in text
