"""What has happened to an account. Past tense, immutable, kept for ever.

The tag is the stored name: a class may be renamed or moved, its tag never.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from domain.account.bridge import Bridging
from domain.account.execution import Execution
from domain.account.flow import Flow, FlowKind
from domain.account.margin import MarginStood
from domain.account.order import Order
from domain.account.position import Fill, Position, Valued
from domain.account.recount import Restored
from domain.rules.adjudicate import Breach, Reached, Struck
from domain.rules.course import Observation
from domain.rules.marks import Marks
from domain.rules.phase import Phase
from domain.rules.record import Record
from domain.values.money import Money
from domain.values.quote import Quote, Side
from domain.values.refusal import Arithmetic


class Event(Struct, frozen=True, kw_only=True):
    at: datetime  # engine time
    tick: int  # the last one applied before this was decided


class AccountOpened(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="account.opened/1"
):
    account_id: str
    trader_id: str
    challenge_id: str | None
    venue_id: str
    deposit: Money
    phase: Phase
    terms_hash: str
    bridge: Bridging | None = None  # None: it trades here


class OpenReason(StrEnum):
    TRADER = "trader"  # asked for a trade at the market
    MARKET = "market"  # the types of the orders that were filled
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"


class PositionOpened(
    Event,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag="account.position-opened/1",
):
    position: Position
    trading_day: date  # decided once, so that new tzdata cannot move it
    balance: Money  # after the commission
    reason: OpenReason = OpenReason.TRADER


class Deal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an order did to a position that was there already."""

    order_id: str
    client_order_id: str | None
    side: Side
    quantity: Decimal
    price: Decimal
    quote: Quote  # the one that filled it
    commission: Money  # a cost, charged with it
    stop_loss: Decimal | None = None  # None: it left that of the position
    take_profit: Decimal | None = None  # likewise
    execution: Execution | None = None  # None: at the quote
    reason: OpenReason = OpenReason.TRADER


class PositionIncreased(
    Event, frozen=True, kw_only=True, tag="account.position-increased/1"
):
    """In a netting book: an order on the side of the position has been added to it."""

    deal: Deal
    position: Position  # as it is now, at the average price
    trading_day: date  # of the deal
    balance: Money  # after the commission


