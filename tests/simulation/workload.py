"""What traders, a feed and the house ask for, by seed."""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID, uuid5

from msgspec import Struct, msgpack
from msgspec.structs import replace

from application.engine.asks import (
    AdvanceClock,
    Ask,
    Command,
    OpenVenue,
    SentQuote,
    TakeQuotes,
    VenueCommand,
)
from application.engine.parking import decision_id, retry_id
from application.parked import RetryParked, SkipParked
from application.views.parked import ParkedView
from domain.account.commands import ClosePosition, OpenPosition
from domain.challenge.decider import PurchaseChallenge, account_of
from domain.plan.decider import ActivatePlan, DraftPlan
from domain.plan.events import PlanDrafted, Size
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.daily_loss import DayAnchor
from domain.rules.inactivity import Activity, Inactivity, Since
from domain.rules.limit import Comparator, Evaluated, Measured
from domain.rules.max_loss import Follows
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import Phase, Rule
from domain.rules.profit_target import Basis
from domain.rules.span import Span, Unit
from domain.rules.terms import ADJUDICATOR, Terms
from domain.rules.time_limit import Start, TimeLimit
from domain.rules.trading_terms import HOUSE_STANDARD, TradingTerms
from domain.values.instrument import Instrument
from domain.values.quote import Side
from domain.values.trading_day import TradingDay
from domain.venue.gate import LIVE_GATE, SANDBOX_ORDER_GATE
from domain.venue.standard_instruments import (
    FX_WEEK,
    LIVE_INSTRUMENTS,
    NIGHTLY_PAUSE,
)
from tests.simulation.realm import Realm
from tests.stories.facts import (
    DAILY_LOSS,
    DAILY_PAUSE,
    FREE_MARKETS,
    MAX_LOSS,
    MONDAY,
    PRAGUE,
    TARGET,
    TRAILING,
)
from tests.stories.plans import document_of

NAMES: Final = UUID("2b9a7c55-1e0d-5b6a-8a43-9f10c1de77a1")
LIVE: Final = "live"
SANDBOXES: Final = {"sb-1": "trader-1", "sb-2": "trader-2"}
TRADERS: Final = ("trader-1", "trader-2", "trader-3", "trader-4")
PRICES: Final = {
    "XAUUSD": (Decimal(2000), Decimal("0.01"), Decimal("0.30")),
    "EURUSD": (Decimal("1.10000"), Decimal("0.00001"), Decimal("0.00010")),
    "USDJPY": (Decimal("150.000"), Decimal("0.001"), Decimal("0.010")),
    "EURJPY": (Decimal("165.000"), Decimal("0.001"), Decimal("0.015")),
}
"""First bid, point, spread."""
SYMBOLS: Final = tuple(PRICES)
NONSENSE: Final = ("0", "-1", "NaN", "1e3", "2000.123456", "")
HOURS: Final = {"XAUUSD": NIGHTLY_PAUSE, "USDJPY": FX_WEEK}
BELIEVING_GATE = replace(LIVE_GATE, quarantine_after=None)  # stories know quarantine


def with_hours(instruments: Iterable[Instrument]) -> tuple[Instrument, ...]:
    """Some close at night, some at weekends, and some never."""
    return tuple(
        replace(each, sessions=HOURS.get(each.symbol, "always"))
        for each in instruments
        if each.symbol in PRICES
    )


