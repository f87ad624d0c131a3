"""An open exposure, and what closing it now would bring."""

from datetime import datetime
from decimal import Decimal
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from domain.values.market import Leg, Market
from domain.values.money import Money, in_minor_units
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
    commission: Money  # a cost, charged when it opened
    realised: Money  # profit of what has been closed of it
    opened_at: datetime
    stop_loss: Decimal | None
    take_profit: Decimal | None
    specification: int = 1  # the version of the instrument's that it was opened on

    def valued(self, market: Market, into: str) -> "Valued":
        return self.portion_valued(self.quantity, market, into)

    def portion_valued(self, quantity: Decimal, market: Market, into: str) -> "Valued":
        quote = market.quote(self.symbol)
        price = quote.closing(self.side)
        gain = self.move(price) * quantity * self.contract_size
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
        )

    def profit(self, market: Market, into: str) -> Money:
        """The same figure as `valued` gives, without the evidence."""
        return Money(self.gain(market, into), into)

    def gain(self, market: Market, into: str) -> Decimal:
        """The amount of `profit`, for a sum of many."""
        quote = market.quote(self.symbol)
        if self.side is Side.BUY:
            move = quote.bid - self.open_price
        else:
            move = self.open_price - quote.ask
        gain = move * self.quantity * self.contract_size
        if self.currency != into:
            gain, _ = market.converted(gain, self.currency, into)
        return in_minor_units(gain, into)

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

    def reduced(self, closed: "Valued") -> Self:
        share = closed.quantity / self.quantity
        return replace(
            self,
            quantity=self.quantity - closed.quantity,
            margin=self.margin - self.margin.portion(share),
            realised=self.realised + closed.profit,
        )


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


class Fill(Struct, frozen=True, kw_only=True):
    """A closing deal: what was closed, at what, and what is left of the trade."""

    closed: Valued
    left: Decimal
