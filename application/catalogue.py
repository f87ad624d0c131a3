"""Every fact that the log may hold, by the name under which it is stored for ever."""

from typing import get_args

from msgspec import json

from application.engine.journal import Recorded
from application.parked import ParkedEvent
from domain.account.events import AccountEvent
from domain.challenge.events import ChallengeEvent
from domain.plan.events import PlanEvent
from domain.venue.events import VenueEvent

Fact = AccountEvent | ChallengeEvent | PlanEvent | VenueEvent | ParkedEvent

FACTS: dict[str, type[Fact]] = {
    fact.__struct_config__.tag: fact for fact in get_args(Fact)
}
NAMES = {fact: name for name, fact in FACTS.items()}
_DECODERS = {name: json.Decoder(fact) for name, fact in FACTS.items()}
_ENCODER = json.Encoder()


class UnknownFact(LookupError):
    """The log holds a name that this version has never heard of."""


class Unreadable(Exception):
    """Nobody can tell what the fact says: what depends on it is set aside."""


def name_of(fact: Fact) -> str:
    return NAMES[type(fact)]


def encode(fact: Fact) -> bytes:
    return _ENCODER.encode(fact)


def decode(name: str, payload: bytes) -> Fact:
    if name not in _DECODERS:
        raise UnknownFact(name)
    fact: Fact = _DECODERS[name].decode(payload)
    return fact


def fact_of(recorded: Recorded) -> Fact:
    """Read it. Raises `Unreadable`, whatever the reason is."""
    if recorded.fault is not None:
        raise Unreadable(recorded.fault)
    try:
        return decode(recorded.name, recorded.payload)
    except Exception as fault:
        raise Unreadable(f"{type(fault).__name__}: {fault}") from fault
