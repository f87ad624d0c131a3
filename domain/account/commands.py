"""What can be asked of an account. Imperative, and free to be refused."""

from decimal import Decimal

from msgspec import Struct

from domain.account.bridge import Bridging
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


AccountCommand = OpenAccount | OpenPosition | ClosePosition | ObserveAccount
