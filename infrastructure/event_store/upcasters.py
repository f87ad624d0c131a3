"""Old shapes of facts, told in the new words before anybody reads them.

What is stored stays as it is. An upcaster takes the JSON of the shape whose name is its
key and returns the next name with the JSON of that shape; it is called what it says:
`_position_opened_gained_a_side`. Only shapes that some log really holds belong here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import json

Upcaster = Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]

UPCASTERS: Mapping[str, Upcaster] = {}


def upcast(
    name: str, payload: bytes, upcasters: Mapping[str, Upcaster] = UPCASTERS
) -> tuple[str, bytes]:
    """Follow the chain from a stored shape to the newest; almost always: nothing."""
    if name not in upcasters:
        return name, payload
    shape = json.decode(payload, type=dict[str, Any])
    while name in upcasters:
        name, shape = upcasters[name](shape)
    return name, json.encode({**shape, "type": name})
