"""How pages are written: templates, numbers, times, and what a browser may load."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template import TemplateConfig

from api.console import wording
from api.problems import Problem

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
MINUS: Final = "\N{MINUS SIGN}"
CENT: Final = Decimal("0.01")

# Stricter than the documentation's: no style but from our own files either.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
}


def money(amount: Decimal) -> str:
    """`1234.5` is told as `1,234.50`, with a true minus where there is one."""
    return f"{rounded(amount):,.2f}".replace("-", MINUS)


def signed(amount: Decimal) -> str:
    shown = rounded(amount)
    return f"{shown:+,.2f}".replace("-", MINUS) if shown else "0.00"


def goal(told: str, kind: str) -> str:
    """Only a target is money; days and shares are told as they are."""
    return money(Decimal(told)) if kind.endswith("target") else told


def tone(amount: Decimal) -> str:
    """Tell the class of a number; its sign says the same to those who see no colour."""
    shown = rounded(amount)
    if not shown:
        return "flat"
    return "up" if shown > 0 else "down"


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN) + 0  # no -0.00


def instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def clock(at: datetime) -> str:
    """Readable without a script; the browser tells it in the reader's own zone."""
    return at.astimezone(UTC).strftime("%d %b %H:%M:%S UTC")


def plain(number: Decimal) -> str:
    return f"{number:f}"


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": money,
        "signed": signed,
        "tone": tone,
        "goal": goal,
        "instant": instant,
        "clock": clock,
        "plain": plain,
        "kind": wording.kind,
    }
    environment.globals |= {"in_words": wording.rule, "by_phase": wording.by_phase}
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))


def page(template: str, **context: Any) -> Template:  # noqa: ANN401 - a template's own names
    return Template(template, context=context, headers=HEADERS)


def problem_page(problem: Problem) -> Template:
    return Template(
        "problem.html",
        context={"problem": problem},
        headers={**HEADERS, **problem.headers},
        status_code=problem.status,
    )
