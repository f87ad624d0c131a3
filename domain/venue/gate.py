"""Which quotes become ticks: each is admitted, or turned away with a reason.

A jump that stands alone is a spike and never a tick; a jump that the very next
quote confirms was a gap of the market, and is taken from that quote on.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from domain.values.exact import exact, positive
from domain.values.instrument import Instrument
from domain.values.session import is_open

MICROSECOND: Final = timedelta(microseconds=1)


class RawQuote(Struct, frozen=True):
    """A quote as its source sent it, in text; nothing of it has been believed yet."""

    symbol: str
    bid: str
    ask: str
    at: datetime  # the exchange's stamp, aware
    source_at: datetime  # the same moment in the source's own data: 2017 in a replay
    source: str


class Reason(StrEnum):
    """Why a quote was turned away; recorded beside it."""

    UNKNOWN_SYMBOL = "unknown-symbol"
    NOT_A_PRICE = "not-a-price"  # zero, negative, NaN, not plain digits
    TOO_FINE = "too-many-digits"
    TOO_HIGH = "above-highest-price"
    CROSSED = "crossed"
    LATE = "late"
    EARLY = "early"
    DUPLICATE = "duplicate"
    MARKET_CLOSED = "market-closed"
    STUCK = "stuck"
    SPIKE = "spike"


FAULTS: Final = frozenset(Reason) - {
    Reason.UNKNOWN_SYMBOL,
    Reason.DUPLICATE,  # said again, and nothing is wrong with it
    Reason.MARKET_CLOSED,
}
"""What speaks against a source: so many in a row, and its symbol is in quarantine."""


class GateLevel(StrEnum):
    ORDER = "order"  # crossed, late, duplicate
    FULL = "full"  # the market's hours and spikes as well


class Band(Struct, frozen=True, kw_only=True):
    """How far a price may move in one step: `narrow`, growing with the silence before.

    It grows with the square root of time, as markets do, from `narrow` by the root
    of (1 + silence / `doubles_in` * 3), so that it is twice as wide after that time.
    """

    narrow: Decimal  # share of the price
    wide: Decimal  # however long the silence, a weekend too
    doubles_in: timedelta

    def holds(self, old: Decimal, new: Decimal, silence: timedelta) -> bool:
        """Compare squares: no root, hence no rounding."""
        move = abs(new - old)
        if move > self.wide * old:
            return False
        unit = self.doubles_in // MICROSECOND
        growth = unit + 3 * max(0, silence // MICROSECOND)
        reach = self.narrow * old
        return move * move * unit <= reach * reach * growth


class GateParameters(Struct, frozen=True, kw_only=True):
    """What a gate goes by; a changed number is a new version, cited by evidence."""

    version: str
    level: GateLevel
    behind: timedelta  # how far a quote's stamp may lie behind the venue's clock
    ahead: timedelta | None  # and before it; None where a quote sets the clock
    stuck_after: timedelta | None  # an unchanged price this long means a dead source
    band: Band
    quarantine_after: int | None = None  # faults in a row; None: never


BAND: Final = Band(
    narrow=Decimal("0.005"),
    wide=Decimal("0.2"),
    doubles_in=timedelta(seconds=12),
)
PERSISTENT: Final = 20  # faults: ten seconds of a live symbol
LIVE_GATE: Final = GateParameters(
    version="live/2",
    level=GateLevel.FULL,
    behind=timedelta(seconds=10),
    ahead=timedelta(seconds=2),
    stuck_after=timedelta(minutes=10),
    band=BAND,
    quarantine_after=PERSISTENT,
)
SANDBOX_ORDER_GATE: Final = GateParameters(
    version="sandbox-order/1",
    level=GateLevel.ORDER,
    behind=timedelta(0),
    ahead=None,
    stuck_after=None,
    band=BAND,
)
SANDBOX_FULL_GATE: Final = replace(
    SANDBOX_ORDER_GATE,
    version="sandbox-full/2",
    level=GateLevel.FULL,
    quarantine_after=PERSISTENT,
)


class Price(Struct, frozen=True):
    """Both sides at one moment, as whole points of the instrument."""

    bid: Decimal
    ask: Decimal
    at: datetime


class GateState(Struct, frozen=True, kw_only=True):
    """What the gate remembers of one symbol."""

    last: Price | None = None  # admitted
    unchanged_since: datetime | None = None
    suspect: Price | None = None  # the jump that waits to be confirmed
    faults: int = 0  # in a row, since the last quote that was admitted
    released_at: datetime | None = None  # by an operator: what was before is forgotten

    @property
    def is_in_doubt(self) -> bool:
        """A jump is unconfirmed: the last price may no longer be the market's."""
        return self.suspect is not None


