"""The account may never fall by an allowance below its deposit or high-water mark.

A static floor hangs below the deposit and never moves. A trailing floor follows the
high-water mark up and never comes back down; a lock stops it at the deposit plus an
amount.
"""

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum

from msgspec import field

from domain.rules import claims
from domain.rules.flow_marks import FlowMarks
from domain.rules.limit import Limit
from domain.rules.marks import Mark, higher
from domain.rules.standing import Standing
from domain.values.exact import plain
from domain.values.money import Money


class Mode(StrEnum):
    STATIC = "static"
    TRAILING = "trail"


class Follows(StrEnum):
    """The high-water mark: raised at every instant, or at boundaries only."""

    BALANCE = "balance"
    EQUITY = "equity"  # unrealised profit lifts the floor, at a tick
    HIGHER_OF_BOTH = "max"
    CLOSE_BALANCE = "eod_balance"
    CLOSE_HIGHER_OF_BOTH = "eod_max"


class MaxLoss(
    Limit,
    frozen=True,
    kw_only=True,
    omit_defaults=True,  # the last term is younger than terms that are in the log
    tag="max",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    mode: Mode
    follows: Follows | None = field(name="hwm_on")  # None: static
    lock: Decimal | None  # money above the deposit; None: the floor stops nowhere
    flow_marks: FlowMarks | None = None  # None: static, or as `shift`

    def __post_init__(self) -> None:
        if (self.mode is Mode.TRAILING) is (self.follows is None):
            raise ValueError("a trailing floor follows a mark, a static one does not")
        if self.lock is not None:
            plain(self.lock)

    def anchor(self, standing: Standing) -> Mark:
        marks = standing.marks
        match self.follows:
            case None:
                return marks.deposit
            case Follows.BALANCE:
                return marks.peak_balance
            case Follows.EQUITY:
                return marks.peak_equity
            case Follows.HIGHER_OF_BOTH:
                return higher(marks.peak_balance, marks.peak_equity)
            case Follows.CLOSE_BALANCE:
                return marks.close_balance
            case Follows.CLOSE_HIGHER_OF_BOTH:
                return higher(marks.close_balance, marks.close_equity)

    def anchor_is(self) -> str:
        match self.follows:
            case None:
                return "deposit"
            case Follows.BALANCE:
                return "the highest balance was"
            case Follows.EQUITY:
                return "the highest equity was"
            case Follows.HIGHER_OF_BOTH:
                return "the highest of both was"
            case Follows.CLOSE_BALANCE:
                return "the highest balance at a day's end was"
            case Follows.CLOSE_HIGHER_OF_BOTH:
                return "the highest of both at a day's end was"

    def floor(self, standing: Standing) -> Money:
        floor = super().floor(standing)
        if self.lock is None:
            return floor
        deposit = standing.deposit
        return min(floor, deposit + Money.rounded(self.lock, deposit.currency))

    @property
    def is_locked(self) -> bool:
        return self.lock is not None

    def lock_claims(self, hung: Money, deposit: Money) -> Iterator[str]:
        assert self.lock is not None
        lock = Money.rounded(self.lock, deposit.currency)
        highest = deposit + lock
        yield from claims.in_cents(self.lock, lock)
        yield f"{deposit.amount}{claims.signed(lock.amount)} = {highest.amount}"
        lower = min(hung, highest)
        yield f"min({hung.amount}, {highest.amount}) = {lower.amount}"
