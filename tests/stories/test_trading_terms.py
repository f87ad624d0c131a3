"""What a plan leaves out of its terms of trading is written out, sold and hashed."""

from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from domain.plan.difference import Difference, ForTrader, differences
from domain.plan.explanation import explain
from domain.plan.findings import Severity
from domain.plan.linter import lint
from domain.plan.reading import read
from domain.plan.trading_words import TRADING
from domain.rules.phase import Phase
from domain.rules.terms import ADJUDICATOR, Terms
from domain.rules.trading_terms import HOUSE_STANDARD, TradingTerms
from tests.stories import plans
from tests.stories.facts import MAX_LOSS, phase_with


def sold(**trading: Any) -> TradingTerms:
    document = plans.document(plans.phase(plans.MAX_LOSS, trading=trading))
    (phase,) = read(document).phases
    assert phase is not None
    assert phase.trading is not None
    return phase.trading


def faults(**trading: Any) -> list[str]:
    document = plans.document(plans.phase(plans.MAX_LOSS, trading=trading))
    return [each.path for each in read(document).faults]


def test_a_plan_that_says_nothing_sells_the_house_standard() -> None:
    (phase,) = read(plans.document(plans.phase(plans.MAX_LOSS))).phases
    assert phase is not None
    assert phase.trading == HOUSE_STANDARD
    assert to_builtins(phase)["trading"] == {
        "book": "hedging",
        "commission": "on_open",
        "swap": "posted",
        "hedged_margin": "uncovered",
        "margin_call": "100",
        "stop_out": "50",
        "negative_balance": "keep",
        "slippage": None,
        "latency": None,
        "conversion_stale_after": None,
    }


def test_what_is_left_out_is_the_house_standard_too() -> None:
    netting = sold(book="netting", stop_out="20")
    assert netting.book == "netting"
    assert (
        replace(netting, book=HOUSE_STANDARD.book, stop_out=HOUSE_STANDARD.stop_out)
        == HOUSE_STANDARD
    )


def test_what_is_written_out_reads_back_the_same() -> None:
    once = sold(slippage={"seed": 7, "weights": [70, 20, 10]}, margin_call="120")
    assert sold(**to_builtins(once)) == once


@pytest.mark.parametrize(
    ("trading", "place"),
    [
        ({"book": "both"}, "book"),
        ({"books": "netting"}, "books"),
        ({"margin_call": "40"}, ""),  # below the stop-out
        ({"stop_out": "NaN"}, ""),
        ({"stop_out": 0.5}, "stop_out"),
        ({"slippage": {"seed": 1, "weights": []}}, "slippage"),
        ({"slippage": {"seed": 1, "weights": [0, 0]}}, "slippage"),
        ({"latency": {"seed": 1, "at_least": 9, "at_most": 8}}, "latency"),
        ({"conversion_stale_after": 0}, "conversion_stale_after"),
    ],
)
def test_what_no_plan_can_say_is_a_fault(trading: dict[str, Any], place: str) -> None:
    found = faults(**trading)
    assert found
    assert all(
        each.startswith(f"phases[0].trading.{place}".rstrip(".")) for each in found
    )


def test_a_word_in_place_of_the_terms_is_a_fault() -> None:
    document = plans.document(plans.phase(plans.MAX_LOSS, trading="standard"))
    assert [each.path for each in read(document).faults] == ["phases[0].trading"]


def test_other_terms_of_trading_are_another_hash() -> None:
    def hash_of(phase: Phase) -> str:
        return Terms(adjudicator=ADJUDICATOR, currency="USD", phases=(phase,)).hash

    phase = phase_with(MAX_LOSS)
    house = replace(phase, trading=HOUSE_STANDARD)
    zero = replace(HOUSE_STANDARD, stop_out=HOUSE_STANDARD.margin_call)
    hashes = {hash_of(each) for each in (phase, house, replace(phase, trading=zero))}
    assert len(hashes) == 3


def test_every_term_has_words() -> None:
    assert tuple(TRADING) == TradingTerms.__struct_fields__
    content = read(plans.document(plans.phase(plans.MAX_LOSS))).content
    assert content is not None
    told = explain(content).phases[0].trading
    assert len(told) == len(TRADING)
    assert "the margin call: with equity at or below 100 % of the margin" in told


def compared(**trading: Any) -> tuple[Difference, ...]:
    one, other = (
        read(plans.document(plans.phase(plans.MAX_LOSS, trading=each))).content
        for each in ({}, trading)
    )
    assert one is not None
    assert other is not None
    return differences(one, other)


def test_a_comparison_says_what_is_kinder() -> None:
    (kinder,) = compared(stop_out="20")
    assert kinder.field == "phases[evaluation].trading.stop_out"
    assert kinder.for_trader is ForTrader.KINDER
    (stricter,) = compared(hedged_margin="full")
    assert stricter.for_trader is ForTrader.STRICTER
    (other,) = compared(book="netting")
    assert other.for_trader is ForTrader.OTHER
    assert compared() == ()


@pytest.mark.parametrize(
    ("trading", "place"),
    [
        ({"stop_out": "100"}, "margin_call"),
        ({"book": "netting", "hedged_margin": "full"}, "hedged_margin"),
    ],
)
def test_what_is_odd_is_doubted(trading: dict[str, Any], place: str) -> None:
    findings = lint(plans.document(plans.phase(plans.MAX_LOSS, trading=trading)))
    (doubt,) = [each for each in findings if "trading" in each.field]
    assert doubt.field == f"phases[0].trading.{place}"
    assert doubt.severity is Severity.WARNING
