"""Orders that the stories share, in few words."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.account.commands import CancelOrders, ChangeOrder, PlaceOrder
from domain.account.order import OrderType, TimeInForce
from domain.values.quote import Side

PRICES = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("stop_price", "price"),
}


def order(  # noqa: PLR0913 - what an order may say
    side: Side,
    kind: OrderType,
    *prices: str,
    quantity: str = "1.00",
    symbol: str = "XAUUSD",
    name: str = "an-order",
    lasts: TimeInForce = TimeInForce.GTC,
    expires_at: datetime | None = None,
    stop_loss: str | None = None,
    take_profit: str | None = None,
    trailing: str | None = None,
    oco: str | None = None,
) -> PlaceOrder:
    """Its trade will be named after it."""
    said = dict(zip(PRICES[kind], prices, strict=True))
    return PlaceOrder(
        order_id=name,
        trade_id=f"trade-of-{name}",
        client_order_id=None,
        symbol=symbol,
        side=side,
        type=kind,
        quantity=Decimal(quantity),
        price=number(said.get("price")),
        stop_price=number(said.get("stop_price")),
        time_in_force=lasts,
        expires_at=expires_at,
        stop_loss=number(stop_loss),
        take_profit=number(take_profit),
        trailing=number(trailing),
        oco=oco,
    )


def buy_limit(price: str, **rest: Any) -> PlaceOrder:
    return order(Side.BUY, OrderType.LIMIT, price, **rest)


def sell_limit(price: str, **rest: Any) -> PlaceOrder:
    return order(Side.SELL, OrderType.LIMIT, price, **rest)


def buy_stop(price: str, **rest: Any) -> PlaceOrder:
    return order(Side.BUY, OrderType.STOP, price, **rest)


def sell_stop(price: str, **rest: Any) -> PlaceOrder:
    return order(Side.SELL, OrderType.STOP, price, **rest)


def change(name: str = "an-order", **rest: Any) -> ChangeOrder:
    said: dict[str, Any] = {
        k: Decimal(v) if type(v) is str else v for k, v in rest.items()
    }
    return ChangeOrder(order_id=name, **said)


def cancel(*names: str) -> CancelOrders:
    return CancelOrders(order_ids=names or ("an-order",))


def number(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None
