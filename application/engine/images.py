"""How states are saved: whatever many of them share, only once.

Terms are most of an account and of a challenge, and thousands have the same: they are
saved under the hash of their content, and whatever is decoded has the very object that
the others have. Images of another shape are not read: the log tells it all anew.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b, sha256
from typing import Any, Final

import msgspec
from msgspec import Struct, defstruct, msgpack
from msgspec.structs import asdict, fields

from application.engine.allocations import Allocation
from application.engine.journal import Image
from application.engine.memory import State
from application.engine.venue import Index, VenueImage
from application.parked import Settled
from domain.account.state import Account
from domain.challenge.state import Challenge
from domain.plan.decider import Plan
from domain.rules.marks import Mark, Marks
from domain.rules.phase import Phase
from domain.rules.terms import Terms
from domain.values.trading_day import TradingDay

LAYOUT: Final = 2  # raise it where the same shape gets another meaning

Shared = Phase | Terms
Stood = tuple[tuple[Mark, ...], bytes]  # the marks that differ, and which stands where


def imaged(state: type[Struct], **otherwise: Any) -> type[Struct]:  # noqa: ANN401 - a type
    """Give the shape of an image: some fields are saved as something else."""
    shape = [(each.name, otherwise.get(each.name, each.type)) for each in fields(state)]
    return defstruct(f"{state.__name__}Image", shape, frozen=True, array_like=True)


AccountImage: Final = imaged(Account, phase=bytes, marks=Stood)
ChallengeImage: Final = imaged(Challenge, terms=bytes)


class Following(Struct, frozen=True, array_like=True):
    """What a start must know of an account, as far as others have it in common."""

    venue_id: str
    trading_day: TradingDay | None
    symbols: tuple[str, ...]


class Line(Struct, frozen=True, array_like=True):
    following: bytes
    trades: tuple[str, ...]
    deadline: datetime | None


IMAGED: Final = (
    AccountImage,
    ChallengeImage,
    Phase,
    Terms,
    Plan,
    Settled,
    VenueImage,
    Following,
    Line,
    Allocation,
)
_, _COMPONENTS = msgspec.json.schema_components(IMAGED)
SHAPE: Final = sha256(
    msgspec.json.encode((LAYOUT, _COMPONENTS), order="sorted")
).hexdigest()

_ACCOUNTS: Final = msgpack.Decoder(AccountImage)
_CHALLENGES: Final = msgpack.Decoder(ChallengeImage)
_PLANS: Final = msgpack.Decoder(Plan)
_SETTLED: Final = msgpack.Decoder(Settled)
_SHARED: Final[dict[str, msgpack.Decoder[Shared]]] = {
    "phase": msgpack.Decoder(Phase),
    "terms": msgpack.Decoder(Terms),
}
_KINDS: Final[dict[type[Shared], str]] = {Phase: "phase", Terms: "terms"}
LINES: Final = msgpack.Decoder(Line)
FOLLOWINGS: Final = msgpack.Decoder(Following)


class Images:
    """Both ways between states and images, and what those of one partition share."""

    def __init__(self) -> None:
        self._shared: dict[bytes, Shared] = {}
        self._unsaved: dict[bytes, Image] = {}

    @staticmethod
    def is_shared(kind: str) -> bool:
        return kind in _SHARED

    def learn(self, images: Iterable[Image]) -> None:
        """Know what those among them hold that others refer to."""
        for image in images:
            kind = image.stream.partition("-")[0]
            if kind in _SHARED:
                self._shared[key_of(image.body)] = _SHARED[kind].decode(image.body)

    def state(self, kind: str, body: bytes) -> State:
        match kind:
            case "account":
                return self._account(body)
            case "challenge":
                values = asdict(_CHALLENGES.decode(body))
                return Challenge(**values | {"terms": self._shared[values["terms"]]})
            case "plan":
                return _PLANS.decode(body)
            case _:
                return _SETTLED.decode(body)

    def _account(self, body: bytes) -> Account:
        values = asdict(_ACCOUNTS.decode(body))
        differing, places = values["marks"]
        values["phase"] = self._shared[values["phase"]]
        values["marks"] = Marks(*[differing[place] for place in places])
        return Account(**values)

    def body(self, state: State) -> bytes:
        match state:
            case Account():
                values = asdict(state)
                values["phase"] = self._key(state.phase)
                values["marks"] = stood(state.marks)
                return msgpack.encode(AccountImage(**values))
            case Challenge():
                values = asdict(state)
                values["terms"] = self._key(state.terms)
                return msgpack.encode(ChallengeImage(**values))
            case _:
                return msgpack.encode(state)

    def _key(self, shared: Shared) -> bytes:
        body = msgpack.encode(shared)
        key = key_of(body)
        if key not in self._shared:
            stream = f"{_KINDS[type(shared)]}-{key.hex()}"
            self._shared[key] = shared
            self._unsaved[key] = Image(stream=stream, version=1, body=body)
        return key

    def unsaved(self) -> tuple[Image, ...]:
        """What images refer to and no checkpoint holds yet."""
        return tuple(self._unsaved.values())

    def saved(self, shared: Iterable[Image]) -> None:
        for image in shared:
            self._unsaved.pop(key_of(image.body), None)


def line(index: Index) -> bytes:
    symbols = tuple(sorted(index.symbols))
    following = Following(index.venue_id, index.trading_day, symbols)
    shared = msgpack.encode(following)
    return msgpack.encode(Line(shared, index.trades, index.deadline))


def key_of(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()


def stood(marks: Marks) -> Stood:
    """Most of the marks are one and the same, and stay so when they are read again."""
    each: list[Mark] = [getattr(marks, name) for name in marks.__struct_fields__]
    differing = {id(mark): mark for mark in each}
    places = {number: place for place, number in enumerate(differing)}
    return tuple(differing.values()), bytes(places[id(mark)] for mark in each)
