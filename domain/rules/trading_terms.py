"""On what terms an account trades: its book, its costs, and how far its margin carries.

They are part of what is sold, and are written out whole: what a plan leaves out here is
the house standard. A sale from before there were such terms has none.
"""

from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Final

from msgspec import Meta, Struct

from domain.values.exact import plain

HUNDRED: Final = Decimal(100)
HIGHEST_LEVEL: Final = Decimal(1_000)  # per cent of the margin
MOST_POINTS: Final = 100  # that a fill may slip

Seed = Annotated[int, Meta(ge=0, le=2**32)]
Weight = Annotated[int, Meta(ge=0, le=1_000_000)]
Milliseconds = Annotated[int, Meta(ge=0, le=60_000)]
Seconds = Annotated[int, Meta(ge=1, le=604_800)]


class Book(StrEnum):
    """What an order meets that is open in its symbol already."""

    HEDGING = "hedging"  # nothing: each order opens a trade of its own
    NETTING = "netting"  # the one position of that symbol


class CommissionDue(StrEnum):
    """When the commission of a round turn is charged."""

    ON_OPEN = "on_open"
    ON_CLOSE = "on_close"  # with each close, by its share of the lots


class SwapDue(StrEnum):
    POSTED = "posted"  # to the balance, at each rollover
    ACCRUED = "accrued"  # on the position, to the balance with its closes


class HedgedMargin(StrEnum):
    """What two sides of one symbol hold together."""

    UNCOVERED = "uncovered"  # only what the one side has more than the other
    LARGER_LEG = "larger_leg"
    FULL = "full"  # both


class NegativeBalance(StrEnum):
    KEEP = "keep"
    ZERO = "zero"  # what a flat account owes is made good


class Slippage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a fill is from its quote, in points and against the trader.

    The n-th weight, counted from 0, is how many of all fills slip n points.
    """

    seed: Seed
    weights: tuple[Weight, ...]

    def __post_init__(self) -> None:
        if len(self.weights) not in range(1, MOST_POINTS + 2) or not sum(self.weights):
            raise ValueError("weights: of 0 to at most a hundred points, and not all 0")


class Latency(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long after its order a fill is said to be done; it changes no price."""

    seed: Seed
    at_least: Milliseconds
    at_most: Milliseconds

    def __post_init__(self) -> None:
        if self.at_most < self.at_least:
            raise ValueError("at_most: less than at_least")


class TradingTerms(
    Struct, frozen=True, kw_only=True, dict=True, forbid_unknown_fields=True
):
    book: Book
    commission: CommissionDue
    swap: SwapDue
    hedged_margin: HedgedMargin
    margin_call: Decimal  # per cent of the margin: equity there or below is called
    stop_out: Decimal  # likewise: equity there or below closes the worst position
    negative_balance: NegativeBalance
    slippage: Slippage | None
    latency: Latency | None
    conversion_stale_after: (
        Seconds | None
    )  # older quotes convert no order; None: all do

    def __post_init__(self) -> None:
        for level in (self.margin_call, self.stop_out):
            plain(level)
            if not 0 <= level <= HIGHEST_LEVEL:
                raise ValueError("a margin level is from 0 to 1000 per cent")
        if self.margin_call < self.stop_out:
            raise ValueError("margin_call: below stop_out")

    @cached_property
    def called_share(self) -> Decimal:
        """Of the margin; it stays here, because every tick asks for it."""
        return self.margin_call / HUNDRED


HOUSE_STANDARD: Final = TradingTerms(
    book=Book.HEDGING,
    commission=CommissionDue.ON_OPEN,
    swap=SwapDue.POSTED,
    hedged_margin=HedgedMargin.UNCOVERED,
    margin_call=Decimal(100),
    stop_out=Decimal(50),
    negative_balance=NegativeBalance.KEEP,
    slippage=None,
    latency=None,
    conversion_stale_after=None,
)
