"""An instruction that waits for its price, and when a quote has reached it."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from domain.account.level import Level
from domain.values.quote import Quote, Side

MOST_ORDERS = 200  # that one account has working


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"  # at its price or better
    STOP = "stop"  # at what the market gives once its stop price is reached
    STOP_LIMIT = "stop_limit"  # a limit from when its stop price is reached


class TimeInForce(StrEnum):
    GTC = "gtc"  # good till cancelled
    GTD = "gtd"  # good till the date that is given with it
    DAY = "day"  # until the account's trading day turns
    IOC = "ioc"  # immediate or cancelled
    FOK = "fok"  # filled whole or killed: a simulated fill is always whole

    @property
    def is_immediate(self) -> bool:
        return self in {TimeInForce.IOC, TimeInForce.FOK}


class Order(Struct, frozen=True, kw_only=True, omit_defaults=True):
    order_id: str
    trade_id: str  # which its fill will open
    client_order_id: str | None
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None  # of a limit: no fill is worse
    stop_price: Decimal | None  # of a stop: what wakes it
    time_in_force: TimeInForce
    expires_at: datetime | None  # decided once, so that new tzdata cannot move it
    stop_loss: Decimal | None  # of the trade, like the two below
    take_profit: Decimal | None
    trailing: Decimal | None
    placed_at: datetime
    oco: str | None = None  # the order that is cancelled when this one fills
    is_triggered: bool = False  # its stop was reached: what waits is its limit
    version: int = 1

    @property
    def waits_for_stop(self) -> bool:
        return self.stop_price is not None and not self.is_triggered

    @property
    def level(self) -> Level | None:
        """What the opening price has to reach; None: any price will do."""
        if self.waits_for_stop:
            assert self.stop_price is not None
            return Level(self.stop_price, is_rising=self.side is Side.BUY)
        if self.price is not None:
            return Level(self.price, is_rising=self.side is Side.SELL)
        return None

    def is_due(self, quote: Quote) -> bool:
        level = self.level
        return level is None or level.is_reached(quote.opening(self.side))

    def entry(self, quote: Quote) -> Decimal:
        """The price at which it would open a trade, as far as it says."""
        return self.price or self.stop_price or quote.opening(self.side)
