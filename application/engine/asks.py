"""What the engine can be asked, as plain data: nothing here knows how it arrives."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from application.parked import RetryParked, SkipParked
from domain.account.commands import (
    ClosePosition,
    FlowCommand,
    ObserveAccount,
    OpenAccount,
    OpenPosition,
    OrderCommand,
    ReviewCommand,
)
from domain.challenge.decider import (
    FailPhase,
    PassPhase,
    PurchaseChallenge,
    ReinstatePhase,
)
from domain.plan.decider import ActivatePlan, DraftPlan
from domain.plan.findings import Finding
from domain.values.instrument import Instrument
from domain.values.refusal import Arithmetic, Refused
from domain.venue.commands import ListingCommand
from domain.venue.gate import GateParameters

Command = (
    OpenAccount
    | OpenPosition
    | ClosePosition
    | ObserveAccount
    | FlowCommand
    | ReviewCommand
    | OrderCommand
    | PurchaseChallenge
    | PassPhase
    | FailPhase
    | ReinstatePhase
    | DraftPlan
    | ActivatePlan
    | RetryParked
    | SkipParked
)


class SentQuote(Struct, frozen=True, kw_only=True):
    """A quote as it came: text, so that what is refused is kept as it was said."""

    symbol: str
    bid: str
    ask: str
    at: datetime | None = None  # the exchange's stamp; None: the venue's own now
    source_at: datetime | None = None  # the moment in the source's own data
    source: str = "manual"


class OpenVenue(Struct, frozen=True, kw_only=True, tag=True):
    venue_id: str
    owner: str | None
    starts_at: datetime
    instruments: tuple[Instrument, ...]
    gate: GateParameters
    stale_after_seconds: int | None


class TakeQuotes(Struct, frozen=True, kw_only=True, tag=True):
    venue_id: str
    quotes: tuple[SentQuote, ...]


class AdvanceClock(Struct, frozen=True, kw_only=True, tag=True):
    """A sandbox's clock by hand; `to` is the system's now for the live venue."""

    venue_id: str
    to: datetime


VenueCommand = OpenVenue | TakeQuotes | AdvanceClock | ListingCommand


class Ask(Struct, frozen=True, kw_only=True):
    """One command, who sends it, and how to recognise it when it comes again."""

    stream: str
    command: Command | VenueCommand
    actor: str
    owner: str | None  # the stream must belong to this trader; None: to anybody
    request_id: str
    causation: str = "command"
    command_id: UUID | None = None
    is_kept: bool = True  # its answer, refusals included, for when it comes again
    request_hash: bytes = b""
    natural_id: UUID | None = None  # as a client's order id: only a yes is kept


class Refusal(Struct, frozen=True, kw_only=True):
    """A decided no. `code` is the refusal's class in kebab case; the API words it."""

    code: str
    detail: str
    request_id: str
    arithmetic: Arithmetic | None = None
    findings: tuple[Finding, ...] = ()  # of a plan


class Answer(Struct, frozen=True, kw_only=True):
    """What was decided, durable when it arrives. `body` is JSON either way."""

    status: int
    body: bytes  # the resource, or a `Refusal` when `is_refused`
    position: int  # of the partition
    is_refused: bool = False
    is_replayed: bool = False


class Poisoned(Exception):
    """It broke something of ours; it is parked with its cause, and others went on."""


class KeyReused(Refused):
    """The key of an earlier request came with another body."""
