"""What could not be done is set aside with its cause until somebody decides on it."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, assert_never

from msgspec import Struct

from domain.values.refusal import Refused

Decision = Literal["retried", "skipped"]


class Kind(StrEnum):
    """What failed: a command, what should follow from an event, a table, a start."""

    COMMAND = "command"
    POLICY = "policy"
    PROJECTION = "projection"
    EVENT = "event"  # no engine could read it when it started


class Failure(Struct, frozen=True, kw_only=True):
    kind: Kind
    subject: str  # the stream that was asked, or the position of the event
    origin: str  # names it once and for all: told twice, it is parked once
    cause: str
    body: bytes  # msgpack of the `Ask`; empty where it never came to one
    at: datetime


class Parked(Struct, frozen=True, kw_only=True):
    id: int  # within the partition
    kind: Kind
    subject: str
    cause: str
    body: bytes
    at: datetime
    settled: str | None = None  # how; None: somebody has yet to decide


class RetryParked(Struct, frozen=True, kw_only=True, tag=True):
    parked_id: int
    kind: Kind


class SkipParked(Struct, frozen=True, kw_only=True, tag=True):
    parked_id: int
    reason: str


ParkedCommand = RetryParked | SkipParked


class Event(Struct, frozen=True, kw_only=True):
    at: datetime
    parked_id: int
    actor: str


class ParkedRetried(Event, frozen=True, kw_only=True, tag="parked.retried/1"):
    """It is asked again, under an id of its own: however often heard of, once."""


class ParkedSkipped(Event, frozen=True, kw_only=True, tag="parked.skipped/1"):
    """It is left undone, for a reason."""

    reason: str


ParkedEvent = ParkedRetried | ParkedSkipped


class Settled(Struct, frozen=True, kw_only=True):
    """All that the engine remembers of it."""

    parked_id: int
    how: Decision


class ParkedSettled(Refused):
    """It was decided about before."""


class RebuildInstead(Refused):
    """What a table could not tell is told again by a rebuild of the tables."""


class RestartInstead(Refused):
    """What an engine could not read is tried again whenever one starts."""


def decide(
    command: ParkedCommand, settled: Settled | None, actor: str, at: datetime
) -> ParkedEvent:
    if settled is not None:
        raise ParkedSettled(f"it was {settled.how}")
    match command:
        case RetryParked():
            if command.kind is Kind.PROJECTION:
                raise RebuildInstead("run `tradesense projections rebuild`")
            if command.kind is Kind.EVENT:
                raise RestartInstead("start a version that can read it")
            return ParkedRetried(at=at, parked_id=command.parked_id, actor=actor)
        case SkipParked():
            return ParkedSkipped(
                at=at, parked_id=command.parked_id, actor=actor, reason=command.reason
            )
        case _:
            assert_never(command)


def evolve(event: ParkedEvent) -> Settled:
    match event:
        case ParkedRetried():
            return Settled(parked_id=event.parked_id, how="retried")
        case ParkedSkipped():
            return Settled(parked_id=event.parked_id, how="skipped")
        case _:
            assert_never(event)
