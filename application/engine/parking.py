"""How what an engine was asked is written down when it cannot be done."""

from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

from msgspec import msgpack
from msgspec.structs import replace

from application.engine.asks import Ask
from application.parked import Failure, Kind, RetryParked, SkipParked

POLICY: Final = "policy:"
LONGEST: Final = 500  # characters of a subject or a cause
NAMESPACE: Final = UUID("b7a3a5a6-0c7e-5b0f-9d53-5e1f6a0f4c21")

_ASKS = msgpack.Decoder(Ask)


def failed(ask: Ask, cause: str, at: datetime, epoch: int) -> Failure:
    """What has no id of its own (a heartbeat) is parked once in an engine's life."""
    body = written(ask)
    follows = is_follow_up(ask)
    return Failure(
        kind=Kind.POLICY if follows else Kind.COMMAND,
        subject=plain(ask.causation if follows else ask.stream),
        origin=str(ask.command_id or f"{epoch}-{sha256(body).hexdigest()}"),
        cause=plain(cause),
        body=body,
        at=at,
    )


def is_follow_up(ask: Ask) -> bool:
    return ask.actor.startswith(POLICY)


def cause_of(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}"


def written(ask: Ask) -> bytes:
    try:
        return msgpack.encode(ask)
    except (ValueError, TypeError, OverflowError):  # it may be what is wrong with it
        return b""


def again(body: bytes, partition: str, parked_id: int, causation: str) -> Ask:
    """The same once more; the id makes of every retry one and the same.

    Whoever sent it first may send it again: what is answered first, stands for both.
    """
    ask = _ASKS.decode(body)
    return replace(
        ask,
        command_id=retry_id(partition, parked_id),
        natural_id=ask.natural_id or ask.command_id,
        causation=causation,
        is_kept=True,
    )


def retry_id(partition: str, parked_id: int) -> UUID:
    return uuid5(NAMESPACE, f"{partition}\n{parked_id}")


def decision_id(partition: str, command: RetryParked | SkipParked) -> UUID:
    """The same decision again gets the same answer, whoever takes it."""
    return uuid5(
        NAMESPACE, f"{type(command).__name__}\n{partition}\n{command.parked_id}"
    )


def plain(text: str) -> str:
    """What a text column can hold: no NUL, no half characters, not without end."""
    shown = text.encode("utf-8", "backslashreplace").decode()
    return shown.replace("\0", "\\0")[:LONGEST]
