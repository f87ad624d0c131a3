"""Terms of trading that contradict each other, or say what is never asked."""

from domain.plan.findings import Notes
from domain.rules.phase import Phase
from domain.rules.trading_terms import Book, HedgedMargin
from domain.values.money import Money


def lint_trading(
    phase: Phase,
    deposits: tuple[Money, ...],  # noqa: ARG001 - every check of a phase is given them
    path: str,
    notes: Notes,
) -> None:
    terms = phase.trading
    if terms is None:
        return
    if terms.margin_call == terms.stop_out:
        notes.doubt(
            f"{path}.trading.margin_call",
            "the margin call comes with the stop-out, too late for anybody to act on",
            "the worst position is closed without a warning",
            "a call above the stop-out was meant",
        )
    is_hedge_named = terms.hedged_margin is not HedgedMargin.UNCOVERED
    if terms.book is Book.NETTING and is_hedge_named:
        notes.doubt(
            f"{path}.trading.hedged_margin",
            "in a netting book nothing is hedged, so this is never asked",
            "the book is netting, whatever a hedge would hold",
            "a hedging book was meant",
        )
