"""Whatever a plan says: it is read as it was written, judged, explained, compared."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.plan.content import Content
from domain.plan.difference import differences
from domain.plan.events import Size
from domain.plan.explanation import explain
from domain.plan.findings import errors
from domain.plan.linter import lint, lint_content
from domain.plan.reading import read
from domain.rules.flow_marks import FlowMarks
from domain.rules.max_loss import MaxLoss, Mode
from domain.rules.phase import Phase, Rule
from domain.rules.terms import ADJUDICATOR, Terms
from domain.rules.trading_terms import HOUSE_STANDARD
from domain.values.trading_day import TradingDay
from tests.laws.phases import any_rule, days, terms
from tests.stories.facts import PRAGUE, TARGET
from tests.stories.plans import document_of

SIZES = tuple(
    Size(deposit=Decimal(deposit), price=Decimal(99))
    for deposit in (10_000, 25_000, 1_000_000)
)


WITH_A_TARGET = st.sampled_from([(), (TARGET,)])


def content(sold: Terms) -> Content:
    return Content(name="any", sizes=SIZES, terms=sold)


def content_with(*rules: Rule, day: TradingDay = PRAGUE) -> Content:
    phase = Phase(name="evaluation", trading_day=day, rules=rules)
    return content(Terms(adjudicator=ADJUDICATOR, currency="USD", phases=(phase,)))


def written_out(sold: Terms) -> Terms:
    """With what a plan gets that is silent of trading, and of payouts."""
    phases = tuple(
        replace(
            each,
            trading=each.trading or HOUSE_STANDARD,
            rules=tuple(map(rule_written_out, each.rules)),
        )
        for each in sold.phases
    )
    return replace(sold, phases=phases)


def rule_written_out(rule: Rule) -> Rule:
    if isinstance(rule, MaxLoss) and rule.mode is Mode.TRAILING:
        return replace(rule, flow_marks=rule.flow_marks or FlowMarks.SHIFT)
    return rule


@given(terms())
def test_what_is_written_is_read_or_refused_with_two_readings(sold: Terms) -> None:
    document = document_of("any", SIZES, sold)
    reading = read(document)
    assert reading.faults == ()
    if errors(reading.findings):
        assert reading.content is None
    else:
        assert reading.content == content(written_out(sold))
    for found in lint(document):
        assert found.field
        assert found.reason
        assert len(set(found.readings)) == 2


@given(any_rule("any"), days, WITH_A_TARGET)
def test_what_passes_is_explained_with_numbers(
    rule: Rule, day: TradingDay, more: tuple[Rule, ...]
) -> None:
    plan = content_with(rule, *more, day=day)
    if errors(lint_content(plan)):
        return
    for size in SIZES:
        (told,) = explain(plan, size.deposit).phases
        assert [each.rule for each in told.rules] == [rule.id, *(r.id for r in more)]
        assert all(each.example for each in told.rules)


@given(any_rule("any"), any_rule("any") | any_rule("other"))
def test_a_difference_is_told_where_there_is_one(one: Rule, other: Rule) -> None:
    before, after = content_with(one), content_with(other)
    assert (differences(before, after) == ()) is (one == other)
    assert differences(before, before) == ()


@given(any_rule("any"))
def test_the_order_of_rules_makes_no_difference(rule: Rule) -> None:
    before, after = content_with(rule, TARGET), content_with(TARGET, rule)
    assert differences(before, after) == ()
