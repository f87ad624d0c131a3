"""What can be asked of an account. Imperative, and free to be refused."""

from datetime import datetime
from decimal import Decimal

from msgspec import UNSET, Struct, UnsetType, field

from domain.account.bridge import Bridging
from domain.account.flow import FlowKind
from domain.account.order import OrderType, TimeInForce
from domain.account.recount import Recount
from domain.rules.course import Observation
from domain.rules.phase import Phase
from domain.values.exact import positive
from domain.values.money import Money
from domain.values.quote import Side


class OpenAccount(Struct, frozen=True, kw_only=True, tag=True):
    account_id: str
    trader_id: str
    challenge_id: str | None
    venue_id: str
    deposit: Money
    phase: Phase
    terms_hash: str
    bridge: Bridging | None = None  # None: it trades here


class OpenPosition(Struct, frozen=True, kw_only=True, tag=True):
    trade_id: str  # made at the door, never used twice
    order_id: str
    client_order_id: str | None
    symbol: str
    side: Side
    quantity: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None

    def __post_init__(self) -> None:
        must_be_positive(self.quantity, self.stop_loss, self.take_profit)


class ClosePosition(Struct, frozen=True, kw_only=True, tag=True):
    trade_id: str
    quantity: Decimal | None  # None: all that is open

    def __post_init__(self) -> None:
        must_be_positive(self.quantity)


class ClosePositionBy(Struct, frozen=True, kw_only=True, tag=True):
    """Two trades of one symbol, on opposite sides, close each other."""

    trade_id: str
    by: str


class CloseAll(Struct, frozen=True, kw_only=True, tag=True):
    """Whatever is open closes, and every order is cancelled."""


class ProtectPosition(Struct, frozen=True, kw_only=True, tag=True):
    """None takes a protection away, what is not set stays as it is."""

    trade_id: str
    stop_loss: Decimal | UnsetType | None = UNSET
    take_profit: Decimal | UnsetType | None = UNSET
    trailing: Decimal | UnsetType | None = UNSET  # a distance in price
    seen: int | None = None  # the version that the sender knows; None: any

    def __post_init__(self) -> None:
        must_be_positive(self.stop_loss, self.take_profit, self.trailing)


class PlaceOrder(Struct, frozen=True, kw_only=True, tag=True):
    order_id: str  # made at the door, never used twice
    trade_id: str  # likewise
    client_order_id: str | None
    symbol: str
    side: Side
    type: OrderType = field(name="order_type")  # the command has a type of its own
    quantity: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    time_in_force: TimeInForce
    expires_at: datetime | None  # of a GTD order
    stop_loss: Decimal | None
    take_profit: Decimal | None
    trailing: Decimal | None
    oco: str | None  # a working order: when one of the two fills the other is gone

    def __post_init__(self) -> None:
        must_be_positive(self.quantity, self.price, self.stop_price)
        must_be_positive(self.stop_loss, self.take_profit, self.trailing)


class ChangeOrder(Struct, frozen=True, kw_only=True, tag=True):
    """None takes away what an order may lack, what is not set stays as it is."""

    order_id: str
    quantity: Decimal | UnsetType = UNSET
    price: Decimal | UnsetType = UNSET
    stop_price: Decimal | UnsetType = UNSET
    time_in_force: TimeInForce | UnsetType = UNSET
    expires_at: datetime | UnsetType = UNSET  # of a GTD order
    stop_loss: Decimal | UnsetType | None = UNSET
    take_profit: Decimal | UnsetType | None = UNSET
    trailing: Decimal | UnsetType | None = UNSET
    seen: int | None = None  # the version that the sender knows; None: any

    def __post_init__(self) -> None:
        must_be_positive(self.quantity, self.price, self.stop_price)
        must_be_positive(self.stop_loss, self.take_profit, self.trailing)


class CancelOrders(Struct, frozen=True, kw_only=True, tag=True):
    order_ids: tuple[str, ...]
    seen: int | None = None  # of a single one: the version that the sender knows


class ObserveAccount(Struct, frozen=True, kw_only=True, tag=True):
    """What another platform reports of it."""

    observations: tuple[Observation, ...]


class PostFlow(Struct, frozen=True, kw_only=True, tag=True):
    """`by` decides alone today; whoever must agree will be another member."""

    flow_id: str  # of a payout its own id: it is debited once
    kind: FlowKind
    amount: Money  # what the balance gains; below zero what it loses
    reason: str
    by: str

    def __post_init__(self) -> None:
        amount = self.amount.amount
        fits = {
            FlowKind.PAYOUT: amount < 0,
            FlowKind.CREDIT: amount > 0,
            FlowKind.CORRECTION: amount != 0,
        }
        if not fits.get(self.kind, False):
            raise ValueError(f"not the amount of a {self.kind}")


class ScaleAccount(Struct, frozen=True, kw_only=True, tag=True):
    """Give it another deposit, and with that floors and allowances."""

    flow_id: str
    deposit: Money
    phase: Phase | None  # None: the terms stay
    terms_hash: str | None  # of those that change
    reason: str
    by: str

    def __post_init__(self) -> None:
        positive(self.deposit.amount)
        if (self.phase is None) is not (self.terms_hash is None):
            raise ValueError("terms come with their hash")


class HoldPayout(Struct, frozen=True, kw_only=True, tag=True):
    """It was asked for: the amount waits for whoever approves."""

    payout_id: str
    amount: Money
    by: str

    def __post_init__(self) -> None:
        positive(self.amount.amount)


class ReleasePayout(Struct, frozen=True, kw_only=True, tag=True):
    payout_id: str
    reason: str
    by: str


class AnnulBreach(Struct, frozen=True, kw_only=True, tag=True):
    """`ticks` should not have counted; whoever asks has counted again without them."""

    breach_version: int  # of the stream at the breach
    rules: tuple[str, ...]  # that it crossed
    ticks: tuple[int, ...]
    reason: str
    by: str
    recount: Recount | None  # None: the account is not breached


class ConfirmBreach(Struct, frozen=True, kw_only=True, tag=True):
    breach_version: int
    rules: tuple[str, ...]
    reason: str
    by: str


class DismissBreach(Struct, frozen=True, kw_only=True, tag=True):
    breach_version: int
    rules: tuple[str, ...]
    reason: str
    by: str


ReviewCommand = AnnulBreach | ConfirmBreach | DismissBreach

FlowCommand = PostFlow | ScaleAccount | HoldPayout | ReleasePayout

OrderCommand = (
    PlaceOrder
    | ChangeOrder
    | CancelOrders
    | ProtectPosition
    | ClosePositionBy
    | CloseAll
)
AccountCommand = (
    OpenAccount
    | OpenPosition
    | ClosePosition
    | ObserveAccount
    | FlowCommand
    | ReviewCommand
    | OrderCommand
)


def must_be_positive(*numbers: Decimal | UnsetType | None) -> None:
    for number in numbers:
        if isinstance(number, Decimal):
            positive(number)
