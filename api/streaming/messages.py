"""What goes over a stream, as `docs/streaming.md` tells it."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from domain.rules.limit import Comparator, Effect, Measured
from domain.values.quote import Side
from projections.happenings import Happening
from projections.leaderboard import Ranked

NAME: Final = r"(quotes|leaderboard|feed|account):[A-Za-z0-9][A-Za-z0-9._-]{0,79}"
MOST_CHANNELS: Final = 64
LATEST: Final = 2**53  # the last whole number that every client can hold

Name = Annotated[str, Meta(pattern=rf"^{NAME}$(?!\n)")]
Seq = Annotated[int, Meta(ge=0, le=LATEST)]
Names = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=MOST_CHANNELS)]


class Auth(Struct, frozen=True, tag="auth", forbid_unknown_fields=True):
    token: Annotated[str, Meta(max_length=4096)]


class Subscribe(Struct, frozen=True, tag="subscribe", forbid_unknown_fields=True):
    channels: Names
    resume_from: Annotated[dict[Name, Seq], Meta(max_length=MOST_CHANNELS)] = {}


class Unsubscribe(Struct, frozen=True, tag="unsubscribe", forbid_unknown_fields=True):
    channels: Names


class Ack(Struct, frozen=True, tag="ack", forbid_unknown_fields=True):
    channel: Name
    seq: Seq


Said = Auth | Subscribe | Unsubscribe | Ack


class Message(Struct, frozen=True):
    """One thing of one channel; `seq` counts the messages of that channel."""

    channel: str
    seq: int
    type: str
    data: Struct | msgspec.Raw | None


class Items(Struct, frozen=True):
    """The snapshot of a channel that is nothing but its latest messages."""

    items: tuple[msgspec.Raw, ...]


class Heartbeat(Struct, frozen=True, kw_only=True, tag="heartbeat"):
    at: datetime
    position: str  # of the live log
    positions: tuple[str, ...]


class Authenticated(Struct, frozen=True, tag="authenticated"):
    trader_id: str


class Subscribed(Struct, frozen=True, tag="subscribed"):
    channel: str
    seq: int


class Unsubscribed(Struct, frozen=True, tag="unsubscribed"):
    channel: str


class Denied(Struct, frozen=True, tag="refused"):
    channel: str
    code: str
    detail: str


class BoardView(Struct, frozen=True):
    board: str
    items: tuple[Ranked, ...]
    position: str


class NewsView(Happening, frozen=True, kw_only=True):
    """As `GET /feed` lists it, and when the tables will have it."""

    position: str


class FillView(Struct, frozen=True, kw_only=True):
    account_id: str
    trade_id: str
    symbol: str
    side: Side  # of the trade, also where it closes
    action: Literal["open", "close"]
    quantity: Decimal
    price: Decimal
    left: Decimal  # lots of the trade that stay open
    profit: Decimal | None
    reason: str
    balance: Decimal
    quote_sequence: int
    at: datetime
    position: str


class CrossedView(Struct, frozen=True, kw_only=True):
    """A crossed rule as its owner sees it; the evidence is at `/breaches`."""

    breach_id: str
    account_id: str
    rule: str
    kind: str
    effect: Effect
    primary: bool
    cmp: Comparator
    measured: Measured
    floor: Decimal
    observed: Decimal
    balance: Decimal
    equity: Decimal
    decided_at: datetime
    position: str


class PassView(Struct, frozen=True, kw_only=True):
    account_id: str
    phase: str
    balance: Decimal
    equity: Decimal
    trading_days: int
    at: datetime
    position: str
