"""An instrument as somebody specifies it: what is left out is as for a known symbol."""

from datetime import UTC
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from api.conventions import DecimalText, PositiveText
from api.problems import refused_at
from api.trading.trades import SymbolText
from domain.values.calendar import Closure
from domain.values.exact import exact
from domain.values.instrument import (
    EXACT_INTEGER,
    MOST_TIERS,
    Instrument,
    Rights,
    Tier,
    Weekday,
    decimals,
)
from domain.values.session import MOST_CLOSURES, Session, Sessions
from domain.values.trading_day import TradingDay
from domain.venue.standard_instruments import EURUSD, STANDARD_INSTRUMENTS

PRICE_ROOM: Final = 10**8  # scaled price that the largest quantity still leaves exact
MOST_LOTS: Final = 10_000
STANDARD: Final = {each.symbol: each for each in STANDARD_INSTRUMENTS}
FX: Final = 6  # EURUSD: two currencies
ALWAYS_BUT: Final = ("Mon 00:00", "Thu 00:00")  # two windows that touch all week

Whole = Annotated[int, Meta(ge=0, le=10_000)]
SizeText = PositiveText | Annotated[int, Meta(gt=0, le=10**9)]
CostText = DecimalText | Annotated[int, Meta(ge=-(10**9), le=10**9)]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)")]
Tiers = Annotated[tuple[Tier, ...], Meta(max_length=MOST_TIERS)]
Holidays = Annotated[tuple[Closure, ...], Meta(max_length=MOST_CLOSURES)]


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be said of an instrument beside its symbol."""

    contract_size: SizeText | None = None
    digits: Whole | None = None
    base: SymbolText | None = None
    currency: Currency | None = None
    quantity_step: SizeText | None = None
    quantity_min: SizeText | None = None
    quantity_max: SizeText | None = None
    leverage: Whole | PositiveText | None = None
    commission_per_lot: CostText | None = None
    swap_long: CostText | None = None
    swap_short: CostText | None = None
    sessions: Literal["always"] | tuple[Session, ...] | None = None
    holidays: Holidays | None = None  # on which it is shut, whatever its sessions say
    triple_swap_on: Weekday | None = None  # and no swap at weekends
    rollover: TradingDay | None = None  # when what is open pays swap
    tiers: Tiers | None = None  # of leverage


class Listing(Terms, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An instrument to list; what is left out is as for the standard symbol."""

    symbol: SymbolText


class Change(Terms, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    rights: Rights | None = None


def listed(listing: Listing, path: str) -> Instrument:
    """Raise `Problem` where it makes no instrument."""
    like = STANDARD.get(listing.symbol, EURUSD)
    currency = listing.currency or (
        like.currency if listing.symbol in STANDARD else quote_currency(listing.symbol)
    )
    step = number(listing.quantity_step, like.quantity_step)
    lots = min(MOST_LOTS, EXACT_INTEGER // PRICE_ROOM // 10 ** decimals(step))
    largest = max(step, lots // step * step)
    try:
        return Instrument(
            symbol=listing.symbol,
            contract_size=number(listing.contract_size, like.contract_size),
            digits=like.digits if listing.digits is None else listing.digits,
            base=listing.base or base_of(listing.symbol, currency),
            currency=currency,
            quantity_step=step,
            quantity_min=number(listing.quantity_min, step),
            quantity_max=number(listing.quantity_max, largest),
            leverage=int(number(listing.leverage, Decimal(like.leverage))),
            commission_per_lot=number(listing.commission_per_lot, Decimal(0)),
            swap_long=number(listing.swap_long, Decimal(0)),
            swap_short=number(listing.swap_short, Decimal(0)),
            sessions=hours(listing, like.sessions),
            triple_swap_on=listing.triple_swap_on,
            rollover=listing.rollover,
            tiers=listing.tiers or (),
        )
    except ValueError as error:
        raise refused_at(path, str(error)) from None


def changed(known: Instrument, change: Change, path: str) -> Instrument:
    """Raise `Problem` where it makes no instrument."""
    told: dict[str, Any] = {
        name: value
        for name in change.__struct_fields__
        if name not in ("sessions", "holidays")
        and (value := getattr(change, name)) is not None
    }
    for name in told.keys() & NUMBERS:
        told[name] = number(told[name], Decimal(0))
    if "leverage" in told:
        told["leverage"] = int(number(told["leverage"], Decimal(0)))
    try:
        return replace(known, **told, sessions=hours(change, known.sessions))
    except ValueError as error:
        raise refused_at(path, str(error)) from None


NUMBERS: Final = {
    "contract_size",
    "quantity_step",
    "quantity_min",
    "quantity_max",
    "commission_per_lot",
    "swap_long",
    "swap_short",
}


def hours(terms: Terms, otherwise: Sessions) -> Sessions:
    """Put holidays into every weekly window, so that none of them is open then."""
    weekly = otherwise if terms.sessions is None else terms.sessions
    if terms.holidays is None:
        return weekly
    ordered = sorted(terms.holidays, key=lambda each: each.since)
    closures = tuple(
        Closure(each.since.astimezone(UTC), each.until.astimezone(UTC), each.name)
        for each in ordered
    )
    if weekly == "always":
        ends = (ALWAYS_BUT, ALWAYS_BUT[::-1])
        weekly = tuple(Session("UTC", *opens_and_closes) for opens_and_closes in ends)
    return tuple(replace(each, closures=closures) for each in weekly)


def number(sent: str | int | None, otherwise: Decimal) -> Decimal:
    if sent is None:
        return otherwise
    return Decimal(sent) if isinstance(sent, int) else exact(sent)


def base_of(symbol: str, currency: str) -> str:
    if len(symbol) == FX and symbol.endswith(currency):
        return symbol[:3]
    return symbol


def quote_currency(symbol: str) -> str:
    """EURGBP is quoted in pounds; what is no pair is quoted in dollars."""
    is_pair = len(symbol) == FX and symbol.isalpha() and symbol.isupper()
    return symbol[3:] if is_pair else "USD"