LISTED: Final = with_hours(FREE_MARKETS)
LISTED_LIVE: Final = with_hours(LIVE_INSTRUMENTS)
NEW_YORK: Final = TradingDay("America/New_York", "17:00")
TWO: Final = replace(TARGET, percent=Decimal(2))
A_LITTLE: Final = Allowance(AmountBasis.SHARE_OF_DEPOSIT, Decimal(2))
OF_THE_ANCHOR: Final = Allowance(AmountBasis.SHARE_OF_ANCHOR, Decimal("1.5"))
PAUSE: Final = replace(DAILY_PAUSE, allowance=A_LITTLE)
DAY_TRAIL: Final = replace(
    DAILY_LOSS, id="day-trail", measured_from=DayAnchor.PEAK_EQUITY
)
SOFT_DAY_TRAIL: Final = replace(PAUSE, id="soft", measured_from=DayAnchor.PEAK_EQUITY)
END_OF_DAY: Final = replace(
    DAILY_LOSS,
    id="eod",
    allowance=OF_THE_ANCHOR,
    evaluated=Evaluated.END_OF_DAY,
    measured=Measured.LOWER_OF_BOTH,
    measured_from=DayAnchor.HIGHER_OF_BOTH,
)
LOCKED: Final = replace(
    TRAILING,
    id="locked",
    follows=Follows.HIGHER_OF_BOTH,
    comparator=Comparator.AT_OR_BELOW,
    lock=Decimal(100),
)
CLOSING: Final = replace(TRAILING, id="closing", follows=Follows.CLOSE_HIGHER_OF_BOTH)
BY_EQUITY: Final = replace(TWO, basis=Basis.EQUITY, needs_flat=False)
IN_TIME: Final = TimeLimit(
    id="in-time", after=Span(Unit.ELAPSED, 12), start=Start.ACTIVATION
)
IN_USE: Final = Inactivity(
    id="in-use",
    activity=Activity.FILLED,
    warn=Span(Unit.ELAPSED, 1),
    after=Span(Unit.ELAPSED, 4),
    since=Since.ACTIVITY,
)
SIZE: Final = Size(deposit=Decimal("100000.00"), price=Decimal("540.00"))


STRICT: Final = replace(HOUSE_STANDARD, margin_call=Decimal(600), stop_out=Decimal(450))


def phase(
    name: str,
    *rules: Rule,
    day: TradingDay = PRAGUE,
    trading: TradingTerms | None = None,
) -> Phase:
    return Phase(name=name, trading_day=day, rules=rules, trading=trading)


def plan(plan_id: str, *phases: Phase) -> PlanDrafted:
    terms = Terms(adjudicator=ADJUDICATOR, currency="USD", phases=phases)
    return PlanDrafted(
        at=MONDAY,
        plan_id=plan_id,
        version=1,
        name=plan_id,
        sizes=(SIZE,),
        terms=terms,
        terms_hash=terms.hash,
    )


PLANS: Final = (
    plan(
        "two-steps",
        phase("evaluation", MAX_LOSS, PAUSE, TWO),
        phase("verification", TRAILING, DAY_TRAIL, TWO),
        phase("funded", MAX_LOSS, CLOSING),
    ),
    plan(
        "fast",
        phase(
            "evaluation",
            TRAILING,
            SOFT_DAY_TRAIL,
            BY_EQUITY,
            day=NEW_YORK,
            trading=STRICT,
        ),
        phase(
            "verification",
            LOCKED,
            END_OF_DAY,
            BY_EQUITY,
            day=NEW_YORK,
            trading=HOUSE_STANDARD,
        ),
    ),
    plan(
        "slow",
        phase(
            "evaluation",
            LOCKED,
            PAUSE,
            TWO,
            MinimumDays(id="days", days=2),
            IN_TIME,
            IN_USE,
            trading=STRICT,
        ),
        phase("funded", DAY_TRAIL, MAX_LOSS, IN_USE, day=NEW_YORK, trading=STRICT),
    ),
)


class Trade(Struct):
    account_id: str
    trade_id: str
    client_order_id: str | None


