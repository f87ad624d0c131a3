"""What is traded, in which size and steps, at what cost, and when."""

import re
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final, Literal

from msgspec import Struct

from domain.values.exact import WHOLE_DIGITS, plain, positive
from domain.values.quote import Side
from domain.values.session import Sessions
from domain.values.trading_day import INSTANT, WEEKEND, TradingDay

SYMBOL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,23}")
CURRENCY: Final = re.compile(r"[A-Z]{3}")
EXACT_INTEGER: Final = 2**53  # price times quantity stays exact, also as a float
DIGITS: Final = 10  # of price and quantity together
POINTS: Final = tuple(Decimal(1).scaleb(-digits) for digits in range(DIGITS + 1))
HIGHEST_LEVERAGE: Final = 5_000
MOST_SESSIONS: Final = 50
MOST_TIERS: Final = 20
NEW_YORK_CLOSE: Final = TradingDay("America/New_York", "17:00")


class Rights(StrEnum):
    """What a trader may do in a symbol; what the house must close, it may always."""

    FULL = "full"
    CLOSE_ONLY = "close_only"
    DISABLED = "disabled"


Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


class Tier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is held on one side beyond so many lots carries another leverage."""

    above: Decimal  # lots
    leverage: int

    def __post_init__(self) -> None:
        positive(self.above)
        if self.leverage not in range(1, HIGHEST_LEVERAGE + 1):
            raise ValueError("leverage: from 1 to 5000")


class Instrument(Struct, frozen=True, kw_only=True):
    """The specification of a symbol at one venue."""

    symbol: str
    contract_size: Decimal  # units of the underlying in one lot
    digits: int  # decimals of a price
    base: str  # what one unit is: EUR in EURUSD, XAU in XAUUSD
    currency: str  # in which prices are quoted and profit falls due
    quantity_step: Decimal  # in lots, as the two bounds
    quantity_min: Decimal
    quantity_max: Decimal
    leverage: int
    commission_per_lot: Decimal  # round turn, in the account's currency
    swap_long: Decimal  # per lot and night, in the account's currency; a cost is < 0
    swap_short: Decimal
    sessions: Sessions
    triple_swap_on: Weekday | None = None  # the night that also pays the weekend
    version: int = 1  # of this specification, at its venue
    rights: Rights = Rights.FULL
    rollover: TradingDay | None = None  # None: see `rolls_by`
    tiers: tuple[Tier, ...] = ()  # of leverage, the first from some lots on

    def __post_init__(self) -> None:
        self._check_names()
        self._check_sizes()
        self._check_costs()
        self._check_tiers()
        if self.sessions != "always" and len(self.sessions) not in range(
            1, MOST_SESSIONS + 1
        ):
            raise ValueError("sessions: 'always' or up to fifty weekly windows")

    @property
    def point(self) -> Decimal:
        """The smallest step of a price."""
        return POINTS[self.digits]

    @property
    def quantity_digits(self) -> int:
        return decimals(self.quantity_step)

    @property
    def price_max(self) -> Decimal:
        """Above this a price times the largest quantity is no exact integer."""
        return highest_price(self.digits, self.quantity_max, self.quantity_digits)

    def accepts(self, quantity: Decimal) -> bool:
        in_range = self.quantity_min <= quantity <= self.quantity_max
        return in_range and quantity % self.quantity_step == 0

    def swap(self, side: Side) -> Decimal:
        """Per lot and night."""
        return self.swap_long if side is Side.BUY else self.swap_short

    def rolls_by(self, account_day: TradingDay) -> TradingDay:
        """What never closes has no close to roll at: there the account's day turns."""
        if self.rollover is not None:
            return self.rollover
        return account_day if self.sessions == "always" else NEW_YORK_CLOSE

    def nights(self, rollover: TradingDay, at: datetime) -> int:
        """How many the rollover at `at` pays: with a triple day weekends pay none."""
        if self.triple_swap_on is None:
            return 1
        ended = rollover.weekday(rollover.day_of(at - INSTANT))
        if ended == self.triple_swap_on.lower():
            return 3
        return 0 if ended in WEEKEND else 1

    def carried(self, lots: Decimal, held: Decimal) -> Decimal:
        """Units over leverage, tier by tier; `held` lots are open on that side."""
        if not self.tiers:
            return lots * self.contract_size / self.leverage
        units, leverage = Decimal(0), self.leverage
        for tier in self.tiers:
            within = min(max(tier.above - held, Decimal(0)), lots)
            units += within * self.contract_size / leverage
            held, lots, leverage = held + within, lots - within, tier.leverage
        return units + lots * self.contract_size / leverage

    def _check_names(self) -> None:
        if SYMBOL.fullmatch(self.symbol) is None:
            raise ValueError("symbol: letters, digits, dot, dash, underscore")
        if SYMBOL.fullmatch(self.base) is None:
            raise ValueError("base: letters, digits, dot, dash, underscore")
        if CURRENCY.fullmatch(self.currency) is None:
            raise ValueError("currency: three capital letters")

    def _check_sizes(self) -> None:
        for size in (
            self.contract_size,
            self.quantity_step,
            self.quantity_min,
            self.quantity_max,
        ):
            positive(size)
        if self.digits < 0 or self.digits + self.quantity_digits > DIGITS:
            raise ValueError("digits: price and quantity together have at most ten")
        if (
            self.quantity_min % self.quantity_step
            or self.quantity_max % self.quantity_step
        ):
            raise ValueError("quantity: bounds are not whole steps")
        if self.quantity_min > self.quantity_max:
            raise ValueError("quantity: smallest above largest")
        scaled = int(self.quantity_max.scaleb(self.quantity_digits))
        if scaled * 10**self.digits > EXACT_INTEGER:
            raise ValueError("quantity_max: too large to count exactly at this scale")

    def _check_costs(self) -> None:
        if self.leverage not in range(1, HIGHEST_LEVERAGE + 1):
            raise ValueError("leverage: from 1 to 5000")
        for cost in (self.commission_per_lot, self.swap_long, self.swap_short):
            plain(cost)
        if self.commission_per_lot < 0:
            raise ValueError("commission_per_lot: negative")

    def _check_tiers(self) -> None:
        if len(self.tiers) > MOST_TIERS:
            raise ValueError("tiers: at most twenty")
        begins = [each.above for each in self.tiers]
        if sorted(set(begins)) != begins:
            raise ValueError("tiers: each begins above the one before")


@lru_cache(maxsize=1_024)
def highest_price(digits: int, quantity: Decimal, quantity_digits: int) -> Decimal:
    scaled = EXACT_INTEGER // int(quantity.scaleb(quantity_digits))
    ceiling = Decimal(10**WHOLE_DIGITS) - 1
    highest = min(Decimal(scaled).scaleb(-digits), ceiling)
    return highest.quantize(POINTS[digits], ROUND_FLOOR)


@lru_cache(maxsize=1_024)
def decimals(number: Decimal) -> int:
    """How many decimals a number needs: 0.010 needs two."""
    exponent = number.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "checked to be finite"
    return max(0, -exponent)
