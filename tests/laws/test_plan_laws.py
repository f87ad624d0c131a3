"""Whatever a plan says: it is read as it was written, judged, explained, compared."""

from decimal import Decimal

from hypothesis import given
from msgspec.structs import replace

from domain.plan.content import Content
from domain.plan.difference import differences
from domain.plan.events import Size
from domain.plan.explanation import explain
from domain.plan.findings import errors
from domain.plan.linter import lint, lint_content
from domain.plan.reading import read
from domain.rules.phase import Phase
from domain.rules.terms import Terms
from tests.laws.phases import terms
from tests.stories.plans import document_of

SIZES = tuple(
    Size(deposit=Decimal(deposit), price=Decimal(99))
    for deposit in (10_000, 25_000, 1_000_000)
)


def content(sold: Terms) -> Content:
    return Content(name="any", sizes=SIZES, terms=sold)


@given(terms())
def test_what_is_written_is_read_or_refused(sold: Terms) -> None:
    reading = read(document_of("any", SIZES, sold))
    assert reading.faults == ()
    if errors(reading.findings):
        assert reading.content is None
    else:
        assert reading.content == content(sold)


@given(terms())
def test_every_finding_names_its_place_and_two_readings(sold: Terms) -> None:
    for found in lint(document_of("any", SIZES, sold)):
        assert found.field
        assert found.reason
        assert len(set(found.readings)) == 2


@given(terms())
def test_what_passes_is_explained_rule_by_rule(sold: Terms) -> None:
    plan = content(sold)
    if errors(lint_content(plan)):
        return
    for size in SIZES:
        told = explain(plan, size.deposit)
        ids = [[rule.rule for rule in phase.rules] for phase in told.phases]
        assert ids == [[rule.id for rule in phase.rules] for phase in sold.phases]
        assert all(rule.example for phase in told.phases for rule in phase.rules)


@given(terms(), terms())
def test_a_difference_is_told_where_there_is_one(one: Terms, other: Terms) -> None:
    found = differences(content(one), content(other))
    assert (found == ()) is (sorted_by_id(one) == sorted_by_id(other))
    assert differences(content(one), content(one)) == ()


@given(terms())
def test_the_order_of_rules_makes_no_difference(sold: Terms) -> None:
    assert differences(content(sold), content(sorted_by_id(sold))) == ()


def sorted_by_id(sold: Terms) -> Terms:
    def in_order(phase: Phase) -> Phase:
        return replace(
            phase, rules=tuple(sorted(phase.rules, key=lambda rule: rule.id))
        )

    return replace(sold, phases=tuple(in_order(each) for each in sold.phases))
