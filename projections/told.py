"""A fact as the log tells it, with its place."""

from msgspec import Struct

from application.catalogue import Fact


class Told(Struct, frozen=True, gc=False):  # nothing that it holds can hold it
    partition: str
    position: int
    stream: str
    version: int
    subject: str  # whose stream it is: `account-<id>` is about `<id>`
    fact: Fact


def told(partition: str, position: int, stream: str, version: int, fact: Fact) -> Told:
    return Told(partition, position, stream, version, stream.partition("-")[2], fact)
