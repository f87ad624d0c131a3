"""A fact as the log tells it, with its place."""

from collections.abc import Sequence

from msgspec import Struct

from application.catalogue import Fact, fact_of
from application.engine.journal import Recorded


class Told(Struct, frozen=True):
    partition: str
    position: int
    stream: str
    version: int
    subject: str  # whose stream it is: `account-<id>` is about `<id>`
    fact: Fact


def told(partition: str, page: Sequence[Recorded]) -> list[Told]:
    """Read a page. Raises `Unreadable` for what a later version has written, say."""
    return [
        Told(
            partition,
            each.position,
            each.stream,
            each.version,
            each.stream.partition("-")[2],
            fact_of(each),
        )
        for each in page
    ]
