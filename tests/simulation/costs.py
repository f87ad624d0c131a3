"""What holding costs and what margin forces closed, in plain decimals once more."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from tests.simulation.hours import WEEKDAYS, next_boundary
from tests.simulation.promises import Facts, cents

CENT: Final = Decimal("0.01")
AT_NEW_YORK: Final = ("America/New_York", "17:00")
NOON: Final = "12:00"


def margin_of(
    instrument: Facts, quantity: Decimal, price: Decimal, quotes: Facts
) -> Decimal:
    """In dollars: what one dollar buys needs no price, yen are bought at the ask."""
    held = quantity * Decimal(instrument["contract_size"]) / instrument["leverage"]
    if instrument["base"] == "USD":
        return cents(held)
    if instrument["currency"] == "JPY":
        return cents(held * price / quotes["USDJPY"][1])
    return cents(held * price)


def held_together(trades: Iterable[Facts]) -> Decimal:
    """Of each symbol only what one side has more than the other."""
    total, sides = Decimal(0), dict[str, dict[str, list[Facts]]]()
    for each in trades:
        sides.setdefault(each["symbol"], {}).setdefault(each["side"], []).append(each)
    for of_symbol in sides.values():
        legs = sorted(
            (sum(t["quantity"] for t in leg), sum(t["margin"] for t in leg))
            for leg in of_symbol.values()
        )
        lots, margin = legs[-1]
        less = legs[0][0] if len(legs) > 1 else 0
        total += cents(margin * (lots - less) / lots)
    return total


def level_of(margin: Decimal, per_cent: str) -> Decimal:
    return (margin * Decimal(per_cent) / 100).quantize(CENT, ROUND_CEILING)


def rolls_next(account: Facts, trade: Facts, after: datetime) -> datetime | None:
    """When holding it is next paid for."""
    if account["trading"] is None or not rate_of(trade):
        return None
    day = rollover_of(account, trade)
    at = next_boundary(day, after)
    while not nights_of(account, trade, at):
        at = next_boundary(day, at)
    return at


def rollover_of(account: Facts, trade: Facts) -> tuple[str, str]:
    is_always = trade["instrument"]["sessions"] == "always"
    day: tuple[str, str] = account["day"] if is_always else AT_NEW_YORK
    return day


def nights_of(account: Facts, trade: Facts, at: datetime) -> int:
    """The night belongs to the day that ends with it, by the wall where it ends."""
    triple = trade["instrument"].get("triple_swap_on")
    if triple is None:
        return 1
    zone, turns_at = rollover_of(account, trade)
    wall = at.astimezone(ZoneInfo(zone))
    ended = wall if turns_at >= NOON else wall - timedelta(days=1)
    name = WEEKDAYS[ended.weekday()]
    if name == triple:
        return 3
    return 0 if name in {"Sat", "Sun"} else 1


def rate_of(trade: Facts) -> Decimal:
    side = "long" if trade["side"] == "buy" else "short"
    return Decimal(trade["instrument"][f"swap_{side}"])
