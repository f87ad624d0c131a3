"""One ordering domain at work: its clock, its gate, its quotes, its day boundaries."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from application.engine.backlog import Backlog
from application.engine.journal import TickBlock
from application.engine.screen import Screen
from application.engine.tick_block import Accepted, Link, Refused, pack
from application.engine.timers import Timers
from domain.account.state import Account
from domain.values.instrument import Instrument
from domain.values.market import Market, Moment, leads, pairs_of
from domain.values.quote import Quote
from domain.values.trading_day import TradingDay
from domain.venue.decider import Listing, Upcoming, upcoming
from domain.venue.events import (
    InstrumentChanged,
    InstrumentListed,
    SymbolQuarantined,
    SymbolReleased,
    VenueEvent,
    VenueOpened,
)
from domain.venue.gate import (
    Admitted,
    GateParameters,
    GateState,
    Price,
    RawQuote,
    Reason,
    admit,
    blaming,
    is_persistent,
    read,
)

FRESH = GateState()
NONE: frozenset[str] = frozenset()


class VenueImage(Struct, frozen=True, kw_only=True):
    """All that a venue remembers beside its accounts, to begin again from."""

    opened: VenueOpened
    version: int
    sequence: int
    clock: datetime
    heard_at: datetime | None  # of the feed, whatever became of the quotes
    link: Link  # where the chain of stored tick blocks ends
    quotes: dict[str, Quote]
    gate_states: dict[str, GateState]
    suspended: tuple[str, ...] = ()  # symbols in quarantine
    specified: tuple[Instrument, ...] = ()  # since it was opened, and in effect
    upcoming: tuple[Upcoming, ...] = ()


class Index(Struct, frozen=True, kw_only=True):
    """What must be known of an account before it is decoded."""

    venue_id: str
    trading_day: TradingDay | None  # None: no day turns for it here
    symbols: frozenset[str]  # whose quotes move it
    trades: tuple[str, ...]  # that are open, and orders that are working
    deadline: datetime | None = None  # of its next timer


class Venue:
    """Changes at once while it is decided; `drop` takes back what is not on disk."""

    def __init__(self, image: VenueImage) -> None:
        opened = image.opened
        self.venue_id = opened.venue_id
        self.owner = opened.owner
        self.opened = opened
        self.gate: GateParameters = opened.gate
        self.screen = Screen()
        self.timers = Timers()
        self.backlog = Backlog()
        self._stale_after = (
            timedelta(seconds=opened.stale_after_seconds)
            if opened.stale_after_seconds is not None
            else None
        )
        self._days: dict[TradingDay, dict[str, None]] = {}
        self._turning: dict[str, TradingDay] = {}  # whose day turns, and how
        self._movers: dict[tuple[str, str, str], frozenset[str]] = {}
        self._boundaries: dict[TradingDay, datetime] = {}
        self.accepted: list[Accepted] = []
        self.refused: list[Refused] = []
        self._restore(image)
        self.shown = image
        self._sealed: VenueImage | None = None
        self.is_touched = False
        self.is_unsaved = True

    @classmethod
    def opening(cls, opened: VenueOpened, version: int) -> "Venue":
        return cls(
            VenueImage(
                opened=opened,
                version=version,
                sequence=0,
                clock=opened.at,
                heard_at=None,
                link=Link(opened.venue_id),
                quotes={},
                gate_states={},
            )
        )

    def _restore(self, image: VenueImage) -> None:
        self.version = image.version
        self.sequence = image.sequence
        self.previous: Quote | None = None  # which the last one taken has replaced
        self.clock = image.clock
        self.heard_at = image.heard_at
        self.link = image.link
        self.quotes = dict(image.quotes)
        self.gate_states = dict(image.gate_states)
        self.suspended = frozenset(image.suspended)
        self.upcoming = image.upcoming
        self._specify(image.specified)
        self.market = self.market_of(self.quotes, self.suspended)

    def _specify(self, specified: tuple[Instrument, ...]) -> None:
        """List what it was opened with, and what has changed since."""
        opened = {each.symbol: each for each in self.opened.instruments}
        pairs = pairs_of(opened)
        for each in specified:
            pair = (each.base, each.currency)
            if each.symbol not in opened and leads(pairs, *pair) is None:
                pairs[pair] = each.symbol  # no way that is known becomes another one
        self.specified = specified
        self.instruments = opened | {each.symbol: each for each in specified}
        self._pairs = pairs
        self._movers.clear()

    def _adopt(self, to: datetime) -> None:
        """What was announced takes effect."""
        due = [each for each in self.upcoming if each.effective_from <= to]
        self.upcoming = self.upcoming[len(due) :]
        specified = {each.symbol: each for each in self.specified}
        specified |= {each.symbol: each.instrument for each in due}
        self._specify(tuple(specified.values()))
        self.market = self.market_of(self.quotes, self.suspended)

    def market_of(
        self, quotes: dict[str, Quote], suspended: frozenset[str] = NONE
    ) -> Market:
        return Market(
            self.instruments, quotes, self._pairs, self._stale_after, suspended
        )

    def moment(self) -> Moment:
        return Moment(self.clock, self.sequence, self.market, self.previous)

    def kept_moment(self) -> Moment:
        """The same, whatever is quoted later."""
        market = replace(self.market, quotes=dict(self.quotes))
        return Moment(self.clock, self.sequence, market, self.previous)

    def shown_moment(self) -> Moment:
        """As queries may see it: nothing that is not on disk yet."""
        image = self.shown
        market = self.market_of(image.quotes, frozenset(image.suspended))
        return Moment(image.clock, image.sequence, market)

    def advance(self, to: datetime) -> None:
        """Engine time never goes back."""
        if to > self.clock:
            self.clock = to
            self.is_touched = True
        if self.upcoming and self.upcoming[0].effective_from <= self.clock:
            self._adopt(self.clock)

    def take(self, raw: RawQuote) -> Quote | Reason:
        """Gate the quote; give it the next number, or the reason it gets none."""
        self.is_touched = True
        self.heard_at = self.clock
        instrument = self.instruments.get(raw.symbol)
        state = self.gate_states.get(raw.symbol, FRESH)
        verdict = admit(raw, instrument, state, self.clock, self.gate)
        if verdict.state is not state:
            self.gate_states[raw.symbol] = verdict.state
        if not isinstance(verdict, Admitted):
            self.refused.append(Refused(raw, verdict.reason, self.clock, self.sequence))
            return verdict.reason
        price = verdict.price
        self.sequence += 1
        quote = Quote(raw.symbol, price.bid, price.ask, self.sequence, price.at)
        self.previous = self.quotes.get(raw.symbol)
        self.accepted.append(Accepted(quote, self.clock, raw.source_at, raw.source))
        self.quotes[raw.symbol] = quote
        self._believe(raw.symbol)
        return quote

    def has_just_failed(self, symbol: str) -> int:
        """After how many faults in a row it goes into quarantine; 0: not now."""
        state = self.gate_states.get(symbol, FRESH)
        is_over_it = is_persistent(state, self.gate) and symbol not in self.suspended
        return state.faults if is_over_it else 0

    @property
    def listing(self) -> Listing:
        return Listing(self.instruments, self.upcoming, self.suspended)

    def hear(self, fact: VenueEvent) -> None:
        """Fold what was decided about what it lists and believes."""
        match fact:
            case SymbolQuarantined():
                self._doubt(self.suspended | {fact.symbol})
            case SymbolReleased():  # the next quote is believed as a first one
                self.gate_states[fact.symbol] = GateState(released_at=fact.at)
            case InstrumentListed() | InstrumentChanged():
                self.upcoming = upcoming(self.upcoming, fact)
                self.advance(self.clock)
            case _:
                pass
        self.is_touched = True

    def _believe(self, symbol: str) -> None:
        if symbol in self.suspended:
            self._doubt(self.suspended - {symbol})

    def _doubt(self, symbols: frozenset[str]) -> None:
        self.suspended = symbols
        self.market = self.market_of(self.quotes, symbols)
        self.is_touched = True

    def repeat(self, quote: Quote, engine_time: datetime) -> None:
        """Apply a quote from the tick log again, when starting."""
        self.sequence = quote.sequence
        self.previous = self.quotes.get(quote.symbol)
        self.quotes[quote.symbol] = quote
        last = Price(quote.bid, quote.ask, quote.at)
        known = self.gate_states.get(quote.symbol, FRESH)
        is_same = known.last is not None and (known.last.bid, known.last.ask) == (
            quote.bid,
            quote.ask,
        )
        since = known.unchanged_since if is_same else quote.at
        self.gate_states[quote.symbol] = GateState(last=last, unchanged_since=since)
        self._believe(quote.symbol)
        self.advance(engine_time)

    def repeat_refusal(self, refused: Refused) -> None:
        """Remember a quote from the tick log that was turned away, when starting."""
        symbol = refused.raw.symbol
        if (instrument := self.instruments.get(symbol)) is None:
            return
        jump = read(refused.raw, instrument)
        self.gate_states[symbol] = blaming(
            refused.reason,
            jump if isinstance(jump, Price) else None,
            self.gate_states.get(symbol, FRESH),
            refused.engine_time,
        )

    def index(self, account: Account) -> Index:
        return Index(
            venue_id=self.venue_id,
            trading_day=account.phase.trading_day if account.is_led_by_venue else None,
            symbols=self.symbols(account),
            trades=names_of(account),
            deadline=account.next_deadline,
        )

    def follow(self, account: Account) -> None:
        """Take note of an account: what moves it, when its day turns or time ends."""
        self.screen.anchor(account.account_id, self.symbols(account))
        self.timers.set(account.account_id, account.next_deadline)
        if account.is_led_by_venue:
            self._turns(account.account_id, account.phase.trading_day)
        else:
            self._let_go(account.account_id)

    def symbols(self, account: Account) -> frozenset[str]:
        """Whose quotes move the account's equity or fill its orders."""
        currency, movers = account.currency, NONE
        for held in account.positions:
            key = (held.symbol, held.currency, currency)
            moving = self._movers.get(key)
            if moving is None:
                path = self.market.path(held.currency, currency)
                moving = frozenset((held.symbol, *(symbol for symbol, _ in path)))
                self._movers[key] = moving
            movers = movers | moving if movers else moving
        if account.orders:
            movers |= {order.symbol for order in account.orders}
        return movers

    def follow_saved(
        self,
        account_ids: Sequence[str],
        day: TradingDay | None,
        symbols: frozenset[str],
        deadlines: Iterable[tuple[str, datetime]],
    ) -> None:
        """The same, for many accounts at once that nobody has decoded yet."""
        self.screen.expose(account_ids, symbols)
        for account_id, deadline in deadlines:
            self.timers.set(account_id, deadline)
        if day is not None:
            self._turning.update(dict.fromkeys(account_ids, day))
            self._turned_by(day).update(dict.fromkeys(account_ids))

    def unfollow(self, account: Account) -> None:
        """Its opening was never stored."""
        self.screen.forget(account.account_id)
        self.timers.set(account.account_id, None)
        self._let_go(account.account_id)

    def _turns(self, account_id: str, day: TradingDay) -> None:
        if account_id in self._turning:
            return
        self._turning[account_id] = day
        self._turned_by(day)[account_id] = None

    def _turned_by(self, day: TradingDay) -> dict[str, None]:
        if day not in self._days:
            self._days[day] = {}
            self._boundaries[day] = day.next_after(self.clock)
        return self._days[day]

    def _let_go(self, account_id: str) -> None:
        day = self._turning.pop(account_id, None)
        if day is not None:
            self._days[day].pop(account_id, None)
            if not self._days[day]:
                del self._days[day], self._boundaries[day]

    def due(self, until: datetime) -> tuple[datetime, TradingDay] | None:
        """The earliest boundary at or before `until` that has not passed yet."""
        if not self._boundaries:
            return None
        at, day = min(
            ((at, day) for day, at in self._boundaries.items()),
            key=lambda each: (each[0], each[1].zone, each[1].turns_at),
        )
        return (at, day) if at <= until else None

    def turn(self, at: datetime, day: TradingDay) -> tuple[str, ...]:
        """A boundary passes: whose day turns with it."""
        self.advance(at)
        if day not in self._days:  # whose it was had ended, but was judged later
            return ()
        self._boundaries[day] = day.next_after(at)
        return tuple(self._days[day])

    def close_block(self) -> TickBlock | None:
        """What was quoted since the last block, accepted and refused."""
        if not self.accepted and not self.refused:
            return None
        digits = {symbol: each.digits for symbol, each in self.instruments.items()}
        block = pack(self.link, self.accepted, self.refused, digits)
        self.link = Link.of(block)
        return block

    def seal(self) -> None:
        """The batch is complete: what comes now belongs to the next."""
        self.backlog.seal()
        if not self.is_touched:
            return
        self._sealed = VenueImage(
            opened=self.opened,
            version=self.version,
            sequence=self.sequence,
            clock=self.clock,
            heard_at=self.heard_at,
            link=self.link,
            quotes=dict(self.quotes),
            gate_states=dict(self.gate_states),
            suspended=tuple(sorted(self.suspended)),
            specified=self.specified,
            upcoming=self.upcoming,
        )
        self.accepted.clear()
        self.refused.clear()
        self.is_touched = False

    def settle(self) -> None:
        """The sealed batch is on disk: show it."""
        self.backlog.settle()
        if self._sealed is None:
            return
        self.shown, self._sealed = self._sealed, None
        self.is_unsaved = True

    def drop(self) -> Iterable[str]:
        """Nothing newer is on disk: fall back to what is. Whose timers are in doubt?"""
        self._sealed = None
        undone = self.backlog.drop()
        self._restore(self.shown)
        self._boundaries = {day: day.next_after(self.clock) for day in self._boundaries}
        self.accepted.clear()
        self.refused.clear()
        self.is_touched = False
        return undone


def names_of(account: Account) -> tuple[str, ...]:
    """Of its open trades and working orders: by these it is asked for."""
    trades = tuple(held.trade_id for held in account.positions)
    if not account.orders:
        return trades
    return (*trades, *(order.order_id for order in account.orders))
