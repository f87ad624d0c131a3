"""`ETag` and `If-Match`: whoever changes a thing may say which version they know."""

import re
from typing import Any, Final

import msgspec
from litestar import Request, Response
from msgspec import Struct

from api.problems import Fault, Problem

TAG: Final = re.compile(r'(?:W/)?"?([0-9]{1,18})"?')
ANY: Final = "*"
FIRST_REFUSAL: Final = 400


class Versioned(Struct):
    version: int
    revision: int | None = None  # of a trade, whose version is its account's


def seen_version(request: Request[Any, Any, Any]) -> int | None:
    """Read `If-Match`: a version, as `ETag` tells it, or none that is insisted on."""
    sent = request.headers.get("if-match")
    if sent is None or sent.strip() == ANY:
        return None
    match = TAG.fullmatch(sent.strip())
    if match is None:
        raise Problem("invalid-request", errors=(Fault("If-Match", "not an ETag"),))
    return int(match[1])


def etag(version: object, revision: object = None) -> str:
    return f'"{version if revision is None else revision}"'


def with_etag(answer: Response[Any]) -> Response[Any]:
    if answer.status_code is not None and answer.status_code < FIRST_REFUSAL:
        told = msgspec.json.decode(answer.content, type=Versioned)
        answer.headers["ETag"] = etag(told.version, told.revision)
    return answer
