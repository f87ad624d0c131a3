"""People register, log in, stay in, and leave; strangers learn nothing."""

import asyncio
from pathlib import Path

import pytest
from attrs import evolve
from httpx import AsyncClient, Response
from litestar import Litestar

from api.bootstrap import build
from infrastructure.clock import SystemClock
from infrastructure.embedded.servers import Servers
from infrastructure.identity.hashing import CHEAP, PRODUCTION, Argon2Hasher
from infrastructure.identity.seed import SeedRefused, seed_people
from infrastructure.identity.signing_key import NoSigningKey, signing_key
from infrastructure.ids import TimeOrderedIds
from infrastructure.settings import Environment, Settings
from tests.databases import Database
from tests.doors.conftest import LogIn
from tests.doors.running import running

ANNA = {"email": "Anna@Example.org", "password": "a long enough password"}


async def register(http: AsyncClient, person: dict[str, str] = ANNA) -> Response:
    return await http.post("/api/v1/auth/register", json=person)


async def enter(http: AsyncClient, person: dict[str, str] = ANNA) -> Response:
    return await http.post("/api/v1/auth/login", json=person)


async def profile(http: AsyncClient, token: str) -> Response:
    bearer = {"Authorization": f"Bearer {token}"}
    return await http.get("/api/v1/users/profile", headers=bearer)


async def rotate(http: AsyncClient, refresh_token: str) -> Response:
    return await http.post(
        "/api/v1/auth/refresh", json={"refresh_token": refresh_token}
    )


async def test_who_registers_can_log_in_and_read_the_profile(
    http: AsyncClient,
) -> None:
    registered = await register(http, ANNA | {"handle": "anna"})
    assert (registered.status_code, registered.json()) == (202, {"status": "accepted"})

    tokens = (await enter(http)).json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 600)

    assert (await profile(http, tokens["access_token"])).json() == {
        "trader_id": tokens["trader_id"],
        "email": "anna@example.org",
        "handle": "anna",
        "roles": ["trader"],
    }


async def test_a_known_address_is_accepted_alike_and_told_by_mail_only(
    http: AsyncClient,
) -> None:
    first, second = await register(http), await register(http)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    mail = (await http.get("/api/v1/dev/mail?to=ANNA@example.org")).json()["items"]
    assert [letter["subject"] for letter in mail] == [
        "You are already registered",
        "Welcome",
    ]
    assert set(mail[0]) == {"to", "subject", "text", "at"}


async def test_a_second_registration_does_not_change_the_password(
    http: AsyncClient,
) -> None:
    await register(http)
    await register(http, ANNA | {"password": "the thief's own password"})
    assert (await enter(http)).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [ANNA | {"password": "another password"}, ANNA | {"email": "nobody@example.org"}],
    ids=["password", "address"],
)
async def test_every_cause_is_invalid_credentials(
    http: AsyncClient, wrong: dict[str, str]
) -> None:
    await register(http)
    answer = await enter(http, wrong)
    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid-credentials"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_eleventh_failure_within_a_minute_waits(http: AsyncClient) -> None:
    wrong = {"email": "guessed@example.org", "password": "guess"}
    answers = await asyncio.gather(*(enter(http, wrong) for _ in range(15)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [401] * 10 + [429] * 5
    late = await enter(http, wrong)
    assert late.json()["code"] == "rate-limited"
    assert 1 <= int(late.headers["Retry-After"]) <= 60
    assert late.headers["RateLimit-Limit"] == "10"
    assert late.headers["RateLimit-Remaining"] == "0"


async def test_successes_are_not_counted(http: AsyncClient) -> None:
    await register(http)
    answers = await asyncio.gather(*(enter(http) for _ in range(15)))
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("email", "anna@example.org\n"),
        ("password", ""),
        ("password", "short"),
        ("password", "x" * 1025),
        ("handle", "<script>"),
    ],
)
async def test_poor_registrations_are_refused(
    http: AsyncClient, field: str, value: str
) -> None:
    answer = await register(http, ANNA | {field: value})
    assert answer.status_code == 400
    assert [fault["path"] for fault in answer.json()["errors"]] == [field]


