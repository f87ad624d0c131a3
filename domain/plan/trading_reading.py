"""What a plan leaves out of its trading terms is the house standard, written out."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import to_builtins

from domain.plan.findings import Notes
from domain.plan.rule_reading import converted
from domain.rules.trading_terms import HOUSE_STANDARD, TradingTerms

HOUSE: Final[Mapping[str, Any]] = to_builtins(HOUSE_STANDARD)


def read_trading(written: object, path: str, notes: Notes) -> TradingTerms | None:
    """None where it could not be read, which is then noted."""
    if written is None:
        return HOUSE_STANDARD
    if not isinstance(written, dict):
        notes.fault(path, "the terms of trading are needed, each by its name")
        return None
    return converted({**HOUSE, **written}, TradingTerms, path, notes)
