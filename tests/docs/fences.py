"""What a page shows between its fences, and whether an answer is like what it shows."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

HERE: Final = Path(__file__).parents[2]
FENCE: Final = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REST: Final = (
    "..."  # whatever else there is: the reader sees that something is left out
)
OF_A_RUN: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # an id
    r"|sha256:[0-9a-f]{64}"
    r"|\b[ps]1-\d+"  # a position
    r"|\btrader-[0-9a-f]{6}\b"  # the handle of who has chosen none
)


class Block(Struct, frozen=True):
    language: str
    about: str  # what stands behind the language
    text: str


def blocks(page: str) -> Iterator[Block]:
    for language, about, text in FENCE.findall((HERE / page).read_text()):
        yield Block(language, about.strip(), text)


def differences(shown: Any, told: Any, place: str = "") -> Iterator[str]:
    """Where an answer is unlike the page; what differs from run to run is not."""
    if isinstance(shown, dict) and isinstance(told, dict):
        is_whole = REST not in shown
        missing = shown.keys() - told.keys() - {REST}
        more = told.keys() - shown.keys() if is_whole else set()
        yield from (f"{place}: {name} is only shown" for name in sorted(missing))
        yield from (f"{place}: {name} is not shown" for name in sorted(more))
        for name in shown.keys() & told.keys():
            yield from differences(shown[name], told[name], f"{place}.{name}")
    elif isinstance(shown, list) and isinstance(told, list):
        wanted = [each for each in shown if each != REST]
        is_whole = len(wanted) == len(shown)
        if len(told) < len(wanted) or (is_whole and len(told) > len(wanted)):
            yield f"{place}: {len(told)} instead of {len(wanted)}"
        for number, (one, other) in enumerate(zip(wanted, told, strict=False)):
            yield from differences(one, other, f"{place}[{number}]")
    elif isinstance(shown, str) and shown.endswith(REST) and isinstance(told, str):
        if not told.startswith(shown.removesuffix(REST)):
            yield f"{place}: {told!r} instead of {shown!r}"
    elif of_any_run(shown) != of_any_run(told):
        yield f"{place}: {told!r} instead of {shown!r}"


def of_any_run(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if is_instant(value):
        return "an instant"
    return OF_A_RUN.sub("<of a run>", value)


def is_instant(text: str) -> bool:
    if not text.endswith("Z"):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
