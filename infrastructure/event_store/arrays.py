"""Column values as PostgreSQL's binary arrays: one join, no copy per value.

The layout (array_recv): dimensions, has-nulls, element type, length, lower bound;
then each element as its length in bytes and the bytes. No value here is ever null.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from struct import Struct, pack
from uuid import UUID

BYTEA, INT8, INT2, TEXT, JSON, TIMESTAMPTZ, UUID_OID = 17, 20, 21, 25, 114, 1184, 2950

_HEADER = Struct("!iiIii")
_EMPTY = Struct("!iiI")
_LENGTH = Struct("!i")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def bigints(values: Sequence[int]) -> bytes:
    return _of_width(8, "q", INT8, values)


def smallints(values: Sequence[int]) -> bytes:
    return _of_width(2, "h", INT2, values)


def instants(values: Sequence[datetime]) -> bytes:
    """Aware times, to the microsecond; a naive one is a bug and raises."""
    microseconds = [(value - _EPOCH) // _MICROSECOND for value in values]
    return _of_width(8, "q", TIMESTAMPTZ, microseconds)


def texts(values: Sequence[str]) -> bytes:
    return _of_bytes(TEXT, [value.encode() for value in values])


def jsons(values: Sequence[bytes]) -> bytes:
    return _of_bytes(JSON, values)


def byteas(values: Sequence[bytes]) -> bytes:
    return _of_bytes(BYTEA, values)


def uuids(values: Sequence[UUID]) -> bytes:
    return _of_bytes(UUID_OID, [value.bytes for value in values])


def _of_width(width: int, code: str, oid: int, values: Sequence[int]) -> bytes:
    if not values:
        return _EMPTY.pack(0, 0, oid)
    elements = chain.from_iterable((width, value) for value in values)
    return _header(oid, len(values)) + pack(f"!{f'i{code}' * len(values)}", *elements)


def _of_bytes(oid: int, values: Sequence[bytes]) -> bytes:
    if not values:
        return _EMPTY.pack(0, 0, oid)
    return b"".join((_header(oid, len(values)), *_sized(values)))


def _sized(values: Iterable[bytes]) -> Iterable[bytes]:
    length = _LENGTH.pack
    return chain.from_iterable((length(len(value)), value) for value in values)


def _header(oid: int, count: int) -> bytes:
    return _HEADER.pack(1, 0, oid, count, 1)
