"""Rows 18 to 21 of the contract: a venue of one's own, its clock and its quotes."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from msgspec import Meta, Struct
from msgspec.structs import replace

from api.conventions import DecimalText, IdInPath, Instant
from api.doors import SIGNED_IN
from api.problems import Fault, Problem, refused_at
from api.trading.asking import Asking
from api.trading.listing import Listing, listed
from api.trading.observations import YEARS
from api.trading.trades import SymbolText
from application.caller import Caller
from application.cases import CasePlan, phase_of
from application.engine.asks import AdvanceClock, OpenVenue, SentQuote, TakeQuotes
from application.gateway import SANDBOX_PARTITION, Gateway
from application.refusals import Busy
from application.views.account import AccountView
from application.views.venue import ClockView, QuotesView, VenueView
from domain.account.bridge import Bridging, ObservedBreach
from domain.account.commands import OpenAccount
from domain.plan.findings import Notes
from domain.plan.trading_reading import read_trading
from domain.rules.terms import ADJUDICATOR, Terms
from domain.rules.trading_terms import TradingTerms
from domain.values.instrument import Instrument
from domain.values.money import Money
from domain.venue.gate import SANDBOX_FULL_GATE, SANDBOX_ORDER_GATE
from domain.venue.standard_instruments import STANDARD_INSTRUMENTS

MOST_INSTRUMENTS: Final = 200
MOST_QUOTES: Final = 1_000
MOST_VENUES: Final = 10_000
FURTHEST: Final = timedelta(days=3_700)  # that one advance may go
LONGEST_WATERMARK: Final = 86_400  # seconds that a boundary waits for what is late


class NewVenue(Struct, frozen=True, forbid_unknown_fields=True):
    starts_at: Instant
    instruments: (
        Annotated[tuple[Listing, ...], Meta(max_length=MOST_INSTRUMENTS)] | None
    ) = None
    gate: Literal["order", "full"] = "order"


class NewQuote(Struct, frozen=True, forbid_unknown_fields=True):
    symbol: SymbolText
    bid: DecimalText
    ask: DecimalText
    at: Instant | None = None


class NewQuotes(Struct, frozen=True, forbid_unknown_fields=True):
    quotes: Annotated[tuple[NewQuote, ...], Meta(min_length=1, max_length=MOST_QUOTES)]


class Advance(Struct, frozen=True, forbid_unknown_fields=True):
    to: Instant


class NewAccount(Struct, frozen=True, forbid_unknown_fields=True):
    plan: CasePlan
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)")] = "USD"
    kind: Literal["simulated", "bridge"] = "simulated"
    trading: dict[str, Any] | None = None  # what is left out is the house standard
    watermark_seconds: Annotated[int, Meta(ge=0, le=LONGEST_WATERMARK)] = 0
    observed_breach: ObservedBreach = ObservedBreach.FINAL


GatewayHere = NamedDependency[SkipValidation[Gateway]]
CallerHere = NamedDependency[Caller]
AnyRequest = Request[Any, Any, Any]


@post("/sandbox/venues", opt=dict(SIGNED_IN))
async def open_venue(
    request: AnyRequest,
    data: JSONBody[NewVenue],
    caller: CallerHere,
    gateway: GatewayHere,
) -> Response[VenueView]:
    if gateway.venues(SANDBOX_PARTITION) >= MOST_VENUES:
        raise Busy(f"at most {MOST_VENUES} sandboxes are open at a time")
    asking = Asking(request, caller, data)
    instruments: tuple[Instrument, ...] = STANDARD_INSTRUMENTS
    if data.instruments is not None:
        instruments = tuple(
            listed(listing, f"instruments[{place}]")
            for place, listing in enumerate(data.instruments)
        )
    refuse_doubles(instruments)
    venue_id = f"sb-{asking.id_for('venue')}"
    command = OpenVenue(
        venue_id=venue_id,
        owner=caller.trader_id,
        starts_at=data.starts_at.astimezone(UTC),
        instruments=instruments,
        gate=SANDBOX_FULL_GATE if data.gate == "full" else SANDBOX_ORDER_GATE,
        stale_after_seconds=None,
    )
    return await asking.answer(gateway, SANDBOX_PARTITION, f"venue-{venue_id}", command)


@post("/sandbox/venues/{venue_id:str}/quotes", status_code=200, opt=dict(SIGNED_IN))
async def take_quotes(
    request: AnyRequest,
    venue_id: IdInPath,
    data: JSONBody[NewQuotes],
    caller: CallerHere,
    gateway: GatewayHere,
) -> Response[QuotesView]:
    """Decide all of them, in order; boundaries and timers before each come first."""
    for place, quote in enumerate(data.quotes):
        if quote.at is not None:
            place_at = f"quotes[{place}].at"
            refuse_too_far(gateway, venue_id, caller, quote.at, place_at)
    quotes = tuple(
        SentQuote(
            symbol=each.symbol,
            bid=each.bid,
            ask=each.ask,
            at=each.at.astimezone(UTC) if each.at else None,
        )
        for each in data.quotes
    )
    command = TakeQuotes(venue_id=venue_id, quotes=quotes)
    return await Asking(request, caller, data).answer(
        gateway, sandbox(gateway, venue_id), f"venue-{venue_id}", command
    )


@post(
    "/sandbox/venues/{venue_id:str}/clock/advance",
    status_code=200,
    opt=dict(SIGNED_IN),
)
async def advance_clock(
    request: AnyRequest,
    venue_id: IdInPath,
    data: JSONBody[Advance],
    caller: CallerHere,
    gateway: GatewayHere,
) -> Response[ClockView]:
    refuse_too_far(gateway, venue_id, caller, data.to, "to")
    command = AdvanceClock(venue_id=venue_id, to=data.to.astimezone(UTC))
    return await Asking(request, caller, data).answer(
        gateway, sandbox(gateway, venue_id), f"venue-{venue_id}", command
    )


@post("/sandbox/venues/{venue_id:str}/accounts", opt=dict(SIGNED_IN))
async def open_account(
    request: AnyRequest,
    venue_id: IdInPath,
    data: JSONBody[NewAccount],
    caller: CallerHere,
    gateway: GatewayHere,
) -> Response[AccountView]:
    """Open an account on a plan as the rule cases write it, without a purchase."""
    bridge = bridging(data)
    trading = None if bridge is not None else trading_terms(data.trading)
    asking = Asking(request, caller, data)
    try:
        phase = replace(phase_of(data.plan), trading=trading)
        deposit = Money.parse(data.plan.initial, data.currency)
    except (msgspec.ValidationError, ValueError) as error:
        raise Problem("invalid-request", errors=(Fault("plan", str(error)),)) from None
    if deposit.amount <= 0:
        raise refused_at("plan.initial", "not above zero")
    account_id = asking.id_for("account")
    terms = Terms(adjudicator=ADJUDICATOR, currency=data.currency, phases=(phase,))
    command = OpenAccount(
        account_id=account_id,
        trader_id=caller.trader_id,
        challenge_id=None,
        venue_id=venue_id,
        deposit=deposit,
        phase=phase,
        terms_hash=terms.hash,
        bridge=bridge,
    )
    return await asking.answer(
        gateway, sandbox(gateway, venue_id), f"account-{account_id}", command
    )


def trading_terms(written: dict[str, Any] | None) -> TradingTerms:
    notes = Notes()
    terms = read_trading(written, "trading", notes)
    if terms is None:
        told = tuple(Fault(each.path, each.reason) for each in notes.faults)
        raise Problem("invalid-request", errors=told)
    return terms


def bridging(data: NewAccount) -> Bridging | None:
    """A bridge account is led by what is observed of it, from the plan's start on."""
    if data.kind == "simulated":
        if data.watermark_seconds:
            raise refused_at("watermark_seconds", "only of a bridge account")
        if data.observed_breach is not ObservedBreach.FINAL:
            raise refused_at("observed_breach", "only of a bridge account")
        return None
    if data.trading is not None:
        raise refused_at("trading", "a bridge account trades elsewhere")
    start = data.plan.start
    if start is not None and start.year not in YEARS:
        raise refused_at("plan.start", "beyond all bounds")
    return Bridging(
        starts_at=start.astimezone(UTC) if start is not None else None,
        watermark_seconds=data.watermark_seconds,
        observed_breach=data.observed_breach,
    )


def sandbox(gateway: Gateway, venue_id: str) -> str:
    """Only sandboxes are led by hand; the live venue is not found here."""
    partition = gateway.partition_of_venue(venue_id)
    if partition != SANDBOX_PARTITION:
        raise Problem("not-found")
    return partition


def refuse_doubles(instruments: tuple[Instrument, ...]) -> None:
    symbols = [each.symbol for each in instruments]
    if not symbols:
        raise refused_at("instruments", "a venue lists at least one")
    if len(set(symbols)) < len(symbols):
        raise refused_at("instruments", "a symbol is listed twice")


def refuse_too_far(
    gateway: Gateway, venue_id: str, caller: Caller, to: datetime, path: str
) -> None:
    if to > gateway.now(venue_id, caller.trader_id) + FURTHEST:
        raise refused_at(path, f"more than {FURTHEST.days} days ahead of the clock")
