"""What the page on rules shows is what the files say, and its way leads to a rule."""

import re
from pathlib import Path
from typing import Final

from tests.copies import copied, exchanged, failed
from tests.docs.fences import HERE

PAGE: Final = HERE / "docs" / "adding-a-rule.md"
FILE_OR_CODE: Final = re.compile(
    r"^`([\w/]+\.py)`$|^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
NAMED: Final = re.compile(r"`((?:domain|tests|api|application)/[\w/.]+)`")


def test_the_code_is_that_of_the_files() -> None:
    source, shown = "", 0
    for file, code in FILE_OR_CODE.findall(PAGE.read_text()):
        if file:
            source = (HERE / file).read_text()
        else:
            assert code in source, code
            shown += 1
    assert shown > 3


def test_the_files_are_there() -> None:
    for named in NAMED.findall(PAGE.read_text()):
        assert (HERE / named).exists(), named


RULE: Final = '''\
"""The floor follows the highest balance at which nothing was open."""

from domain.rules.limit import Limit
from domain.rules.marks import Mark
from domain.rules.standing import Standing


class FlatTrail(
    Limit,
    frozen=True,
    kw_only=True,
    tag="flat_trail",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    def anchor(self, standing: Standing) -> Mark:
        return standing.marks.peak_flat

    def anchor_is(self) -> str:
        return "the highest balance with nothing open was"
'''
STORY: Final = '''\
"""A partial close lifts nothing while the rest is open."""

import msgspec

from application.cases import Case, adjudicate
from domain.rules.flat_trail import FlatTrail
from domain.rules.limit import Comparator, Effect, Evaluated, Measured
from tests.stories.facts import FIVE_PERCENT, account_with, buy_gold, close, gold_at
from tests.stories.story import given

RULE = FlatTrail(
    id="trail",
    allowance=FIVE_PERCENT,
    comparator=Comparator.BELOW,
    measured=Measured.EQUITY,
    evaluated=Evaluated.EVERY_TICK,
    effect=Effect.HARD,
)
half_closed = (buy_gold, gold_at("2040"), close(quantity="0.50"))  # 2,000 are booked


def test_a_part_that_is_closed_lifts_nothing() -> None:
    story = given(account_with(RULE), *half_closed)
    story.when(gold_at("1860")).then_nothing()
    story.when(gold_at("1859.99")).then_breached_at("95000.00")


def test_what_is_closed_to_the_end_does() -> None:
    story = given(account_with(RULE), *half_closed, close(), gold_at("1999"), buy_gold)
    story.when(gold_at("1950")).then_nothing()
    story.when(gold_at("1949.99")).then_breached_at("99000.00")


def test_it_is_judged_in_a_case() -> None:
    rule = {"id": "trail", "kind": "flat_trail", "amount": ["abs", "5"], "cmp": "lt"}
    rule |= {"measured": "equity", "eval": "tick", "effect": "hard"}
    told = {
        "id": "new",
        "plan": {"initial": "100", "reset": ["UTC", "00:00"], "rules": [rule]},
        "events": [
            {"at": "2026-01-05T10:00:00Z", "balance": "110"},
            {"at": "2026-01-05T10:00:01Z", "equity": "104.99"},
        ],
    }
    (verdict,) = adjudicate(msgspec.convert(told, Case)).verdicts
    assert list(verdict) == ["e2", "trail", "hard", "105.00", "104.99"]
'''


def test_a_rule_is_a_file_a_line_and_a_story(tmp_path: Path) -> None:
    """Followed to the letter in a copy; all else that judges stays as it is."""
    copy = copied(tmp_path)
    rules, stories = copy / "domain" / "rules", copy / "tests" / "stories"
    (rules / "flat_trail.py").write_text(RULE)
    (stories / "test_flat_trail.py").write_text(STORY)
    phase = rules / "phase.py"
    line = "LimitRule = DailyLoss | MaxLoss | WeeklyLoss | DailyCap"
    exchanged(phase, f"{line}\n", f"{line} | FlatTrail\n")
    known = "from domain.rules.daily_loss import DailyLoss\n"
    exchanged(phase, known, f"{known}from domain.rules.flat_trail import FlatTrail\n")
    tests = re.findall(r"^def (test_\w+)", STORY, re.MULTILINE)
    told = [f"tests/stories/test_flat_trail.py::{name}" for name in tests]
    assert failed(copy, *told, "tests/stories/test_max_loss.py") == []
    phase.write_text((HERE / "domain" / "rules" / "phase.py").read_text())
    assert failed(copy, *told) == sorted(told)  # without its line nobody asks it
