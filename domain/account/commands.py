"""What can be asked of an account. Imperative, and free to be refused."""

from decimal import Decimal

from msgspec import Struct

from domain.account.bridge import Bridging
from domain.account.flow import FlowKind
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
        for number in (self.quantity, self.stop_loss, self.take_profit):
            if number is not None:
                positive(number)


class ClosePosition(Struct, frozen=True, kw_only=True, tag=True):
    trade_id: str
    quantity: Decimal | None  # None: all that is open

    def __post_init__(self) -> None:
        if self.quantity is not None:
            positive(self.quantity)


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

AccountCommand = (
    OpenAccount
    | OpenPosition
    | ClosePosition
    | ObserveAccount
    | FlowCommand
    | ReviewCommand
)
