"""What the market shows at one instant: last quotes, and the way between currencies."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from domain.values.instrument import Instrument, Rights
from domain.values.quote import Quote
from domain.values.refusal import Refused

CROSSING = ("USD", "EUR")  # a pair that is missing goes by way of one of these


class QuoteStale(Refused):
    """There is no recent quote to trade on."""


class UnknownSymbol(Refused):
    """No instrument of this venue has that symbol."""


class SymbolCloseOnly(Refused):
    """In that symbol trades are only closed, not opened."""


class SymbolDisabled(Refused):
    """In that symbol nobody trades at present."""


class Leg(Struct, frozen=True):
    """One step of a conversion: the quote used and the side taken."""

    quote: Quote
    price: Decimal
    divides: bool  # the amount is divided by the price, not multiplied


class Market(Struct, frozen=True):
    """Quotes are the last accepted ones; `pairs` names the symbol of two currencies.

    What is `suspended` may have moved: it is valued still, not judged or filled by.
    """

    instruments: Mapping[str, Instrument]
    quotes: Mapping[str, Quote]
    pairs: Mapping[tuple[str, str], str]
    stale_after: timedelta | None = None  # None: a quote stays good until the next
    suspended: frozenset[str] = frozenset()

    def instrument(self, symbol: str) -> Instrument:
        if symbol not in self.instruments:
            raise UnknownSymbol(symbol)
        return self.instruments[symbol]

    def instrument_to_open(self, symbol: str) -> Instrument:
        """Raise `SymbolCloseOnly` where trades are only to be closed."""
        instrument = self.instrument(symbol)
        if instrument.rights is Rights.CLOSE_ONLY:
            raise SymbolCloseOnly(symbol)
        return instrument

    def quote(self, symbol: str) -> Quote:
        if symbol not in self.quotes:
            raise QuoteStale(f"{symbol} has not been quoted yet")
        return self.quotes[symbol]

    def fresh_quote(self, symbol: str, at: datetime) -> Quote:
        """A quote to trade on, not only to value by. Raises `SymbolDisabled` too."""
        if self.instrument(symbol).rights is Rights.DISABLED:
            raise SymbolDisabled(symbol)
        quote = self.quote(symbol)
        if symbol in self.suspended:
            raise QuoteStale(f"the source of {symbol} is at fault: it is in quarantine")
        if self.stale_after is not None and quote.at < at - self.stale_after:
            raise QuoteStale(f"the last quote of {symbol} is of {quote.at:%H:%M:%S}Z")
        return quote

    def path(self, currency: str, into: str) -> tuple[tuple[str, bool], ...]:
        """Symbols that lead from one currency into another; each with `divides`."""
        if (way := leads(self.pairs, currency, into)) is None:
            raise QuoteStale(f"no quoted pair leads from {currency} into {into}")
        return way

    def converted(
        self, amount: Decimal, currency: str, into: str
    ) -> tuple[Decimal, tuple[Leg, ...]]:
        """Not yet rounded. A gain is sold at the bid, a loss is bought at the ask."""
        if currency == into:
            return amount, ()
        legs: list[Leg] = []
        for symbol, divides in self.path(currency, into):
            quote = self.quote(symbol)
            price = quote.bid if (amount > 0) is not divides else quote.ask
            amount = amount / price if divides else amount * price
            legs.append(Leg(quote, price, divides))
        return amount, tuple(legs)


def leads(
    pairs: Mapping[tuple[str, str], str], currency: str, into: str
) -> tuple[tuple[str, bool], ...] | None:
    """Find the way by at most two pairs; None: there is none."""
    if currency == into:
        return ()
    if single := step(pairs, currency, into):
        return (single,)
    for by_way_of in CROSSING:
        first, second = step(pairs, currency, by_way_of), step(pairs, by_way_of, into)
        if first and second:
            return (first, second)
    return None


def step(
    pairs: Mapping[tuple[str, str], str], currency: str, into: str
) -> tuple[str, bool] | None:
    if symbol := pairs.get((currency, into)):
        return symbol, False
    if symbol := pairs.get((into, currency)):
        return symbol, True
    return None


def pairs_of(instruments: Mapping[str, Instrument]) -> dict[tuple[str, str], str]:
    return {(each.base, each.currency): symbol for symbol, each in instruments.items()}


class Moment(Struct, frozen=True):
    """When something is decided: engine time, the last tick, and what it left."""

    at: datetime
    tick: int
    market: Market
    previous: Quote | None = None  # which the last tick has replaced
