"""The terms of trading in words, one by one: for explanations and comparisons."""

from collections.abc import Iterator, Mapping
from typing import Final

from domain.plan.words import Term, choice, less_is_kinder, share_of
from domain.rules.trading_terms import (
    Book,
    CommissionDue,
    HedgedMargin,
    Latency,
    NegativeBalance,
    Slippage,
    SwapDue,
    TradingTerms,
)

BOOKS: Final[Mapping[Book, str]] = {
    Book.HEDGING: "each order opens a trade of its own",
    Book.NETTING: "a symbol has one position, and orders add to it or take from it",
}
COMMISSIONS: Final[Mapping[CommissionDue, str]] = {
    CommissionDue.ON_CLOSE: "with each close, for the lots that it closes",
    CommissionDue.ON_OPEN: "with the opening, for the whole round turn",
}
SWAPS: Final[Mapping[SwapDue, str]] = {
    SwapDue.POSTED: "changes the balance at each rollover",
    SwapDue.ACCRUED: "changes equity at each rollover, and the balance with the close",
}
HEDGED: Final[Mapping[HedgedMargin, str]] = {
    HedgedMargin.UNCOVERED: "only for what one side has more than the other",
    HedgedMargin.LARGER_LEG: "only for the side that needs more",
    HedgedMargin.FULL: "for both sides",
}
NEGATIVE: Final[Mapping[NegativeBalance, str]] = {
    NegativeBalance.ZERO: "is set to zero once nothing is open",
    NegativeBalance.KEEP: "stays",
}


def slippage_in_words(slippage: Slippage | None, _: str) -> str:
    if slippage is None:
        return "none"
    all_, told = sum(slippage.weights), []
    for points, weight in enumerate(slippage.weights):
        if weight:
            told.append(f"{points} points in {weight} of {all_} fills")
    return f"against the trader, {', '.join(told)} (seed {slippage.seed})"


def latency_in_words(latency: Latency | None, _: str) -> str:
    if latency is None:
        return "none"
    said = f"{latency.at_least} to {latency.at_most} ms (seed {latency.seed})"
    return f"{said}, which is recorded and changes no price"


def staleness_in_words(seconds: int | None, _: str) -> str:
    return "of any age" if seconds is None else f"not older than {seconds} s"


def longer_is_kinder(after: int | None, before: int | None) -> bool:
    return after is None or (before is not None and after > before)


TRADING: Final[Mapping[str, Term]] = {
    "book": choice("the book", BOOKS),
    "commission": choice("the commission is charged", COMMISSIONS),
    "swap": choice("swap", SWAPS),
    "hedged_margin": choice(
        "two sides of one symbol hold margin", HEDGED, kindest_first=True
    ),
    "margin_call": share_of("the margin call", "of the margin", less_is_kinder),
    "stop_out": share_of(
        "the worst position is closed", "of the margin", less_is_kinder
    ),
    "negative_balance": choice("a balance below zero", NEGATIVE, kindest_first=True),
    "slippage": Term(label="slippage of fills", says=slippage_in_words),
    "latency": Term(label="latency of fills", says=latency_in_words),
    "conversion_stale_after": Term(
        label="quotes that convert an order",
        says=staleness_in_words,
        kinder=longer_is_kinder,
    ),
}
AT_EQUITY: Final = frozenset({"margin_call", "stop_out"})


def trading_in_words(terms: TradingTerms | None, currency: str) -> Iterator[str]:
    if terms is None:
        yield "sold before there were terms of trading: neither swap nor stop-out"
        return
    for name, term in TRADING.items():
        said = term.says(getattr(terms, name), currency)
        at = "with equity at or below " if name in AT_EQUITY else ""
        yield f"{term.label}: {at}{said}"
