"""An open exposure, and what closing it now would bring."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from domain.account.execution import Execution
from domain.values.market import Leg, Market
from domain.values.money import CENT, MINOR_UNIT, Money, in_minor_units
from domain.values.quote import Quote, Side


class Position(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """It carries what it needs to be valued: later specifications do not touch it."""

    trade_id: str
    order_id: str
    client_order_id: str | None
    symbol: str
    side: Side
    opened_quantity: Decimal
    quantity: Decimal  # lots still open
    open_price: Decimal
    quote: Quote  # the one that filled it
    contract_size: Decimal
    currency: str  # of its profit, before conversion
    margin: Money
    commission: Money  # a cost: what has been charged of it
    realised: Money  # profit of what has been closed of it
    opened_at: datetime
    stop_loss: Decimal | None  # of a trailing stop: where it has got to
    take_profit: Decimal | None
    specification: int = 1  # the version of the instrument's that it was opened on
    due: Money | None = None  # commission that its closes will charge; None: none
    swap: Money | None = None  # what has been posted of it; None: nothing
    accrued: Money | None = None  # swap that waits for its closes; equity counts it
    rolls_at: datetime | None = None  # when swap falls due next; None: never
    execution: Execution | None = None  # of the fill that opened it; None: at the quote
    cost: Decimal | None = None  # of all its lots, where several prices made one
    trailing: Decimal | None = None  # how far the stop loss follows the price
    version: int = 1

    def valued(self, market: Market, into: str) -> "Valued":
        worth = self.portion_valued(self.quantity, market, into)
        return worth if self.accrued is None else replace(worth, accrued=self.accrued)

    def portion_valued(
        self, quantity: Decimal, market: Market, into: str, price: Decimal | None = None
    ) -> "Valued":
        """At the quote; or at the `price` at which a deal was done beside it."""
        quote = market.quote(self.symbol)
        price = quote.closing(self.side) if price is None else price
        cost = None
        if self.cost is None:
            gain = self.move(price) * quantity * self.contract_size
        else:
            cost = self.cost_of(quantity, self.cost)
            gain = self.won(price, quantity, cost)
        amount, legs = market.converted(gain, self.currency, into)
        return Valued(
            trade_id=self.trade_id,
            symbol=self.symbol,
            side=self.side,
            quantity=quantity,
            open_price=self.open_price,
            contract_size=self.contract_size,
            quote=quote,
            price=price,
            conversion=legs,
            profit=Money.rounded(amount, into),
            specification=self.specification,
            cost=cost,
        )

    def profit(self, market: Market, into: str) -> Money:
        """The same figure as `valued` gives, without the evidence."""
        return Money(self.gain(market, into), into)

    def gain(self, market: Market, into: str) -> Decimal:
        """The amount of `profit`, for a sum of many."""
        quote = market.quote(self.symbol)
        if self.cost is not None:
            gain = self.won(quote.closing(self.side), self.quantity, self.cost)
        else:
            if self.side is Side.BUY:
                move = quote.bid - self.open_price
            else:
                move = self.open_price - quote.ask
            gain = move * self.quantity * self.contract_size
        if self.currency != into:
            gain, _ = market.converted(gain, self.currency, into)
        return in_minor_units(gain, into)

    def won(self, price: Decimal, quantity: Decimal, cost: Decimal) -> Decimal:
        """Before conversion, not rounded; `cost` is that of these lots."""
        worth = price * quantity * self.contract_size
        return worth - cost if self.side is Side.BUY else cost - worth

    def cost_of(self, quantity: Decimal, cost: Decimal) -> Decimal:
        """A part costs whole cents, so that all parts together cost what there was."""
        if quantity == self.quantity:
            return cost
        unit = MINOR_UNIT.get(self.currency, CENT)
        return (cost * quantity / self.quantity).quantize(unit, ROUND_HALF_EVEN)

    @property
    def whole_cost(self) -> Decimal:
        if self.cost is not None:
            return self.cost
        return self.open_price * self.quantity * self.contract_size

    def move(self, price: Decimal) -> Decimal:
        if self.side is Side.BUY:
            return price - self.open_price
        return self.open_price - price

    def is_stopped(self, quote: Quote) -> bool:
        if self.stop_loss is None:
            return False
        if self.side is Side.BUY:
            return quote.bid <= self.stop_loss
        return quote.ask >= self.stop_loss

    def takes_profit(self, quote: Quote) -> bool:
        if self.take_profit is None:
            return False
        if self.side is Side.BUY:
            return quote.bid >= self.take_profit
        return quote.ask <= self.take_profit

    def trailed(self, quote: Quote) -> Self:
        """A trailing stop follows the price that it is measured by, and never back."""
        if self.trailing is None:
            return self
        price, stop = quote.closing(self.side), self.stop_loss
        if self.side is Side.BUY:
            level = price - self.trailing
            is_better = stop is None or level > stop
        else:
            level = price + self.trailing
            is_better = stop is None or level < stop
        return replace(self, stop_loss=level) if is_better else self

    def reduced(self, fill: "Fill") -> Self:
        """What is left; the last close takes whatever is left of every cost."""
        closed = fill.closed
        given_back = self.margin.share(closed.quantity, self.quantity)
        left = replace(
            self,
            quantity=self.quantity - closed.quantity,
            version=self.version + 1,
            margin=self.margin - given_back,
            realised=self.realised + closed.profit,
            cost=self.cost if closed.cost is None else self.whole_cost - closed.cost,
        )
        if fill.commission is None and fill.swap is None:
            return left
        return replace(
            left,
            commission=added(self.commission, fill.commission),
            due=taken(self.due, fill.commission),
            swap=fill.swap if self.swap is None else added(self.swap, fill.swap),
            accrued=taken(self.accrued, fill.swap),
        )


def added(known: Money, more: Money | None) -> Money:
    return known if more is None else known + more


def taken(known: Money | None, part: Money | None) -> Money | None:
    return known if known is None or part is None else known - part


class Valued(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A position, or a part of it, at a price: enough to compute it again by hand."""

    trade_id: str
    symbol: str
    side: Side
    quantity: Decimal
    open_price: Decimal
    contract_size: Decimal
    quote: Quote
    price: Decimal  # the side of the quote at which it closes
    conversion: tuple[Leg, ...]
    profit: Money
    specification: int = 1  # of the instrument, as the position has it
    accrued: Money | None = None  # swap that equity counts beside the profit
    cost: Decimal | None = None  # of these lots, where an open price does not say it


class Fill(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A closing deal: what was closed, at what, and what is left of the trade."""

    closed: Valued
    left: Decimal
    commission: Money | None = None  # a cost, charged with this close
    swap: Money | None = None  # what had accrued for these lots, posted with it
    execution: Execution | None = None  # None: at the quote

    @property
    def costs(self) -> Money | None:
        """What it posts beside the profit; a cost is below zero."""
        if self.commission is None:
            return self.swap
        charged = Money.zero(self.commission.currency) - self.commission
        return added(charged, self.swap)

    @property
    def posted(self) -> Money:
        """What it does to the balance."""
        if self.commission is None and self.swap is None:  # as almost always
            return self.closed.profit
        return added(self.closed.profit, self.costs)
