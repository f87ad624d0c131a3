"""How a fill is worse than its quote, and how late: drawn by the terms, not by chance.

The same order under the same terms slips the same, whoever computes it and when.
"""

from decimal import Decimal
from hashlib import sha256

from msgspec import Struct

from domain.rules.trading_terms import Latency, Slippage, TradingTerms
from domain.values.instrument import Instrument
from domain.values.quote import Side


class Execution(Struct, frozen=True, kw_only=True, omit_defaults=True):
    slipped: int = 0  # points against the trader
    latency_ms: int = 0


def executed(
    dealt: Side,
    price: Decimal,
    key: str,
    instrument: Instrument,
    terms: TradingTerms,
    limit: Decimal | None = None,
) -> tuple[Decimal, Execution | None]:
    """The price of a deal on that side whose quote says `price`, no worse than `limit`.

    `key` names the deal for ever: an opening by its order, a close by `closing_key`.
    """
    if terms.slippage is None and terms.latency is None:
        return price, None
    points = slipped(terms.slippage, key) if terms.slippage is not None else 0
    late = delayed(terms.latency, key) if terms.latency is not None else 0
    if limit is not None:
        points = min(points, int(abs(limit - price) / instrument.point))
    worse = points * instrument.point
    if dealt is Side.BUY:
        price += worse
    else:
        price = max(price - worse, instrument.point)
    return price, Execution(slipped=points, latency_ms=late)


def slipped(slippage: Slippage, key: str) -> int:
    drawn = draw(slippage.seed, "slippage", key, sum(slippage.weights))
    for points, weight in enumerate(slippage.weights):
        drawn -= weight
        if drawn < 0:
            return points
    raise AssertionError("what is drawn is below the sum of the weights")


def delayed(latency: Latency, key: str) -> int:
    span = latency.at_most - latency.at_least + 1
    return latency.at_least + draw(latency.seed, "latency", key, span)


def draw(seed: int, what: str, key: str, below: int) -> int:
    """A whole number from 0 to before `below`; 256 bits leave no bias to speak of."""
    digest = sha256(f"{seed}:{what}:{key}".encode()).digest()
    return int.from_bytes(digest, "big") % below


def closing_key(trade_id: str, quantity: Decimal) -> str:
    """A trade is closed once from any quantity that was open of it."""
    return f"{trade_id}:{quantity.normalize():f}"
