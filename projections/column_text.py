"""A column of values as the text of a PostgreSQL array.

JSON's encoder writes nearly that, and fast: `["a",null]` for `{"a",null}`. The two
differ in what a backslash means, so a column that holds one is written by hand.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import json

_ENCODER: Final = json.Encoder()


def array(values: Sequence[object]) -> bytes:
    """Strings, numbers, times, truths and nothing; whatever else, `jsons` first."""
    text = _ENCODER.encode(values)
    if b"\\" in text:
        return f"{{{','.join(map(_quoted, values))}}}".encode()
    return b"{%b}" % text[1:-1]


def jsons(values: Sequence[object]) -> list[str | None]:
    """Every value as its own JSON, for a column that holds such."""
    encode = _ENCODER.encode
    return [None if value is None else encode(value).decode() for value in values]


def _quoted(value: object) -> str:
    if value is None:
        return "NULL"
    assert isinstance(value, str), "only text has a backslash"
    escaped = value.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'
