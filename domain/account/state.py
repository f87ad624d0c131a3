"""What an account is: the fold of its events and of what the venue saw."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.account.book import after_netting, book_after, remaining
from domain.account.bridge import Bridge, resumed, take
from domain.account.events import (
    AccountEvent,
    AccountExpired,
    AccountObserved,
    AccountOpened,
    AccountQuarantined,
    AccountScaled,
    AccountWarned,
    BreachAnnulled,
    BreachConfirmed,
    BreachDismissed,
    CapitalEvent,
    FlowPosted,
    MarginCalled,
    MarginRestored,
    NegativeBalanceCleared,
    ObjectivesMet,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    OrderTriggered,
    PayoutHeld,
    PayoutReleased,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    PositionProtected,
    ReviewEvent,
    RuleBreached,
    Swap,
    SwapAccrued,
    SwapPosted,
)
from domain.account.flow import Flow, FlowKind, Held
from domain.account.margin import held_margin
from domain.account.order import Order
from domain.account.position import Fill, Position, added
from domain.account.recording import after_closing, after_opening, after_swap
from domain.rules.adjudicate import (
    Verdict,
    next_deadline,
    raised,
    silenced,
    turned,
    warned,
)
from domain.rules.marks import Mark, Marks
from domain.rules.phase import Phase
from domain.rules.record import Record
from domain.rules.standing import Standing
from domain.values.market import Market, Moment
from domain.values.money import Money

NOTHING = Decimal(0)

Charge = (
    SwapPosted | SwapAccrued | NegativeBalanceCleared | MarginCalled | MarginRestored
)


class Status(StrEnum):
    ACTIVE = "active"
    PASSED = "passed"
    BREACHED = "breached"
    EXPIRED = "expired"
    UNDER_REVIEW = "under_review"  # an observed breach waits to be looked at
    FROZEN = "frozen"  # neither judged nor traded until somebody has looked


class Account(Struct, frozen=True, kw_only=True):
    account_id: str
    trader_id: str
    challenge_id: str | None
    venue_id: str
    phase: Phase
    terms_hash: str
    opened_at: datetime
    balance: Money
    marks: Marks
    record: Record
    positions: tuple[Position, ...] = ()
    days_traded: frozenset[date] = frozenset()
    paused: frozenset[str] = frozenset()
    status: Status = Status.ACTIVE
    closing: frozenset[str] = frozenset()  # trades that must close, and wait to fill
    bridge: Bridge | None = None  # None: it trades here, by its venue's clock
    is_called: bool = False  # for more margin, and not above that level since
    flows: tuple[Flow, ...] = ()
    held: tuple[Held, ...] = ()  # payouts that wait to be approved
    policy_version: int = 1  # of its own terms; scaling makes another
    orders: tuple[Order, ...] = ()  # that wait for their price, the oldest first

    @property
    def is_over(self) -> bool:
        return self.status is not Status.ACTIVE

    @property
    def is_led_by_venue(self) -> bool:
        """Days turn and timers run by the venue's clock, not by what is observed."""
        return self.status is Status.ACTIVE and self.bridge is None

    def now(self, moment: Moment) -> datetime:
        """By its own time: the venue's, or that of what was last observed."""
        course = self.bridge.course if self.bridge is not None else None
        return moment.at if course is None else course.now

    @property
    def currency(self) -> str:
        return self.balance.currency

    @property
    def margin(self) -> Money:
        used = held_margin(self.positions, self.phase.trading)
        return Money.rounded(used, self.currency)

    def equity(self, market: Market) -> Money:
        return Money(self.worth(market), self.currency)

    def worth(self, market: Market) -> Decimal:
        """The amount of `equity`, for those who only compare it."""
        if self.bridge is not None and self.observed is not None:
            return self.observed.equity.amount
        worth, currency = self.balance.amount, self.currency
        for each in self.positions:
            worth += each.gain(market, currency)
            if each.accrued is not None:
                worth += each.accrued.amount
        return worth

    def free_margin(self, market: Market) -> Decimal:
        return self.worth(market) - held_margin(self.positions, self.phase.trading)

    @property
    def observed(self) -> Standing | None:
        """What was last reported of it from outside."""
        if self.bridge is None or self.bridge.course is None:
            return None
        return self.bridge.course.standing

    def standing(self, market: Market) -> Standing:
        if self.bridge is not None and self.observed is not None:
            return self.observed
        return Standing(
            balance=self.balance,
            equity=self.equity(market),
            marks=self.marks,
            record=self.record,
            trading_days=len(self.days_traded),
            is_flat=not self.positions,
            paused=self.paused,
        )

    @property
    def next_deadline(self) -> datetime | None:
        """When a timer of its terms or an order runs out, or swap falls due."""
        if not self.is_led_by_venue:
            return None
        deadline = None
        if self.phase.timers:
            deadline = next_deadline(self.phase, self.opened_at, self.record)
        for each in self.positions:
            at = each.rolls_at
            if at is not None and (deadline is None or at < deadline):
                deadline = at
        for order in self.orders:
            at = order.expires_at
            if at is not None and (deadline is None or at < deadline):
                deadline = at
        return deadline

    def symbols(self, market: Market) -> frozenset[str]:
        """Whose quotes move the equity: what is held, and what converts it."""
        touched = {each.symbol for each in self.positions}
        for currency in {each.currency for each in self.positions}:
            touched.update(symbol for symbol, _ in market.path(currency, self.currency))
        return frozenset(touched)

    def followed(self, market: Market) -> frozenset[str]:
        """Whose quotes it takes notice of: orders wait for some besides."""
        return self.symbols(market) | {each.symbol for each in self.orders}


