"""A body is plain JSON of bounded size, depth and time to arrive, or it is refused."""

import asyncio
import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn, TypeVar

import msgspec
from litestar import Request
from litestar.types import Empty, Receive, Scope

from api.problems import Fault, Problem, invalid

BODY_BYTES: Final = 256 * 1024
DEPTH: Final = 32
RECEIVE_SECONDS: Final = 10.0

QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
BRACKET: Final = re.compile(r"[\[\]{}]")

T = TypeVar("T")


class JsonRequest(Request[Any, Any, Any]):
    """A request whose body is decoded strictly into the Struct of its handler."""

    async def body(self) -> bytes:
        if self._body is Empty:
            self._body = await read_body(self.scope, self.receive)
        return self._body

    async def json(self) -> Any:  # noqa: ANN401 - the handler's own type
        field = self.route_handler.parsed_data_field
        wanted = Any if field is None else field.annotation
        return decode(await self.body(), wanted)


async def read_body(scope: Scope, receive: Receive) -> bytes:
    headers = dict(scope["headers"])
    announced = headers.get(b"content-length", b"0")
    if not announced.isdigit():
        raise Problem(
            "invalid-request", errors=(Fault("content-length", "not a number"),)
        )
    if len(announced) > 9 or int(announced) > BODY_BYTES:  # noqa: PLR2004 - a gigabyte has ten
        raise Problem("body-too-large")
    try:
        async with asyncio.timeout(RECEIVE_SECONDS):
            body = await _collect(receive)
    except TimeoutError as late:
        raise Problem("receive-timeout", headers={"Connection": "close"}) from late
    if body and not _is_json(
        headers.get(b"content-type"), headers.get(b"content-encoding")
    ):
        raise Problem("unsupported-media-type", headers={"Accept": "application/json"})
    return body


def decode(body: bytes, wanted: type[T]) -> T:
    """Read JSON that says one thing only, and exactly what `wanted` asks for."""
    try:
        return msgspec.convert(plain_json(body), wanted)
    except msgspec.ValidationError as error:
        raise invalid(error) from error


def plain_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Parse; refuse duplicate members, NaN, endless numbers and half characters."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Problem("malformed-json", "not UTF-8") from error
    if body.count(b"[") + body.count(b"{") > DEPTH and depth_of(text) > DEPTH:
        raise Problem("malformed-json", f"nested deeper than {DEPTH}")
    try:
        value = ONE_MEANING.decode(text)
    except ValueError as error:
        raise Problem("malformed-json") from error
    if "\\u" in text:
        _refuse_odd_characters(value)
    return value


def depth_of(text: str) -> int:
    """Count the deepest nesting of brackets outside strings, without recursion."""
    depth = deepest = 0
    for bracket in BRACKET.findall(QUOTED.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


async def _collect(receive: Receive) -> bytes:
    parts = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Problem("invalid-request", "the client hung up")
        parts.append(message["body"])
        size += len(message["body"])
        if size > BODY_BYTES:
            raise Problem("body-too-large")
        if not message.get("more_body", False):
            return b"".join(parts)


def _is_json(content_type: bytes | None, encoding: bytes | None) -> bool:
    """No type at all passes: the body itself shows soon enough whether it is JSON."""
    if encoding is not None and encoding.lower() != b"identity":
        return False
    if content_type is None or content_type == b"application/json":
        return True
    essence, _, parameter = content_type.lower().partition(b";")
    charset = parameter.strip().removeprefix(b"charset=").strip(b'"')
    return essence.strip() == b"application/json" and charset in {
        b"",
        b"utf-8",
        b"utf8",
    }


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(members)
    if len(named) != len(members):
        raise Problem("malformed-json", "an object names a member twice")
    return named


def _constant(name: str) -> NoReturn:
    raise Problem("malformed-json", f"{name} is not a number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise Problem(
            "invalid-request", errors=(Fault("", "a number beyond all bounds"),)
        )
    return number


def _refuse_odd_characters(value: object) -> None:
    for text in _texts(value):
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            fault = Fault("", "a NUL or half a surrogate pair in a text")
            raise Problem("invalid-request", errors=(fault,))


def _texts(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case list() as items:
                waiting.extend(items)
            case dict() as members:
                waiting.extend(members)
                waiting.extend(members.values())


ONE_MEANING: Final = json.JSONDecoder(
    object_pairs_hook=_once, parse_constant=_constant, parse_float=_finite
)