class Opposed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In a netting book: the order that closed, and opens with what it has left."""

    order_id: str
    client_order_id: str | None
    trade_id: str  # that it would open
    symbol: str
    side: Side
    quantity: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    trailing: Decimal | None = None
    limit: Decimal | None = None  # no deal of it is worse
    reason: OpenReason = OpenReason.TRADER


class CloseReason(StrEnum):
    TRADER = "trader"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    LIQUIDATION = "liquidation"
    STOP_OUT = "stop_out"
    NETTED = "netted"
    CLOSE_BY = "close_by"  # two opposite trades have closed each other
    CLOSE_ALL = "close_all"  # the trader closed everything, orders too


class PositionClosed(
    Event,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag="account.position-closed/1",
):
    """Wholly or in part; a liquidation closes all that can be filled, in one event."""

    fills: tuple[Fill, ...]
    reason: CloseReason
    balance: Money  # after the fills
    margin: MarginStood | None = None  # that a stop-out was for
    order: Opposed | None = None  # that it was netted by


class Swap(Struct, frozen=True, kw_only=True):
    """What one position pays, or is paid, at one rollover."""

    trade_id: str
    symbol: str
    side: Side
    quantity: Decimal  # lots that were open
    rate: Decimal  # per lot and night, in the account's currency
    nights: int
    amount: Money  # a cost is below zero
    rolls_at: datetime | None  # its next rollover


class SwapPosted(Event, frozen=True, kw_only=True, tag="account.swap-posted/1"):
    swaps: tuple[Swap, ...]  # of all that roll at this instant
    balance: Money  # after them


class SwapAccrued(Event, frozen=True, kw_only=True, tag="account.swap-accrued/1"):
    """It changes equity now, and the balance when the positions close."""

    swaps: tuple[Swap, ...]


class NegativeBalanceCleared(
    Event, frozen=True, kw_only=True, tag="account.negative-balance-cleared/1"
):
    """Nothing is open, and what the account owed is made good."""

    amount: Money
    balance: Money  # zero


class MarginCalled(Event, frozen=True, kw_only=True, tag="account.margin-called/1"):
    """Equity has come down to the level of the call; told once, until it is above."""

    margin: MarginStood
    balance: Money


class MarginRestored(Event, frozen=True, kw_only=True, tag="account.margin-restored/1"):
    """Equity is above the level of the call again, or nothing is held any more."""

    margin: MarginStood
    balance: Money


class RuleBreached(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="account.rule-breached/1"
):
    """With its evidence: the verdict can be computed again from this event alone."""

    breaches: tuple[Breach, ...]  # the primary one first
    deposit: Money
    balance: Money
    equity: Money
    positions: tuple[Valued, ...]
    terms_hash: str
    trading_days: int
    opened_at: datetime
    decided_at: datetime  # of the tick or boundary that decided it
    source: str | None = None  # of an observed account: `e<sequence>` or its boundary
    flows: tuple[Flow, ...] = ()  # since the deposit is what it is
    opens_review: bool = False  # observed, and not final before it is confirmed


class ObjectivesMet(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="account.objectives-met/1"
):
    phase: str
    reached: tuple[Reached, ...]
    balance: Money
    equity: Money
    trading_days: int
    source: str | None = None  # as of a breach


class AccountWarned(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="account.warned/1"
):
    """A timer runs on, and will end the account unless something is done."""

    struck: tuple[Struck, ...]
    source: str | None = None  # as of a breach


class AccountExpired(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="account.expired/1"
):
    """A timer has run out: what is open closes, and nothing is opened any more."""

    struck: tuple[Struck, ...]
    balance: Money
    equity: Money
    trading_days: int
    source: str | None = None  # as of a breach


class AccountQuarantined(Event, frozen=True, kw_only=True, tag="account.quarantined/1"):
    """Judging it failed: it is frozen until somebody has looked, others go on."""

    cause: str  # the kind of failure, never what was in it


class AccountObserved(Event, frozen=True, kw_only=True, tag="account.observed/1"):
    """What another platform reported at once, and how the account stood after it."""

    observations: tuple[Observation, ...]  # new ones, in the order of their sequence
    balance: Money
    equity: Money
    trading_days: int
    is_paused: bool


class FlowPosted(Event, frozen=True, kw_only=True, tag="account.flow-posted/1"):
    """Balance, anchors and, as the terms say, high-water marks moved by the amount."""

    flow_id: str
    kind: FlowKind
    amount: Money  # what the balance gained
    balance: Money  # after it
    reason: str
    by: str


class AccountScaled(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="account.scaled/1"
):
    """Another deposit: balance and anchors moved by the difference, as by a flow."""

    flow_id: str
    amount: Money
    deposit: Money
    balance: Money  # after it
    terms_hash: str
    policy_version: int  # of the account's own terms; those sold were the first
    reason: str
    by: str
    phase: Phase | None = None  # None: the terms stayed


class PayoutHeld(Event, frozen=True, kw_only=True, tag="account.payout-held/1"):
    """It was asked for; nothing is booked before it is approved."""

    payout_id: str
    amount: Money
    by: str


class PayoutReleased(Event, frozen=True, kw_only=True, tag="account.payout-released/1"):
    """It will not be paid: the amount is free again."""

    payout_id: str
    reason: str
    by: str


class BreachAnnulled(Event, frozen=True, kw_only=True, tag="account.breach-annulled/1"):
    """Quotes that should not have counted do so no more; the breach stays in the log.

    The account goes on flat: fills at those quotes are corrected to the last good ones,
    and its marks are what they would have been.
    """

    breach_version: int  # of the stream at the breach
    rules: tuple[str, ...]  # that it crossed
    ticks: tuple[int, ...]  # that should not have counted
    reason: str
    by: str
    restored: tuple[Restored, ...]
    correction: Money  # of all fills together
    balance: Money  # after it
    marks: Marks
    record: Record
    paused: tuple[str, ...]


class BreachConfirmed(
    Event, frozen=True, kw_only=True, tag="account.breach-confirmed/1"
):
    """What was observed was looked at: it is final."""

    breach_version: int
    rules: tuple[str, ...]
    reason: str
    by: str


class BreachDismissed(
    Event, frozen=True, kw_only=True, tag="account.breach-dismissed/1"
):
    """What was observed was looked at: it was none, and judging goes on after it."""

    breach_version: int
    rules: tuple[str, ...]
    reason: str
    by: str


CapitalEvent = FlowPosted | AccountScaled | PayoutHeld | PayoutReleased

ReviewEvent = BreachAnnulled | BreachConfirmed | BreachDismissed


class PositionProtected(
    Event, frozen=True, kw_only=True, tag="account.position-protected/1"
):
    """What it is protected by from here on; a trailing stop then moves with ticks."""

    trade_id: str
    stop_loss: Decimal | None
    take_profit: Decimal | None
    trailing: Decimal | None


class OrderPlaced(Event, frozen=True, kw_only=True, tag="account.order-placed/1"):
    order: Order


class OrderChanged(Event, frozen=True, kw_only=True, tag="account.order-changed/1"):
    order: Order  # as it waits from here on


class OrderTriggered(Event, frozen=True, kw_only=True, tag="account.order-triggered/1"):
    """The stop of a stop-limit was reached: from here on it waits as a limit."""

    order_id: str


class CancelReason(StrEnum):
    TRADER = "trader"
    UNFILLED = "unfilled"  # immediate, and there was no price for it
    EXPIRED = "expired"  # its own time was over
    OCO = "oco"  # the order that it is linked to was filled
    MARGIN = "margin"  # its price came, and the free margin did not carry it
    SYMBOL = "symbol"  # its price came when in its symbol trades were only closed
    CONVERSION = "conversion"  # its price came when nothing converted its profit
    BREACH = "breach"  # of the account, like the three below
    PAUSE = "pause"
    PASS = "pass"  # noqa: S105 - of a phase
    ACCOUNT_EXPIRED = "account_expired"


class OrderCancelled(
    Event,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag="account.order-cancelled/1",
):
    """They wait no more and were not filled; all that end for one reason together."""

    order_ids: tuple[str, ...]
    reason: CancelReason
    arithmetic: Arithmetic | None = None  # what was missing when its price came


AccountEvent = (
    AccountOpened
    | PositionOpened
    | PositionIncreased
    | PositionClosed
    | RuleBreached
    | ObjectivesMet
    | AccountWarned
    | AccountExpired
    | AccountQuarantined
    | AccountObserved
    | SwapPosted
    | SwapAccrued
    | MarginCalled
    | MarginRestored
    | NegativeBalanceCleared
    | CapitalEvent
    | ReviewEvent
    | OrderPlaced
    | OrderChanged
    | OrderTriggered
    | OrderCancelled
    | PositionProtected
)
