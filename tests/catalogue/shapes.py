"""The shape of every stored fact, by its stored name: what a decoder must accept.

Run as a program it writes the shapes of facts that have none yet. A shape that is
there is never written again: a stored fact keeps its shape for ever, gains at most a
field with a default, and what says something else gets another name.
"""

from pathlib import Path
from typing import Any

import msgspec

from application.catalogue import FACTS

FOLDER = Path(__file__).parent / "schemas"
NAMES_OF_OURS = ("title", "description", "$defs")  # classes may be renamed

Schema = dict[str, Any]


def shape_of(name: str) -> Schema:
    told = msgspec.json.schema(FACTS[name])
    shape: Schema = plain(told, told["$defs"])
    return shape


def plain(node: object, known: Schema) -> Any:
    """Write references out in full, and leave out what only we call it."""
    if isinstance(node, list | tuple):
        return [plain(each, known) for each in node]
    if not isinstance(node, dict):
        return node
    if reference := node.get("$ref"):
        return plain(known[reference.removeprefix("#/$defs/")], known)
    return {
        key: plain(value, known)
        for key, value in node.items()
        if key not in NAMES_OF_OURS
    }


def file_of(name: str) -> Path:
    """`account.opened/1` is kept in `account.opened.1.json`."""
    return FOLDER / f"{name.replace('/', '.')}.json"


def write_missing() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in FACTS:
        if not file_of(name).exists():
            told = msgspec.json.encode(shape_of(name), order="sorted")
            file_of(name).write_bytes(msgspec.json.format(told) + b"\n")


if __name__ == "__main__":
    write_missing()
