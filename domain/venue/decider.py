"""How a venue answers its operator: what it lists, and whose price it believes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.values.instrument import Instrument
from domain.values.market import UnknownSymbol
from domain.venue.commands import ListingCommand, ReleaseSymbol, SpecifyInstrument
from domain.venue.errors import (
    EffectiveInThePast,
    InstrumentChangePending,
    InstrumentFixed,
    SymbolNotQuarantined,
)
from domain.venue.events import InstrumentChanged, InstrumentListed, SymbolReleased

MOST_LISTED: Final = 200
MOST_PENDING: Final = 200
FIXED: Final = ("digits", "base", "currency")


class Upcoming(Struct, frozen=True):
    """A specification that takes effect later."""

    effective_from: datetime
    symbol: str
    version: int
    instrument: Instrument


class Listing(Struct, frozen=True):
    """What a venue lists now, what it will, and whose price is not believed."""

    instruments: Mapping[str, Instrument]
    upcoming: tuple[Upcoming, ...]  # by the time of their effect
    suspended: frozenset[str]


Decided = SymbolReleased | InstrumentListed | InstrumentChanged


def decide(
    command: ListingCommand, listing: Listing, at: datetime, tick: int
) -> Decided:
    match command:
        case ReleaseSymbol():
            if command.symbol not in listing.instruments:
                raise UnknownSymbol(command.symbol)
            if command.symbol not in listing.suspended:
                raise SymbolNotQuarantined(command.symbol)
            return SymbolReleased(
                at=at, tick=tick, symbol=command.symbol, reason=command.reason
            )
        case SpecifyInstrument():
            return specified(command, listing, at, tick)
        case _:
            assert_never(command)


def specified(
    command: SpecifyInstrument, listing: Listing, at: datetime, tick: int
) -> InstrumentListed | InstrumentChanged:
    wanted, effective_from = command.instrument, command.effective_from or at
    if effective_from < at:
        raise EffectiveInThePast(f"the venue's clock shows {at.isoformat()}")
    waiting = [each for each in listing.upcoming if each.symbol == wanted.symbol]
    if any(each.effective_from > effective_from for each in waiting):
        raise InstrumentChangePending(f"{wanted.symbol} changes later on already")
    known = (
        waiting[-1].instrument if waiting else listing.instruments.get(wanted.symbol)
    )
    if len(listing.upcoming) >= MOST_PENDING:
        raise InstrumentChangePending(f"{MOST_PENDING} changes are waiting")
    if known is None:
        new = {each.symbol for each in listing.upcoming} - listing.instruments.keys()
        if len(listing.instruments) + len(new) >= MOST_LISTED:
            raise InstrumentFixed(f"a venue lists at most {MOST_LISTED} symbols")
        return InstrumentListed(
            at=at,
            tick=tick,
            instrument=replace(wanted, version=1),
            effective_from=effective_from,
            reason=command.reason,
        )
    for name in FIXED:
        if getattr(known, name) != getattr(wanted, name):
            raise InstrumentFixed(f"{name} of {wanted.symbol} stays as it is")
    if known.quantity_step % wanted.quantity_step:  # what is open could not be closed
        raise InstrumentFixed(f"steps of {known.quantity_step} only get finer")
    return InstrumentChanged(
        at=at,
        tick=tick,
        instrument=replace(wanted, version=known.version + 1),
        effective_from=effective_from,
        reason=command.reason,
    )


def upcoming(
    waiting: Iterable[Upcoming], fact: InstrumentListed | InstrumentChanged
) -> tuple[Upcoming, ...]:
    """Take a specification in, in the order in which they take effect."""
    specified = fact.instrument
    later = Upcoming(
        fact.effective_from, specified.symbol, specified.version, specified
    )
    return tuple(sorted((*waiting, later), key=moment_of_effect))


def moment_of_effect(each: Upcoming) -> tuple[datetime, str, int]:
    return each.effective_from, each.symbol, each.version
