"""Where, when and why something is decided: what the envelope says of it."""

from datetime import datetime

from msgspec import Struct

from application.engine.asks import Ask
from domain.values.market import Moment


class Occasion(Struct, frozen=True):
    venue_id: str | None
    moment: Moment
    ask: Ask
    causation: str


def tick(sequence: int) -> str:
    """The causation of what a quote led to."""
    return f"tick:{sequence}"


def boundary(at: datetime) -> str:
    return f"boundary:{at:%Y-%m-%dT%H:%MZ}"


def timer(at: datetime) -> str:
    return f"timer:{at:%Y-%m-%dT%H:%M:%S.%fZ}"
