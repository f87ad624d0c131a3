"""Days that bring a round amount, and what the objectives then say of themselves."""

from datetime import datetime
from decimal import Decimal

from domain.rules.asked import Asked, asked
from domain.values.quote import Side
from tests.stories.facts import close, gold_at, trade
from tests.stories.story import Clock, DayOver, Item, Told

OUNCE = "0.01"  # of a lot: a dollar a dollar


def at(instant: str) -> Clock:
    return Clock(datetime.fromisoformat(instant))


def opened(name: str) -> tuple[Item, ...]:
    """An ounce of gold is bought at 2000."""
    return (gold_at("1999"), trade(Side.BUY, OUNCE, trade_id=name))


def closed(name: str, profit: str) -> tuple[Item, ...]:
    return (gold_at(str(2000 + Decimal(profit))), close(name))


def traded(profit: str, name: str = "ounce") -> tuple[Item, ...]:
    return (*opened(name), *closed(name, profit))


def days(*profits: str) -> tuple[Item, ...]:
    """Each but the last is over; of that one nothing more is to come."""
    told: list[Item] = []
    for number, profit in enumerate(profits):
        if number:
            told.append(DayOver())
        told.extend(traded(profit, f"of-day-{number}"))
    return tuple(told)


def objective(told: Told, rule: str = "rule") -> Asked:
    standing = told.opened.standing(told.moment.market)
    (found,) = (a for a in asked(told.opened.phase, standing) if a.rule == rule)
    return found


def stands(told: Told, rule: str = "rule") -> tuple[str, str, bool]:
    """What it asks for, how far that has come, and whether it is met."""
    found = objective(told, rule)
    return found.required, found.actual, found.met
