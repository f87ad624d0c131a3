"""One person's way through the public API, who comes in again when shown the door."""

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec
from httpx import AsyncClient, HTTPError, Response
from msgspec import Struct

from api.demo.answers import Refusal, Tokens

UNAUTHENTICATED: Final = 401
TOO_MANY: Final = 429
REFUSALS: Final = range(400, 500)
USUAL_PAUSE_SECONDS: Final = 2
LONGEST_PAUSE_SECONDS: Final = 60

T = TypeVar("T")


class NotNow(Exception):
    """Nothing was decided, as far as we know: the same may be asked again later."""

    def __init__(self, seconds: int = USUAL_PAUSE_SECONDS) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


class Refused(Exception):
    """The API has decided against it, with a code of the contract."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class Person(Struct, frozen=True):
    email: str
    password: str
    handle: str


class Client:
    def __init__(self, http: AsyncClient, person: Person) -> None:
        self._http = http
        self._person = person
        self._token: str | None = None

    async def enter(self) -> None:
        """Register, which a known address may do again, and log in."""
        who = msgspec.to_builtins(self._person)
        _accepted(await self._send("POST", "/auth/register", who))
        del who["handle"]
        answer = _accepted(await self._send("POST", "/auth/login", who))
        self._token = msgspec.json.decode(answer.content, type=Tokens).access_token

    async def get(self, path: str, kind: type[T], **params: str) -> T:
        return await self._ask("GET", path, kind, params=params)

    async def post(
        self,
        path: str,
        kind: type[T],
        body: Mapping[str, object],
        key: str | None = None,
    ) -> T:
        """Give a key to what must not happen twice, then it may be sent twice."""
        return await self._ask("POST", path, kind, body=body, key=key)

    async def _ask(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        body: Mapping[str, object] | None = None,
        params: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> T:
        if self._token is None:
            await self.enter()
        answer = await self._send(method, path, body, params, key)
        if answer.status_code == UNAUTHENTICATED:
            await self.enter()
            answer = await self._send(method, path, body, params, key)
        return msgspec.json.decode(_accepted(answer).content, type=kind)

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        params: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Response:
        headers = {}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            return await self._http.request(
                method, f"/api/v1{path}", json=body, params=params, headers=headers
            )
        except HTTPError as trouble:
            raise NotNow from trouble


def _accepted(answer: Response) -> Response:
    if answer.is_success:
        return answer
    if answer.status_code in REFUSALS and answer.status_code != TOO_MANY:
        try:
            refusal = msgspec.json.decode(answer.content, type=Refusal)
        except msgspec.MsgspecError:
            refusal = Refusal(code=f"status-{answer.status_code}")
        raise Refused(refusal.code, refusal.detail)
    raise NotNow(_pause(answer))


def _pause(answer: Response) -> int:
    asked = answer.headers.get("Retry-After", "")
    if not asked.isdecimal():
        return USUAL_PAUSE_SECONDS
    return min(max(int(asked), 1), LONGEST_PAUSE_SECONDS)
