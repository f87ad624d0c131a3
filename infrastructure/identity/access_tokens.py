"""Access tokens are Ed25519-signed, live ten minutes, and are verified once."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from msgspec import Struct

from application.caller import Caller, Role
from application.clock import Clock
from application.ports import Ids, Sessions
from application.refusals import Unauthenticated
from infrastructure.identity.signing_key import SigningKey

ALGORITHM: Final = "EdDSA"
TYPE: Final = "at+jwt"
ISSUER: Final = "tradesense"
AUDIENCE: Final = "tradesense-api"
LIFETIME: Final = timedelta(seconds=600)
LEEWAY: Final = timedelta(seconds=5)  # of another machine's clock
REMEMBERED: Final = 10_000
REQUIRED: Final = ("exp", "iat", "iss", "aud", "sub", "jti", "sid")
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
LATEST: Final = 253402300799  # the last second that a datetime knows


class Verified(Struct, frozen=True):
    caller: Caller
    expires_at: datetime


class AccessTokens:
    """`trusts_strangers` is for dev, where testers sign tokens with the dev key."""

    def __init__(
        self,
        key: SigningKey,
        sessions: Sessions,
        clock: Clock,
        ids: Ids,
        *,
        trusts_strangers: bool = False,
    ) -> None:
        self._key = key
        self._sessions = sessions
        self._clock = clock
        self._ids = ids
        self._trusts_strangers = trusts_strangers
        self._verified: dict[bytes, Verified] = {}
        self._forgotten = 0

    def issue(self, caller: Caller) -> str:
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": caller.trader_id,
            "sid": caller.session,
            "jti": self._ids.new(),
            "iat": now,
            "exp": now + int(LIFETIME.total_seconds()),
            "roles": sorted(caller.roles),
        }
        headers = {"typ": TYPE, "kid": self._key.kid}
        return jwt.encode(claims, self._key.private, ALGORITHM, headers)

    async def caller(self, token: bytes) -> Caller:
        """Verify; raises `Unauthenticated` for every fault."""
        now = self._clock.now()
        if (known := self._verified.get(token)) is not None:
            if known.expires_at > now:
                return known.caller
            del self._verified[token]
            raise Unauthenticated
        claims = self._claims(token)
        expires_at = _expiry(claims, now)
        before = self._forgotten
        caller = await self._standing(claims)
        if before == self._forgotten:  # nobody logged out while we asked
            self._remember(token, Verified(caller, expires_at))
        return caller

    def forget(self, *, session: str = "", trader_id: str = "") -> None:
        """Drop what was remembered of a session, or of all sessions of a trader."""
        self._forgotten += 1
        self._verified = {
            token: known
            for token, known in self._verified.items()
            if known.caller.session != session and known.caller.trader_id != trader_id
        }

    def _remember(self, token: bytes, verified: Verified) -> None:
        if len(self._verified) >= REMEMBERED:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = verified

    def _claims(self, token: bytes) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            expected = {"alg": ALGORITHM, "typ": TYPE, "kid": self._key.kid}
            if header != expected:
                raise Unauthenticated
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key.public,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={
                    "require": list(REQUIRED),
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise Unauthenticated from error
        for name in ("sub", "sid", "jti"):
            if not isinstance(claims[name], str) or not NAME.fullmatch(claims[name]):
                raise Unauthenticated
        return claims

    async def _standing(self, claims: dict[str, Any]) -> Caller:
        session, trader_id = claims["sid"], claims["sub"]
        standing = await self._sessions.standing(session, trader_id)
        if standing.has_ended:
            raise Unauthenticated
        if standing.roles is not None and standing.is_known:
            return Caller(trader_id, standing.roles, session)
        if not self._trusts_strangers:
            raise Unauthenticated
        return Caller(trader_id, standing.roles or _claimed(claims), session)


def _expiry(claims: dict[str, Any], now: datetime) -> datetime:
    """Check the lifetime ourselves: the library takes floats and 1e308 for a date."""
    issued, expires, valid_from = (
        claims["iat"],
        claims["exp"],
        claims.get("nbf", claims["iat"]),
    )
    for moment in (issued, expires, valid_from):
        if type(moment) is not int or not 0 < moment < LATEST:
            raise Unauthenticated
    expires_at = datetime.fromtimestamp(expires, UTC)
    starts_at = datetime.fromtimestamp(max(issued, valid_from), UTC)
    if expires_at <= now or starts_at > now + LEEWAY:
        raise Unauthenticated
    if expires - issued > LIFETIME.total_seconds():
        raise Unauthenticated
    return expires_at


def _claimed(claims: dict[str, Any]) -> frozenset[Role]:
    named = claims.get("roles", [Role.TRADER])
    if not isinstance(named, list):
        raise Unauthenticated
    try:
        return frozenset(Role(name) for name in named)
    except ValueError as error:
        raise Unauthenticated from error
