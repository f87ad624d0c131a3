"""Luck needs one day; the phase asks for several."""

from msgspec import Struct, field

from domain.rules.standing import Standing

LONGEST = 3_660


class MinimumDays(
    Struct,
    frozen=True,
    kw_only=True,
    tag="min_days",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """Days on which a position was opened; one held overnight counts once."""

    id: str
    days: int = field(name="n")

    def __post_init__(self) -> None:
        if not 0 < self.days <= LONGEST:
            raise ValueError("not a number of days")

    def is_met(self, standing: Standing) -> bool:
        return self.days <= standing.trading_days
