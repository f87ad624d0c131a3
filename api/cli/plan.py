"""`tradesense plan`: lint what was written, compare versions, explain the terms."""

from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files
from textwrap import TextWrapper
from typing import Final

import click
import msgspec
from msgspec import to_builtins

from api.cli.plan_sources import (
    AMBIGUOUS,
    NotAPlan,
    content_from,
    finding_in_lines,
    linted,
)
from application.plan_documents import TEMPLATES
from domain.plan.content import Content
from domain.plan.difference import Difference, ForTrader, differences
from domain.plan.explanation import PhaseTold, PlanTold, explain
from domain.plan.findings import errors, warnings
from domain.values.exact import exact

DIFFERENT: Final = 1
MARKS: Final = {ForTrader.KINDER: "+", ForTrader.STRICTER: "-", ForTrader.OTHER: "~"}
WIDTH: Final = 88

as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on stdout."
)


@click.group()
def plan() -> None:
    """Read plans as data; SOURCE is a file, a template's name or a plan's ID[@N]."""


@plan.command("lint")
@click.argument("file")
@as_json_option
def lint_plan(file: str, *, as_json: bool) -> None:
    """Say where FILE can be read in two ways; exit 1 when it can, 2 if it is no plan.

    A warning is shown and refuses nothing.
    """
    try:
        findings = linted(file).findings
    except NotAPlan as reason:
        if as_json:
            said = {"file": file, "ok": False, "errors": to_builtins(reason.faults)}
            click.echo(msgspec.json.encode(said))
        raise
    refused = len(errors(findings))
    if as_json:
        said = {"file": file, "ok": not refused, "findings": to_builtins(findings)}
        click.echo(msgspec.json.encode(said))
    else:
        for line in finding_in_lines(findings):
            click.echo(line)
        doubts = many(len(warnings(findings)), "warning")
        click.echo(f"{file}: {many(refused, 'error')}, {doubts}")
    if refused:
        raise SystemExit(AMBIGUOUS)


@plan.command("diff")
@click.argument("before", metavar="SOURCE")
@click.argument("after", metavar="SOURCE")
@as_json_option
def diff_plans(before: str, after: str, *, as_json: bool) -> None:
    """Say what the second changes for the trader; exit 1 when anything differs."""
    one, other = content_from(before), content_from(after)
    found = differences(one, other)
    if as_json:
        said = {
            "before": named(before, one),
            "after": named(after, other),
            "differences": to_builtins(found),
        }
        click.echo(msgspec.json.encode(said))
    else:
        for each in found:
            click.echo(difference_in_words(each))
        told = many(len(found), "difference")
        click.echo(f"{told}. What was sold keeps its terms.")
    if found:
        raise SystemExit(DIFFERENT)


@plan.command("explain")
@click.argument("source")
@click.option("--deposit", help="Of the worked examples; else the first size.")
@as_json_option
def explain_plan(source: str, deposit: str | None, *, as_json: bool) -> None:
    """Tell the terms in plain words, with examples that the rules themselves compute.

    Exit 1 when it can be read in two ways, 2 when it cannot be read.
    """
    content = content_from(source)
    told = explain(content, size_of(content, deposit))
    if as_json:
        click.echo(msgspec.json.encode(told))
    else:
        click.echo("\n".join(in_words(told)))


@plan.command("templates")
@click.argument("name", required=False, type=click.Choice(TEMPLATES))
@as_json_option
def list_templates(name: str | None, *, as_json: bool) -> None:
    """List the plans to begin with; with NAME, print that one's document."""
    if name is not None:
        place = files("application.plan_templates") / f"{name}.json"
        click.echo(place.read_text(), nl=False)
        return
    known = [(each, content_from(each)) for each in TEMPLATES]
    if as_json:
        said = [named(each, content) for each, content in known]
        click.echo(msgspec.json.encode({"items": said}))
        return
    for each, content in known:
        phases = " -> ".join(phase.name for phase in content.terms.phases)
        prices = ", ".join(f"{size.deposit:,}" for size in content.sizes)
        click.echo(f"{each:18} {phases}; {prices} {content.terms.currency}")


def many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def named(source: str, content: Content) -> dict[str, object]:
    return {
        "source": source,
        "name": content.name,
        "terms_hash": content.terms.hash,
        "phases": [phase.name for phase in content.terms.phases],
        "deposits": [f"{size.deposit:f}" for size in content.sizes],
    }


def size_of(content: Content, deposit: str | None) -> Decimal | None:
    if deposit is None:
        return None
    sizes = [size.deposit for size in content.sizes]
    try:
        if (wanted := exact(deposit)) in sizes:
            return wanted
    except ValueError:
        pass
    raise NotAPlan(f"it is sold with {', '.join(f'{each:f}' for each in sizes)}")


def difference_in_words(it: Difference) -> str:
    return f"{MARKS[it.for_trader]} {it.field}\n{wrapped(it.says, '    ')}"


def in_words(told: PlanTold) -> Iterator[str]:
    yield f"{told.name}, {told.terms_hash}"
    yield wrapped(f"Sold: {'; '.join(told.sizes)}.", "  ")
    yield f"  The examples are of {told.deposit}."
    for place, phase in enumerate(told.phases, start=1):
        yield ""
        yield from phase_in_words(place, phase)
    for add_on in told.add_ons:
        yield ""
        yield f"Add-on {add_on.id}: {add_on.name}, for {add_on.price}"
        for change in add_on.changes:
            yield wrapped(change, "  ")


def phase_in_words(place: int, phase: PhaseTold) -> Iterator[str]:
    yield f"{place}. {phase.name}"
    yield wrapped(f"{phase.day} {phase.ends}", "  ")
    for rule in phase.rules:
        yield f"  {rule.title} ({rule.rule})"
        yield wrapped(rule.says, "    ")
        for line in rule.example:
            yield wrapped(line, "      ", first="    > ")
    yield "  trading"
    for term in phase.trading:
        yield wrapped(term, "      ", first="    ")


def wrapped(text: str, indent: str, first: str | None = None) -> str:
    return TextWrapper(
        width=WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
    ).fill(text)