def applied(account: Account | None, event: AccountEvent, moment: Moment) -> Account:
    """Fold a fact where it belongs: each one may lift a mark, a realised gain say."""
    return observe(evolve(account, event), moment)


def observe(account: Account, moment: Moment) -> Account:
    """Raise the marks to what stands; judging comes after, elsewhere."""
    if not account.is_led_by_venue:
        return account
    account = trailed(account, moment.market)
    seen = raised(account.standing(moment.market), moment.tick, moment.at)
    return marked(account, seen)


def trailed(account: Account, market: Market) -> Account:
    """Trailing stops are marks too: they follow the price with every tick."""
    for each in account.positions:
        if each.trailing is not None:
            break
    else:  # as almost always
        return account
    before = account.positions
    after = tuple(each.trailed(market.quote(each.symbol)) for each in before)
    return account if after == before else replace(account, positions=after)


def turn(account: Account, moment: Moment) -> Account:
    """A day boundary has passed: new anchors, and every pause ends."""
    if not account.is_led_by_venue:
        return account
    standing = account.standing(moment.market)
    return marked(account, turned(account.phase, standing, moment.tick, moment.at))


def marked(account: Account, standing: Standing) -> Account:
    if standing.marks is account.marks and standing.paused == account.paused:
        return account
    return replace(
        account, marks=standing.marks, record=standing.record, paused=standing.paused
    )


def evolve(account: Account | None, event: AccountEvent) -> Account:
    if account is None:
        assert isinstance(event, AccountOpened)
        return opened(event)
    account = evolved(account, event)
    return account if account.bridge is None else mirrored(account)


def mirrored(account: Account) -> Account:
    """How an observed account stands, its observations say, not what was told of them.

    A pause that was told may have ended among the very observations that began it.
    """
    assert account.bridge is not None
    course = account.bridge.course
    if course is None:
        return account
    return replace(
        account,
        opened_at=course.began,
        balance=course.standing.balance,
        marks=course.standing.marks,
        record=course.standing.record,
        days_traded=course.days,
        paused=course.standing.paused,
    )


