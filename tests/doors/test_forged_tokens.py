"""A token is ours, whole, fresh and meant for us, or it opens nothing."""

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx import AsyncClient

from infrastructure.clock import SystemClock
from infrastructure.identity.signing_key import SigningKey, signing_key
from infrastructure.settings import Settings

Claims = dict[str, Any]
Sign = Callable[..., str]
Forge = Callable[[Claims, SigningKey], str | bytes]


def fresh() -> Claims:
    now = int(SystemClock().now().timestamp())
    return {
        "iss": "tradesense",
        "aud": "tradesense-api",
        "sub": str(uuid4()),
        "sid": str(uuid4()),
        "jti": str(uuid4()),
        "iat": now,
        "exp": now + 600,
    }


def sign(claims: Claims, key: SigningKey, **header: object) -> str:
    named = {"typ": "at+jwt", "kid": key.kid} | header
    return jwt.encode(claims, key.private, "EdDSA", named)


def unsigned(claims: Claims, key: SigningKey) -> str:
    return jwt.encode(claims, "", "none", {"typ": "at+jwt", "kid": key.kid})


def by_hmac(claims: Claims, key: SigningKey) -> str:
    header = {"typ": "at+jwt", "kid": key.kid}
    return jwt.encode(claims, b"0" * 32, "HS256", header)


def by_stranger(claims: Claims, key: SigningKey) -> str:
    header = {"typ": "at+jwt", "kid": key.kid}
    return jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", header)


def with_claims(**changed: object) -> Forge:
    return lambda claims, key: sign(claims | changed, key)


def shifted(**by_seconds: int) -> Forge:
    return lambda claims, key: sign(
        claims | {name: claims["iat"] + by for name, by in by_seconds.items()}, key
    )


def without(name: str) -> Forge:
    return lambda claims, key: sign(
        {kept: value for kept, value in claims.items() if kept != name}, key
    )


def with_header(**header: object) -> Forge:
    return lambda claims, key: sign(claims, key, **header)


def tampered(claims: Claims, key: SigningKey) -> str:
    head, _, signature = sign(claims, key).split(".")
    body = json.dumps(claims | {"sub": "someone-else"}).encode()
    forged = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    return f"{head}.{forged}.{signature}"


FORGERIES: dict[str, Forge] = {
    "alg none": unsigned,
    "hmac": by_hmac,
    "another key": by_stranger,
    "tampered": tampered,
    "no signature": lambda claims, key: sign(claims, key).rpartition(".")[0] + ".",
    "cut": lambda claims, key: sign(claims, key)[:-4],
    "expired": shifted(iat=-700, exp=-100),
    "expires now": shifted(iat=-600, exp=0),
    "expires never": with_claims(exp=1e308),
    "expires far": with_claims(exp=253402300800),
    "lives too long": shifted(exp=601),
    "expiry is text": with_claims(exp="9999999999"),
    "expiry is true": with_claims(exp=True),
    "expiry is negative": with_claims(exp=-1),
    "issued in the future": shifted(iat=60, exp=120),
    "not valid yet": shifted(nbf=60),
    "another audience": with_claims(aud="another-api"),
    "another issuer": with_claims(iss="another"),
    "subject is a number": with_claims(sub=7),
    "subject is empty": with_claims(sub=""),
    "subject breaks lines": with_claims(sub="a\nb"),
    "unknown role": with_claims(roles=["emperor"]),
    "roles is text": with_claims(roles="super_admin"),
    "kid of another": with_header(kid="another"),
    "kid is a path": with_header(kid="../../dev/null"),
    "kid is missing": with_header(kid=""),
    "typ is jwt": with_header(typ="JWT"),
    "brings its key": with_header(jwk={"kty": "OKP"}),
    "points to a key": with_header(jku="http://127.0.0.1/keys"),
    "critical": with_header(crit=["b64"], b64=False),
    "no token": lambda _claims, _key: "",
    "dots": lambda _claims, _key: "..",
    "not ascii": lambda _claims, _key: b"\xff\xfe.\xff.\xff",
    "too long": lambda claims, key: sign(claims | {"x": "x" * 5000}, key),
} | {f"no {name}": without(name) for name in fresh()}


@pytest.fixture
def key(http: AsyncClient, settings: Settings) -> SigningKey:
    return signing_key(settings.data, may_create=False)


async def ask(http: AsyncClient, token: str | bytes) -> tuple[int, str]:
    raw = token.encode() if isinstance(token, str) else token
    answer = await http.get(
        "/api/v1/users/profile", headers=[(b"authorization", b"Bearer " + raw)]
    )
    return answer.status_code, answer.json()["code"]


async def test_forgeries_are_refused(http: AsyncClient, key: SigningKey) -> None:
    answers = {
        name: await ask(http, forge(fresh(), key)) for name, forge in FORGERIES.items()
    }
    assert answers == dict.fromkeys(FORGERIES, (401, "unauthenticated"))


async def test_what_the_dev_key_signs_rightly_comes_in(
    http: AsyncClient, key: SigningKey
) -> None:
    """It comes in as somebody without an account: no profile, but no refusal."""
    assert await ask(http, sign(fresh(), key)) == (404, "not-found")


@pytest.mark.parametrize("scheme", ["Basic dXNlcjp1c2Vy", "Bearer", "bearer  ", "x"])
async def test_other_schemes_are_refused(http: AsyncClient, scheme: str) -> None:
    answer = await http.get("/api/v1/users/profile", headers={"Authorization": scheme})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
