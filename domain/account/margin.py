"""What positions hold as margin together, and how low equity may come against it."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from typing import Final

from msgspec import Struct

from domain.account.position import Position
from domain.rules.trading_terms import HUNDRED, HedgedMargin, TradingTerms
from domain.values.money import Money, in_minor_units, minor_unit
from domain.values.quote import Side

NOTHING: Final = Decimal(0)

Positions = tuple[Position, ...]


class MarginStood(Struct, frozen=True, kw_only=True):
    """Equity against the level at or below which something is done."""

    equity: Money
    margin: Money
    per_cent: Decimal  # of the margin
    level: Money  # what that comes to, up to the next whole cent


def held_margin(positions: Positions, terms: TradingTerms | None) -> Decimal:
    total = NOTHING
    for each in positions:
        total += each.margin.amount
    if terms is None or len(positions) < 2:  # noqa: PLR2004 - one side is no hedge
        return total
    if terms.hedged_margin is HedgedMargin.FULL:
        return total
    sides: dict[str, Side] = {}
    for each in positions:
        if sides.setdefault(each.symbol, each.side) is not each.side:
            return hedged(positions, terms.hedged_margin)
    return total


def added_margin(
    position: Position, positions: Positions, terms: TradingTerms | None
) -> Decimal:
    """What is held more with it than without: less than none where it is a hedge."""
    if terms is not None:
        symbol, side = position.symbol, position.side
        for each in positions:
            if each.symbol == symbol and each.side is not side:
                together = held_margin((*positions, position), terms)
                return together - held_margin(positions, terms)
    return position.margin.amount


def hedged(positions: Positions, model: HedgedMargin) -> Decimal:
    """Symbol by symbol, where some has both sides."""
    total = NOTHING
    for symbol in {each.symbol: None for each in positions}:
        one, other = (
            leg_of(each for each in positions if (each.symbol, each.side) == leg)
            for leg in ((symbol, Side.BUY), (symbol, Side.SELL))
        )
        total += carried(one, other, model, positions[0].margin.currency)
    return total


Leg = tuple[Decimal, Decimal]  # lots, and the margin of them alone


def leg_of(positions: Iterable[Position]) -> Leg:
    lots, margin = NOTHING, NOTHING
    for each in positions:
        lots, margin = lots + each.quantity, margin + each.margin.amount
    return lots, margin


def carried(one: Leg, other: Leg, model: HedgedMargin, currency: str) -> Decimal:
    """What the longer leg has alone counts at that leg's own average."""
    if model is HedgedMargin.LARGER_LEG:
        return max(one[1], other[1])
    (more, margin), (less, _) = (one, other) if other[0] < one[0] else (other, one)
    return in_minor_units(margin * (more - less) / more, currency)


def stood(equity: Money, margin: Decimal, per_cent: Decimal) -> MarginStood:
    currency = equity.currency
    level = (margin * per_cent / HUNDRED).quantize(minor_unit(currency), ROUND_CEILING)
    return MarginStood(
        equity=equity,
        margin=Money.rounded(margin, currency),
        per_cent=per_cent,
        level=Money(level, currency),
    )


def is_reached(it: MarginStood) -> bool:
    """Of what is open; where both sides hold nothing together, the level is zero."""
    return it.equity <= it.level
