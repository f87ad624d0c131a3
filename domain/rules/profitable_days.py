"""The phase, or a payout, asks for several days that each brought something."""

from enum import StrEnum
from typing import ClassVar, assert_never

from msgspec import field

from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.minimum_days import number_of_days
from domain.rules.objective import Objective
from domain.rules.record import Day
from domain.rules.standing import Standing
from domain.values.money import Money


class Attributed(StrEnum):
    """Which day a profit counts on."""

    CLOSING = "closed"  # the day of the close, where every cost has its own
    OPENING = "opened"  # the day that opened the trade
    CLOSING_NET = "closed_net"  # less what floats in loss at its end


class ProfitableDays(
    Objective,
    frozen=True,
    kw_only=True,
    tag="profitable_days",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """A day counts at `amount` or more."""

    days: int = field(name="n")
    amount: Allowance
    counted: Attributed
    ended: bool  # this day counts only once it is over

    reads_record: ClassVar[bool] = True

    def __post_init__(self) -> None:
        number_of_days(self.days)
        if self.amount.basis is AmountBasis.SHARE_OF_ANCHOR:
            raise ValueError("a day's profit is measured from no anchor")

    def count(self, standing: Standing) -> int:
        deposit, record = standing.deposit, standing.record
        wanted = self.amount.in_money(deposit, deposit)
        brought = [self.brought(day, day.open_loss) for day in record.before]
        if not self.ended:
            floating = standing.equity - standing.balance
            open_loss = min(floating, Money.zero(deposit.currency))
            brought.append(self.brought(record.today, open_loss))
        return sum(wanted <= each for each in brought)

    def brought(self, day: Day, open_loss: Money) -> Money:
        match self.counted:
            case Attributed.CLOSING:
                return day.booked
            case Attributed.OPENING:
                return day.earned
            case Attributed.CLOSING_NET:
                return day.booked + open_loss
            case _:
                assert_never(self.counted)

    def is_met(self, standing: Standing) -> bool:
        return self.days <= self.count(standing)

    def required(self, standing: Standing) -> str:  # noqa: ARG002 - others look at it
        return str(self.days)

    def actual(self, standing: Standing) -> str:
        return str(self.count(standing))
