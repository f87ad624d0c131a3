"""The catalogue of events, written from the registry of facts and their own words.

Run as a program it writes `docs/events.md`: `make docs`.
"""

import inspect
import io
import tokenize
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from itertools import groupby
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from uuid import UUID

import msgspec
from msgspec import Struct

from application.catalogue import FACTS
from application.engine.envelope import Envelope
from domain.rules.phase import Rule
from tests.catalogue.shapes import file_of

HERE: Final = Path(__file__).parents[2]
PAGE: Final = HERE / "docs" / "events.md"
PLAIN: Final[dict[Any, str]] = {
    Any: "any JSON",
    str: "text",
    int: "whole number",
    bool: "boolean",
    Decimal: "decimal",
    datetime: "instant",
    date: "date",
    timedelta: "duration",
    UUID: "UUID",
}
OPENING: Final = """\
# Events

Everything that has ever happened, by the name under which it is stored for ever.
`make docs` writes this page from `application/catalogue.py` and the classes that it
lists, and a test fails while it says something else. `tradesense tail` shows events as
they come, `GET /api/v1/accounts/{id}/events` those of an account.

A name and its number never change their meaning. A fact may gain a member that has a
default; whatever says something else gets another number or name, and what is stored
under the old one is told in the new words when it is read
(`infrastructure/event_store/upcasters.py`). A heading leads to the exact JSON Schema.

An event has a **position** in the log of its partition, a **stream**, a **version** in
that stream (both contiguous from 1), its name, its payload as below (whose `type` is
the name again), and an envelope. Decimals are text, instants RFC 3339 in UTC,
durations ISO 8601.
"""
SHAPES: Final = """
## Shapes

What the members above are made of, in order of their first use.
"""


class Seen:
    """Structs that a table has named, each to be told once."""

    def __init__(self) -> None:
        self._told: dict[str, type[Struct]] = {}
        self._waiting: list[type[Struct]] = []

    def named(self, kind: type[Struct]) -> str:
        name = kind.__name__
        if name not in self._told:
            self._told[name] = kind
            self._waiting.append(kind)
        assert self._told[name] is kind, f"two shapes are called {name}"
        return f"[{name}](#{name.lower()})"

    def to_be_told(self) -> Iterator[type[Struct]]:
        while self._waiting:
            yield self._waiting.pop(0)


def page() -> str:
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    seen = Seen()
    yield OPENING
    yield from table(Envelope, seen)
    for stream, names in groupby(FACTS, key=lambda name: name.partition(".")[0]):
        of_stream = list(names)
        yield f"\n## {stream}"
        yield f"\n{first_line(module_of(FACTS[of_stream[0]]))}"
        for name in of_stream:
            schema = file_of(name).relative_to(HERE)
            yield f"\n### [{name}](../{schema})\n"
            yield from told(FACTS[name], seen)
    yield SHAPES
    for kind in seen.to_be_told():
        yield f"\n### {kind.__name__}\n"
        yield from told(kind, seen)


def told(kind: type[Struct], seen: Seen) -> Iterator[str]:
    if sentence := words(kind):
        yield f"{sentence}\n"
    if kind.__struct_config__.array_like:
        members = (typed(each.type, seen) for each in msgspec.structs.fields(kind))
        yield f"A list: {'; then '.join(members)}."
    else:
        yield from table(kind, seen)


def words(kind: type[Struct]) -> str:
    """What the class says of itself; a rule's file says it in its first line."""
    said = inspect.cleandoc(kind.__doc__).split("\n\n") if kind.__doc__ else []
    if kind in get_args(Rule):
        said.insert(0, first_line(module_of(kind)))
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in said)


def table(kind: type[Struct], seen: Seen) -> Iterator[str]:
    yield "| member | is | meaning |"
    yield "|---|---|---|"
    config = kind.__struct_config__
    if config.tag_field is not None and config.tag not in FACTS:
        yield f"| `{config.tag_field}` | `{config.tag}` | |"
    for field in msgspec.structs.fields(kind):
        comment = comment_on(kind, field.name).replace("|", "\\|")
        meaning = (comment[:1].upper() + comment[1:]).replace("None", "Null")
        kind_of = typed(field.type, seen) + ("" if field.required else ", if given")
        yield f"| `{field.encode_name}` | {kind_of} | {meaning} |".replace(
            "|  |", "| |"
        )


def typed(kind: Any, seen: Seen) -> str:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if kind in PLAIN:
        return PLAIN[kind]
    if get_origin(kind) in (Union, UnionType):
        return alternatives(get_args(kind), seen)
    if get_origin(kind) is tuple:
        return f"list of {typed(get_args(kind)[0], seen)}"
    if get_origin(kind) is Literal:
        return one_of(get_args(kind))
    if issubclass(kind, StrEnum):
        return one_of(kind)
    return seen.named(kind)


def one_of(values: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in values)


def alternatives(kinds: Iterable[Any], seen: Seen) -> str:
    some = [typed(each, seen) for each in kinds if each is not NoneType]
    return " or ".join([*some, *(["null"] if NoneType in kinds else [])])


def comment_on(kind: type[Struct], name: str) -> str:
    """What stands behind the member where it is declared."""
    for each in kind.__mro__:
        if name in inspect.get_annotations(each):
            source, first = inspect.getsourcelines(each)
            for number, line in enumerate(source, start=first):
                if line.strip().startswith(f"{name}:"):
                    return comments(module_of(each)).get(number, "")
    return ""


@cache
def comments(module: ModuleType) -> dict[int, str]:
    """Comments by the number of their line."""
    tokens = tokenize.generate_tokens(io.StringIO(inspect.getsource(module)).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def module_of(kind: type) -> ModuleType:
    module = inspect.getmodule(kind)
    assert module is not None
    return module


def first_line(module: ModuleType) -> str:
    return inspect.cleandoc(module.__doc__ or "").split("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(page())
