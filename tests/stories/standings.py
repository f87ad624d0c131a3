"""An account at one instant, made up: what rules look at, without a market."""

from msgspec.structs import replace

from domain.rules.marks import Mark, Marks
from domain.rules.record import Record
from domain.rules.standing import Standing
from domain.values.money import Money
from tests.stories.facts import MONDAY, PRAGUE, usd

DEPOSIT = usd("100000.00")


def standing(equity: str, balance: str = "100000.00", **other: object) -> Standing:
    """Nothing but the first day has been: every mark is the deposit."""
    made = Standing(
        balance=usd(balance),
        equity=usd(equity),
        marks=Marks.at_opening(Mark(DEPOSIT, 0, MONDAY)),
        record=Record.beginning(MONDAY, PRAGUE, DEPOSIT),
        trading_days=0,
        is_flat=equity == balance,
    )
    return replace(made, **other)


def marked(name: str, amount: Money) -> Marks:
    """As on the first day, but for one mark."""
    return replace(
        Marks.at_opening(Mark(DEPOSIT, 0, MONDAY)), **{name: Mark(amount, 3, MONDAY)}
    )