def evolved(account: Account, event: AccountEvent) -> Account:  # noqa: C901, PLR0911, PLR0912 - a case an event
    match event:
        case AccountOpened():
            return opened(event)
        case PositionOpened():
            return replace(
                account,
                balance=event.balance,
                orders=remaining(account.orders, event.position.order_id),
                positions=(*account.positions, event.position),
                days_traded=account.days_traded | {event.trading_day},
                record=after_opening(
                    account.record, account.phase, account.balance, event
                ),
            )
        case PositionIncreased(position=position):
            return replace(
                account,
                balance=event.balance,
                orders=remaining(account.orders, event.deal.order_id),
                positions=tuple(
                    position if each.trade_id == position.trade_id else each
                    for each in account.positions
                ),
                days_traded=account.days_traded | {event.trading_day},
                record=after_opening(
                    account.record, account.phase, account.balance, event
                ),
            )
        case PositionClosed():
            left = after(account.positions, event.fills)
            closing = account.closing & {each.trade_id for each in left}
            return replace(
                account,
                positions=left,
                orders=after_netting(account.orders, event),
                closing=closing,
                balance=event.balance,
                record=after_closing(
                    account.record, account.phase, account.positions, event
                ),
            )
        case RuleBreached():
            verdict = Verdict(breaches=event.breaches)
            return replace(
                account,
                status=sentence(event) if verdict.is_hard else account.status,
                paused=account.paused | silenced(event.breaches),
                closing=trades(account),
            )
        case AccountWarned():
            return replace(account, record=warned(account.record, event.struck))
        case AccountExpired():
            return replace(account, status=Status.EXPIRED, closing=trades(account))
        case AccountQuarantined():
            return replace(account, status=Status.FROZEN)
        case (
            SwapPosted()
            | SwapAccrued()
            | NegativeBalanceCleared()
            | MarginCalled()
            | MarginRestored()
        ):
            return charged(account, event)
        case ObjectivesMet():
            return replace(account, status=Status.PASSED, closing=trades(account))
        case AccountObserved():
            assert account.bridge is not None
            deposit = account.marks.deposit.amount
            taken = take(account.bridge, account.phase, deposit, event.observations)
            return replace(account, bridge=taken[0])
        case OrderPlaced() | OrderChanged() | OrderTriggered() | OrderCancelled():
            return replace(account, orders=book_after(account.orders, event))
        case PositionProtected():
            return replace(account, positions=protected(account.positions, event))
        case _:
            return funded(account, event)


def sentence(event: RuleBreached) -> Status:
    return Status.UNDER_REVIEW if event.opens_review else Status.BREACHED


def funded(account: Account, event: CapitalEvent | ReviewEvent) -> Account:
    match event:
        case FlowPosted():
            return flowed(account, event)
        case AccountScaled():
            return scaled(account, event)
        case PayoutHeld():
            held = Held(payout_id=event.payout_id, amount=event.amount)
            return replace(account, held=(*account.held, held))
        case PayoutReleased():
            return replace(account, held=without(account.held, event.payout_id))
        case _:
            return reviewed(account, event)


def reviewed(account: Account, event: ReviewEvent) -> Account:
    match event:
        case BreachAnnulled():
            return replace(
                account,
                status=Status.ACTIVE,
                balance=event.balance,
                marks=event.marks,
                record=event.record,
                paused=frozenset(event.paused),
            )
        case BreachConfirmed():
            return replace(account, status=Status.BREACHED)
        case BreachDismissed():
            assert account.bridge is not None
            return replace(
                account, status=Status.ACTIVE, bridge=resumed(account.bridge)
            )
        case _:
            assert_never(event)


