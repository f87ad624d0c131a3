"""What all resources have in common: keys, positions, pages, numbers, times."""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID, uuid5

import msgspec
import uuid_utils
from litestar import Request
from litestar.params import HeaderParameter, PathParameter, QueryParameter
from msgspec import Meta, Struct

from api.problems import Fault, Problem

COMMANDS: Final = UUID("6f1d3c5e-52c1-5c1f-9f4e-6d0d0f6f7a10")
KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")
POSITION: Final = r"^[a-z][a-z0-9]{0,30}-(0|[1-9][0-9]{0,17})$(?!\n)"
POSITION_HEADER: Final = "X-Position"
PAGE: Final = 50
LARGEST_PAGE: Final = 200
LONGEST_CURSOR: Final = 512

T = TypeVar("T")

# `$(?!\n)` because in Python `$` also matches before a last line feed.
DecimalText = Annotated[
    str,
    Meta(
        pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,10})?$(?!\n)",
        description="A decimal number as text; read it with `exact`.",
        examples=["1900.05"],
    ),
]
PositiveText = Annotated[
    str,
    Meta(
        pattern=r"^(?=[0-9.]*[1-9])[0-9]{1,15}(\.[0-9]{1,10})?$(?!\n)",
        description="A decimal number above zero as text; read it with `exact`.",
        examples=["0.10"],
    ),
]
ID: Final = r"^[A-Za-z0-9_-]{1,80}$(?!\n)"
IdText = Annotated[str, Meta(pattern=ID)]
# In an address Litestar looks at its own parameter only, not at `Meta`.
IdInPath = Annotated[str, PathParameter(pattern=ID)]
Instant = Annotated[
    datetime, Meta(tz=True, description="RFC 3339 with a zone; answered in UTC.")
]

Limit = Annotated[int, QueryParameter(ge=1, le=LARGEST_PAGE)]
CursorText = Annotated[
    str | None, QueryParameter(name="cursor", max_length=LONGEST_CURSOR)
]
MinPosition = Annotated[
    str | None, QueryParameter(name="min_position", pattern=POSITION)
]
IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(name="Idempotency-Key", pattern=r"^[\x21-\x7e]{1,128}$(?!\n)"),
]


class Position(Struct, frozen=True):
    """How far a partition's log has come: `p1-1234`."""

    partition: str
    number: int

    def __str__(self) -> str:
        return f"{self.partition}-{self.number}"


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list; `next` opens the following one."""

    items: tuple[T, ...]
    next: str | None
    position: str


def position(text: str) -> Position:
    """Read a position that has passed the `MinPosition` pattern, or came from us."""
    if re.match(POSITION, text) is None:
        raise Problem("invalid-request", errors=(Fault("position", "not a position"),))
    partition, _, number = text.rpartition("-")
    return Position(partition, int(number))


def idempotency_key(request: Request[Any, Any, Any]) -> str | None:
    """Read the key: 1 to 128 visible ASCII characters, or nothing."""
    for name, value in request.scope["headers"]:
        if name == b"idempotency-key":
            key: str = value.decode("latin-1")
            if KEY.fullmatch(key) is None:
                fault = Fault("Idempotency-Key", "not 1-128 visible ASCII characters")
                raise Problem("invalid-request", errors=(fault,))
            return key
    return None


def command_id(caller: str, method: str, path: str, key: str | None) -> UUID:
    """Name a repeated request alike; one without a key is never repeated."""
    if key is None:
        return UUID(bytes=uuid_utils.uuid7().bytes)
    return uuid5(COMMANDS, f"{caller}\n{method}\n{path}\n{key}")


def utc(at: datetime) -> str:
    """RFC 3339 in UTC, always with microseconds, so that texts sort like times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def cursor_of(*place: str | int) -> str:
    """Where the next page starts, opaque to the reader."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def place_of(cursor: str, shape: type[T]) -> T:
    """Return what `cursor_of` was given, as a tuple of the types in `shape`."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=shape)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        fault = Fault("cursor", "not a cursor of this list")
        raise Problem("invalid-request", errors=(fault,)) from error
