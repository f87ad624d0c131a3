"""How an account's equity has gone, beside the floors that it had to stay above.

A fold of its events, of the boundaries of its day and of quotes that were looked up in
the tick log, by the very functions that the engine decides with. Where quotes are left
out between two samples, a peak among them is not seen: a floor that follows equity
within the day is then drawn too low until the next point.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from domain.account.events import (
    AccountEvent,
    BreachAnnulled,
    ObjectivesMet,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    RuleBreached,
)
from domain.account.position import Valued
from domain.account.state import Account, evolve, observe, turn
from domain.rules.standing import Standing
from domain.values.instrument import Instrument
from domain.values.market import Market, Moment, QuoteStale, pairs_of
from domain.values.money import Money
from domain.values.quote import Quote
from domain.venue.events import DayBoundaryPassed

SAMPLED, TURNED, HAPPENED = range(3)  # of one tick and instant: in this order


class Sample(Struct, frozen=True):
    """What the venue showed by a tick: quotes, the newest last."""

    at: datetime
    tick: int
    quotes: tuple[Quote, ...]


class Point(Struct, frozen=True):
    at: datetime
    equity: Decimal
    balance: Decimal
    floors: Mapping[str, Decimal]  # by the rule's id


class Exposed(Struct, frozen=True):
    """Ticks between which positions were open: only then is equity not the balance."""

    since: int
    until: int | None  # None: they still are


Happening = Sample | DayBoundaryPassed | AccountEvent


class Curve:
    """Takes what happened, in order, and gives a point for each of it."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._quotes: dict[str, Quote] = {}
        self._market = Market(instruments, self._quotes, pairs_of(instruments))
        self._account: Account | None = None

    def points(
        self,
        facts: Iterable[AccountEvent],
        turns: Iterable[DayBoundaryPassed],
        samples: Iterable[Sample],
    ) -> Iterator[Point]:
        """End with what ended the account, and with the equity of that verdict."""
        last: Point | None = None
        facts = tuple(facts)
        annulments = sum(isinstance(each, BreachAnnulled) for each in facts)
        for happening in in_order(facts, turns, samples):
            annulments -= isinstance(happening, BreachAnnulled)
            point = self._seen(happening)
            if last is not None and point is not None and last.at < point.at:
                yield last  # of one instant the last thing counts
            last = point or last
            account = self._account
            if account is not None and account.is_over and not annulments:
                break
        if last is not None:
            yield last

    def _seen(self, happening: Happening) -> Point | None:
        self._hear(happening)
        moment = Moment(happening.at, happening.tick, self._market)
        try:
            return self._after(happening, moment)
        except QuoteStale:  # nothing says yet what a position is worth
            return None

    def _hear(self, happening: Happening) -> None:
        for quote in quotes_of(happening):
            known = self._quotes.get(quote.symbol)
            if known is None or known.sequence < quote.sequence:
                self._quotes[quote.symbol] = quote

    def _after(self, happening: Happening, moment: Moment) -> Point | None:
        if isinstance(happening, AccountEvent):
            self._account = evolve(self._account, happening)
        elif self._account is None:
            return None
        elif isinstance(happening, DayBoundaryPassed):
            self._account = turn(self._account, moment)
        account = self._account = observe(self._account, moment)
        standing = account.standing(moment.market)
        if isinstance(happening, RuleBreached | ObjectivesMet):
            return point(account, standing, happening.equity, moment.at)
        return point(account, standing, standing.equity, moment.at)


def point(account: Account, standing: Standing, equity: Money, at: datetime) -> Point:
    floors = {each.id: each.floor(standing).amount for each in account.phase.limits}
    return Point(at, equity.amount, standing.balance.amount, floors)


def in_order(
    facts: Iterable[AccountEvent],
    turns: Iterable[DayBoundaryPassed],
    samples: Iterable[Sample],
) -> list[Happening]:
    """Merge by tick and instant; facts of one instant stay as they happened."""
    ranked: list[tuple[int, datetime, int, Happening]] = []
    ranked += ((each.tick, each.at, SAMPLED, each) for each in samples)
    ranked += ((each.tick, each.at, TURNED, each) for each in turns)
    ranked += ((each.tick, each.at, HAPPENED, each) for each in facts)
    ranked.sort(key=lambda entry: entry[:3])
    return [entry[3] for entry in ranked]


def quotes_of(happening: Happening) -> Iterator[Quote]:
    """What a fact itself says about prices."""
    match happening:
        case Sample(quotes=quotes):
            yield from quotes
        case PositionOpened(position=position):
            yield position.quote
        case PositionIncreased(deal=deal):
            yield deal.quote
        case PositionClosed(fills=fills):
            for fill in fills:
                yield from cited(fill.closed)
        case RuleBreached(positions=positions):
            for held in positions:
                yield from cited(held)


def cited(held: Valued) -> Iterator[Quote]:
    yield held.quote
    yield from (leg.quote for leg in held.conversion)


def exposures(facts: Iterable[AccountEvent]) -> list[Exposed]:
    """When something was open, in ticks."""
    found: list[Exposed] = []
    account: Account | None = None
    since: int | None = None
    for fact in facts:
        account = evolve(account, fact)
        is_exposed = bool(account.positions) and not account.is_over
        if is_exposed and since is None:
            since = fact.tick
        elif not is_exposed and since is not None:
            found.append(Exposed(since, fact.tick))
            since = None
    if since is not None:
        found.append(Exposed(since, None))
    return found


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """Keep the last of each of `most` equal spans of time."""
    if len(points) <= most:
        return list(points)
    first, last = points[0].at, points[-1].at
    span = (last - first) / (most - 1)
    if not span:
        return list(points[-most:])
    kept = {-((first - each.at) // span): each for each in points}  # ceil: 0 is first
    return list(kept.values())