def charged(account: Account, event: Charge) -> Account:
    match event:
        case SwapPosted():
            return replace(
                account,
                positions=tuple(posted(account.positions, event)),
                balance=event.balance,
                record=after_swap(
                    account.record, account.phase, account.balance, event
                ),
            )
        case SwapAccrued():
            return replace(account, positions=tuple(accrued(account.positions, event)))
        case NegativeBalanceCleared():
            return replace(account, balance=event.balance)
        case MarginCalled():
            return replace(account, is_called=True)
        case MarginRestored():
            return replace(account, is_called=False)
        case _:
            assert_never(event)


def opened(event: AccountOpened) -> Account:
    return Account(
        account_id=event.account_id,
        trader_id=event.trader_id,
        challenge_id=event.challenge_id,
        venue_id=event.venue_id,
        phase=event.phase,
        terms_hash=event.terms_hash,
        opened_at=event.at,
        balance=event.deposit,
        marks=Marks.at_opening(Mark(event.deposit, event.tick, event.at)),
        record=Record.beginning(event.at, event.phase.trading_day, event.deposit),
        bridge=Bridge(terms=event.bridge) if event.bridge is not None else None,
    )


def flowed(account: Account, event: FlowPosted) -> Account:
    flow = Flow(
        flow_id=event.flow_id,
        kind=event.kind,
        amount=event.amount,
        at=event.at,
        tick=event.tick,
    )
    how = account.phase.flow_marks
    return replace(
        account,
        balance=event.balance,
        marks=account.marks.flowed(event.amount, how, event.tick, event.at),
        flows=(*account.flows, flow),
        held=without(account.held, event.flow_id),
    )


def scaled(account: Account, event: AccountScaled) -> Account:
    flow = Flow(
        flow_id=event.flow_id,
        kind=FlowKind.SCALING,
        amount=event.amount,
        at=event.at,
        tick=event.tick,
    )
    phase = event.phase or account.phase
    how = phase.flow_marks
    return replace(
        account,
        balance=event.balance,
        marks=account.marks.scaled(event.deposit, how, event.tick, event.at),
        flows=(*account.flows, flow),
        phase=phase,
        terms_hash=event.terms_hash,
        policy_version=event.policy_version,
    )


def without(held: tuple[Held, ...], payout_id: str) -> tuple[Held, ...]:
    return tuple(each for each in held if each.payout_id != payout_id)


def protected(
    positions: tuple[Position, ...], event: PositionProtected
) -> tuple[Position, ...]:
    return tuple(
        replace(
            each,
            stop_loss=event.stop_loss,
            take_profit=event.take_profit,
            trailing=event.trailing,
            version=each.version + 1,
        )
        if each.trade_id == event.trade_id
        else each
        for each in positions
    )


def trades(account: Account) -> frozenset[str]:
    return frozenset(each.trade_id for each in account.positions)


def after(
    positions: tuple[Position, ...], fills: tuple[Fill, ...]
) -> tuple[Position, ...]:
    closed = {fill.closed.trade_id: fill for fill in fills}
    return tuple(
        each if each.trade_id not in closed else each.reduced(closed[each.trade_id])
        for each in positions
        if each.trade_id not in closed or closed[each.trade_id].left
    )


def posted(positions: tuple[Position, ...], event: SwapPosted) -> Iterator[Position]:
    for each, swap in swapped(positions, event.swaps):
        if swap is None:
            yield each
        else:
            total = added(swap.amount, each.swap)
            yield replace(each, swap=total, rolls_at=swap.rolls_at)


def accrued(positions: tuple[Position, ...], event: SwapAccrued) -> Iterator[Position]:
    for each, swap in swapped(positions, event.swaps):
        if swap is None:
            yield each
        else:
            total = added(swap.amount, each.accrued)
            yield replace(each, accrued=total, rolls_at=swap.rolls_at)


def swapped(
    positions: tuple[Position, ...], swaps: tuple[Swap, ...]
) -> Iterator[tuple[Position, Swap | None]]:
    paid = {each.trade_id: each for each in swaps}
    for each in positions:
        yield each, paid.get(each.trade_id)
