"""Luck needs one day; the phase asks for several."""

from msgspec import field

from domain.rules.objective import Objective
from domain.rules.standing import Standing

LONGEST = 3_660


class MinimumDays(
    Objective,
    frozen=True,
    kw_only=True,
    tag="min_days",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """Days on which a position was opened; one held overnight counts once."""

    days: int = field(name="n")

    def __post_init__(self) -> None:
        number_of_days(self.days)

    def is_met(self, standing: Standing) -> bool:
        return self.days <= standing.trading_days

    def required(self, standing: Standing) -> str:  # noqa: ARG002 - others look at it
        return str(self.days)

    def actual(self, standing: Standing) -> str:
        return str(standing.trading_days)


def number_of_days(days: int) -> None:
    if not 0 < days <= LONGEST:
        raise ValueError("not a number of days")