class Trader:
    """Remembers what it has been told, and asks for what it likes."""

    def __init__(
        self,
        name: str,
        venue_id: str,
        random: Random,
        realm: Realm,
    ) -> None:
        self.name, self.venue_id, self.realm = name, venue_id, realm
        self._random = random
        self._model = realm.model
        self._count = 0
        self.clock = MONDAY  # of its sandbox, as far as it has moved it
        self.prices = {symbol: first for symbol, (first, _, _) in PRICES.items()}
        self.accounts: list[str] = []
        self.trades: deque[Trade] = deque(maxlen=40)
        self.quoted: SentQuote | None = None

    def next(self) -> Ask:
        chance = self._random.random()
        is_sandbox = self.venue_id != LIVE
        trading = len(self._trading())
        if not self.accounts or chance < (0.01 if trading > 1 else 0.2):
            return self._purchase()
        if is_sandbox and chance < 0.43:
            return self._quote()
        if is_sandbox and chance < (0.46 if trading > 1 else 0.8):
            return self._advance()
        if self.trades and chance > 0.75:
            return self._close()
        return self._open()

    def named(self, kind: str) -> str:
        self._count += 1
        return f"{self.name}-{kind}-{self._count}"

    def _ask(self, stream: str, command: Command | VenueCommand) -> Ask:
        request = self.named("request")
        return Ask(
            stream=stream,
            command=command,
            actor=self.name,
            owner=self.name,
            request_id=request,
            command_id=UUID(int=self._random.getrandbits(128)),
            request_hash=request.encode(),
            is_kept=self._random.random() < 0.85,
        )

    def _purchase(self) -> Ask:
        challenge_id = str(uuid5(NAMES, self.named("challenge")))
        sold = self._random.choice(PLANS)
        phases = sold.terms.phases
        self.accounts += [account_of(challenge_id, each.name) for each in phases]
        del self.accounts[:-18]
        command = PurchaseChallenge(
            challenge_id=challenge_id,
            order_id=f"order-of-{challenge_id}",
            trader_id=self.name,
            venue_id=self.venue_id,
            plan=sold,
            size=SIZE,
            payment="paid",
        )
        return self._ask(f"challenge-{challenge_id}", command)

    def _account(self) -> str:
        """Mostly one that trades, sometimes one that does not yet or no more."""
        wanted = self._trading() if self._random.random() < 0.9 else self.accounts
        return self._random.choice(wanted or self.accounts)

    def _trading(self) -> list[str]:
        accounts = self._model.accounts
        return [
            each
            for each in self.accounts
            if each in accounts
            and not (accounts[each]["ended"] or accounts[each]["paused"])
        ]

    def _open(self) -> Ask:
        random = self._random
        account_id = self._account()
        symbol, side = random.choice(SYMBOLS), random.choice(list(Side))
        trade_id, client_order_id = self.named("trade"), None
        if random.random() < 0.3:
            client_order_id = self.named("order")
            before = [t for t in self.trades if t.account_id == account_id]
            if before and random.random() < 0.3:
                client_order_id = random.choice(before).client_order_id
        if random.random() < 0.02:
            client_order_id = self.named("poison")
        price, step = self.prices[symbol], PRICES[symbol][2] * 20
        sign = 1 if side is Side.BUY else -1
        stop = price - sign * step * random.randint(1, 9)
        target = price + sign * step * random.randint(1, 9)
        command = OpenPosition(
            trade_id=trade_id,
            order_id=f"order-of-{trade_id}",
            client_order_id=client_order_id,
            symbol=symbol,
            side=side,
            quantity=Decimal(random.choice(("0.10", "1.00", "3.00", "3.00", "60.00"))),
            stop_loss=stop if random.random() < 0.3 else None,
            take_profit=target if random.random() < 0.3 else None,
        )
        self.trades.append(Trade(account_id, trade_id, client_order_id))
        ask = self._ask(f"account-{account_id}", command)
        if client_order_id is not None:
            natural = uuid5(NAMES, f"{account_id} {client_order_id}")
            ask = replace(ask, natural_id=natural)
        return ask

    def _close(self) -> Ask:
        random = self._random
        known = self._model.trades
        still = [
            each
            for each in self.trades
            if each.trade_id in known and known[each.trade_id]["closed_at"] is None
        ]
        wanted = still if still and random.random() < 0.9 else self.trades
        trade = random.choice(wanted)
        quantity = Decimal("0.05") if random.random() < 0.4 else None
        command = ClosePosition(trade_id=trade.trade_id, quantity=quantity)
        return self._ask(f"account-{trade.account_id}", command)

    def _advance(self) -> Ask:
        hours = self._random.choice((-1, 0, 1, 5, 9, 24, 60))
        to = self.clock + timedelta(hours=hours)
        self.clock = max(self.clock, to)
        command = AdvanceClock(venue_id=self.venue_id, to=to)
        return self._ask(f"venue-{self.venue_id}", command)

    def _quote(self) -> Ask:
        minutes = self._random.choice((0, 0, 0, 1, 30, 300))
        self.clock += timedelta(minutes=minutes)
        many = self._random.choice((1, 1, 1, 2, 3))
        quotes = tuple(self.quote(self.clock) for _ in range(many))
        command = TakeQuotes(venue_id=self.venue_id, quotes=quotes)
        return self._ask(f"venue-{self.venue_id}", command)

    def quote(self, at: datetime | None) -> SentQuote:
        """Mostly the next step of a price; now and then what a gate is there for."""
        random = self._random
        symbol = random.choice(SYMBOLS)
        first, point, spread = PRICES[symbol]
        steps = random.choice((-40, -12, -3, -1, 0, 1, 3, 12, 40))
        moved = self.prices[symbol] + steps * spread
        if abs(moved - first) > first / 5:
            moved = first
        self.prices[symbol] = moved = moved.quantize(point)
        sent = SentQuote(symbol=symbol, bid=str(moved), ask=str(moved + spread), at=at)
        chance = random.random()
        if chance < 0.02:
            sent = replace(sent, bid=random.choice(NONSENSE))
        elif chance < 0.04:
            sent = replace(sent, ask=str(moved - spread))
        elif chance < 0.05:
            sent = replace(sent, symbol="NOTHING")
        elif chance < 0.06 and at is not None:
            sent = replace(sent, at=at - timedelta(hours=2))
        elif chance < 0.08 and self.quoted is not None:
            sent = self.quoted
        elif chance < (0.10 if at is None else 0.081):  # a spike, where that is seen
            sent = replace(sent, bid=str(moved * 2), ask=str(moved * 2 + spread))
        self.quoted = sent
        return sent