async def test_a_refresh_token_gives_one_successor_however_often_it_is_asked(
    http: AsyncClient,
) -> None:
    await register(http)
    first = (await enter(http)).json()["refresh_token"]
    answers = await asyncio.gather(*(rotate(http, first) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_reuse_after_the_grace_ends_the_session(
    http: AsyncClient, database: Database
) -> None:
    await register(http)
    first = (await enter(http)).json()["refresh_token"]
    second = (await rotate(http, first)).json()
    database.execute(
        "UPDATE identity.refresh_tokens SET rotated_at = rotated_at - interval '11 s'"
    )
    assert (await rotate(http, first)).status_code == 401
    assert (await rotate(http, second["refresh_token"])).status_code == 401
    assert (await profile(http, second["access_token"])).status_code == 401


async def test_leaving_ends_the_session_at_once(http: AsyncClient) -> None:
    await register(http)
    tokens = (await enter(http)).json()
    assert (await profile(http, tokens["access_token"])).status_code == 200
    left = await http.post(
        "/api/v1/auth/logout", json={"refresh_token": tokens["refresh_token"]}
    )
    assert left.status_code == 204
    assert (await profile(http, tokens["access_token"])).status_code == 401
    assert (await rotate(http, tokens["refresh_token"])).status_code == 401


async def test_leaving_everywhere_ends_every_session(http: AsyncClient) -> None:
    await register(http)
    here, there = (await enter(http)).json(), (await enter(http)).json()
    bearer = {"Authorization": f"Bearer {here['access_token']}"}
    left = await http.post("/api/v1/auth/logout-all", headers=bearer)
    assert left.status_code == 204
    for tokens in (here, there):
        assert (await profile(http, tokens["access_token"])).status_code == 401


async def test_the_seeded_people_come_in_with_their_roles(
    http: AsyncClient, log_in: LogIn
) -> None:
    for name, role in (
        ("user", "trader"),
        ("admin", "super_admin"),
        ("auditor", "auditor"),
    ):
        bearer = await log_in(f"{name}@tradesense.ai", f"{name}123")
        answer = await http.get("/api/v1/users/profile", headers=bearer)
        assert answer.json()["roles"] == [role]


async def test_people_are_seeded_in_development_only(app: Litestar) -> None:
    for environment in (Environment.TEST, Environment.PRODUCTION):
        with pytest.raises(SeedRefused):
            await seed_people(
                environment,
                None,  # type: ignore[arg-type]
                Argon2Hasher(CHEAP),
                SystemClock(),
                TimeOrderedIds(),
            )


async def test_a_cheap_hash_opens_no_production_door() -> None:
    cheap = await Argon2Hasher(CHEAP).hash("user123")
    assert await Argon2Hasher(CHEAP).fits("user123", cheap)
    assert not await Argon2Hasher(PRODUCTION).fits("user123", cheap)


async def test_production_does_not_serve_what_dev_has_seeded(
    settings: Settings, own_servers: Servers, seeded: None
) -> None:
    signing_key(settings.data, may_create=True)
    production = evolve(settings, env=Environment.PRODUCTION)
    with pytest.raises(ExceptionGroup) as refused:
        async with running(build(production, own_servers)):
            pass
    assert refused.value.subgroup(SeedRefused) is not None


async def test_production_makes_no_signing_key(
    settings: Settings, own_servers: Servers
) -> None:
    production = evolve(settings, env=Environment.PRODUCTION)
    with pytest.raises(NoSigningKey):
        build(production, own_servers)


def test_the_signing_key_is_its_owners_alone(tmp_path: Path) -> None:
    made = signing_key(tmp_path, may_create=True)
    path = tmp_path / "keys" / "access-ed25519.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert signing_key(tmp_path, may_create=True).kid == made.kid
