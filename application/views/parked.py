"""What is parked, as whoever decides about it sees it; and what was decided."""

from datetime import datetime
from typing import Any

from msgspec import DecodeError, Struct, msgpack

from application.parked import Decision, Kind, Parked


class ParkedView(Struct, frozen=True, kw_only=True):
    partition: str
    id: str
    kind: Kind
    subject: str
    cause: str
    at: datetime
    command: dict[str, Any] | None  # None: it never came to one


class DecisionView(Struct, frozen=True, kw_only=True):
    partition: str
    id: str
    status: Decision
    actor: str
    at: datetime
    position: str
    version: int


def parked_view(partition: str, parked: Parked) -> ParkedView:
    return ParkedView(
        partition=partition,
        id=str(parked.id),
        kind=parked.kind,
        subject=parked.subject,
        cause=parked.cause,
        at=parked.at,
        command=command_in(parked.body),
    )


def command_in(body: bytes) -> dict[str, Any] | None:
    """Shown as it was kept, also when this version would no longer understand it."""
    try:
        command: dict[str, Any] = msgpack.decode(body)["command"]
    except (DecodeError, TypeError, KeyError):
        return None
    return command