class Operator:
    """Decides about what is parked in one realm."""

    def __init__(self, realm: Realm, random: Random) -> None:
        self.realm = realm
        self._random = random
        self._count = 0

    def decision(self, item: ParkedView) -> Ask:
        return self.retry(item) if self._random.random() < 0.7 else self.skip(item)

    def retry(self, item: ParkedView) -> Ask:
        partition, parked_id = self.realm.name, int(item.id)
        if body := self.realm.database.partition.parked[parked_id].body:
            first = str(msgpack.decode(body, type=Ask).command_id)
            again = str(retry_id(partition, parked_id))
            self.realm.answers.retried[first].add(again)
        return self._ask(RetryParked(parked_id=parked_id, kind=item.kind))

    def skip(self, item: ParkedView) -> Ask:
        return self._ask(SkipParked(parked_id=int(item.id), reason="in a simulation"))

    def _ask(self, command: RetryParked | SkipParked) -> Ask:
        self._count += 1
        request = f"operator-of-{self.realm.name}-{self._count}"
        return Ask(
            stream=f"parked-{command.parked_id}",
            command=command,
            actor="an-operator",
            owner="an-operator",
            request_id=request,
            command_id=uuid5(NAMES, request),
            request_hash=request.encode(),
            is_kept=self._random.random() < 0.85,
            natural_id=decision_id(self.realm.name, command),
        )


def plans() -> Iterator[Ask]:
    for number, sold in enumerate(PLANS):
        document = document_of(sold.name, sold.sizes, sold.terms)
        draft = DraftPlan(plan_id=sold.plan_id, document=document)
        activate = ActivatePlan(plan_id=sold.plan_id, version=1)
        stream = f"plan-{sold.plan_id}"
        yield by_the_house(stream, draft, number)
        yield by_the_house(stream, activate, number)


def venue(venue_id: str) -> Iterator[Ask]:
    """It opens, and everything has a price."""
    yield opening(venue_id, SANDBOXES.get(venue_id))
    quotes = tuple(
        SentQuote(symbol=symbol, bid=str(bid), ask=str(bid + spread))
        for symbol, (bid, _, spread) in PRICES.items()
    )
    take = TakeQuotes(venue_id=venue_id, quotes=quotes)
    yield by_the_house(f"venue-{venue_id}", take, 0)


def opening(venue_id: str, owner: str | None) -> Ask:
    is_live = venue_id == LIVE
    command = OpenVenue(
        venue_id=venue_id,
        owner=owner,
        starts_at=MONDAY,
        instruments=LISTED_LIVE if is_live else LISTED,
        gate=BELIEVING_GATE if is_live else SANDBOX_ORDER_GATE,
        stale_after_seconds=60 if is_live else None,
    )
    return by_the_house(f"venue-{venue_id}", command, 0)


def by_the_house(stream: str, command: Command | VenueCommand, number: int) -> Ask:
    request = f"{stream} {type(command).__name__} {number}"
    return Ask(
        stream=stream,
        command=command,
        actor="the-house",
        owner=None,
        request_id=request,
        command_id=uuid5(NAMES, request),
    )