class Admitted(Struct, frozen=True):
    price: Price
    state: GateState


class TurnedAway(Struct, frozen=True):
    reason: Reason
    state: GateState


def admit(
    quote: RawQuote,
    instrument: Instrument | None,
    state: GateState,
    now: datetime,
    gate: GateParameters,
) -> Admitted | TurnedAway:
    """`now` is the venue's clock before this quote; `instrument` None is unknown."""
    if instrument is None:
        return TurnedAway(Reason.UNKNOWN_SYMBOL, state)
    price = read(quote, instrument)
    if isinstance(price, Reason):
        return TurnedAway(price, blaming(price, None, state, now))
    reason = out_of_order(price, state, now, gate)
    if reason is None and gate.level is GateLevel.FULL:
        reason = out_of_line(price, state, instrument, gate)
    if reason is not None:
        return TurnedAway(reason, blaming(reason, price, state, now))
    return Admitted(price, remembering(price, state))


def blaming(
    reason: Reason, price: Price | None, state: GateState, now: datetime
) -> GateState:
    """What is remembered of a quote that was turned away."""
    is_forgotten = state.released_at is not None and now <= state.released_at
    if reason not in FAULTS or is_forgotten:
        return state
    suspect = price if reason is Reason.SPIKE else state.suspect
    return replace(state, suspect=suspect, faults=state.faults + 1)


def is_persistent(state: GateState, gate: GateParameters) -> bool:
    """Whether the source has been at fault for too long to be believed again soon."""
    return gate.quarantine_after is not None and state.faults >= gate.quarantine_after


def read(quote: RawQuote, instrument: Instrument) -> Price | Reason:
    try:
        bid, ask = number(quote.bid), number(quote.ask)
    except ValueError:
        return Reason.NOT_A_PRICE
    if max(bid, ask) > instrument.price_max:
        return Reason.TOO_HIGH
    point = instrument.point
    whole_bid, whole_ask = bid.quantize(point), ask.quantize(point)
    if whole_bid != bid or whole_ask != ask:
        return Reason.TOO_FINE
    return Price(whole_bid, whole_ask, quote.at)


def number(price: str) -> Decimal:
    decimal = exact(price)
    positive(decimal)
    return decimal


def out_of_order(
    price: Price, state: GateState, now: datetime, gate: GateParameters
) -> Reason | None:
    if price.bid > price.ask:
        return Reason.CROSSED
    if price in (state.last, state.suspect):  # told again, a jump is no more certain
        return Reason.DUPLICATE
    if price.at < now - gate.behind or (state.last and price.at < state.last.at):
        return Reason.LATE
    if gate.ahead is not None and price.at > now + gate.ahead:
        return Reason.EARLY
    return None


def out_of_line(
    price: Price, state: GateState, instrument: Instrument, gate: GateParameters
) -> Reason | None:
    if not is_open(instrument.sessions, price.at):
        return Reason.MARKET_CLOSED
    if state.last is None:
        return None
    if is_stuck(price, state, gate):
        return Reason.STUCK
    if is_near(price, state.last, gate.band):
        return None
    if state.suspect is not None and is_near(price, state.suspect, gate.band):
        return None
    return Reason.SPIKE


def is_stuck(price: Price, state: GateState, gate: GateParameters) -> bool:
    if gate.stuck_after is None or state.unchanged_since is None:
        return False
    is_same = is_unchanged(price, state.last)
    return is_same and price.at - state.unchanged_since > gate.stuck_after


def is_near(price: Price, other: Price, band: Band) -> bool:
    silence = price.at - other.at
    return band.holds(other.bid, price.bid, silence) and band.holds(
        other.ask, price.ask, silence
    )


def is_unchanged(price: Price, last: Price | None) -> bool:
    return last is not None and (price.bid, price.ask) == (last.bid, last.ask)


def remembering(price: Price, state: GateState) -> GateState:
    since = state.unchanged_since if is_unchanged(price, state.last) else price.at
    return GateState(last=price, unchanged_since=since)
