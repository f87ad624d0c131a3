"""The page on rules names tests and cases that there are, and leaves out none."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from tests.docs.fences import HERE

PAGE: Final = HERE / "docs" / "rules.md"
STORIES: Final = HERE / "tests" / "stories"
CASES: Final = HERE / "docs" / "cases"
FILE: Final = re.compile(r"`(?:tests/(?P<folder>laws)/)?(?P<name>test_\w+\.py)`")
CASE: Final = re.compile(r"\b([A-Z])(\d\d)b?(?:-[A-Z](\d\d))?\b")
# Rows of tables that are no cases: what is sold binds, and what payouts look at.
BESIDE: Final = frozenset({"V01", "P04", "P06", "P08"})


def table() -> str:
    return PAGE.read_text().partition("## Rule by rule")[2].partition("\n## ")[0]


def test_the_tests_that_the_page_names_are_there() -> None:
    named = [(found["folder"], found["name"]) for found in FILE.finditer(table())]
    assert len(named) > 15
    for folder, name in named:
        assert (HERE / "tests" / (folder or "stories") / name).exists(), name


def published() -> set[str]:
    """Without the letter that tells two cases of a row apart."""
    return {
        case["id"][:3]
        for file in CASES.glob("*.json")
        for case in msgspec.json.decode(file.read_bytes())
    }


def cited() -> Iterator[str]:
    """Every case that the page names: `G36-G38` are three."""
    for letter, first, last in CASE.findall(table()):
        for number in range(int(first), int(last or first) + 1):
            yield f"{letter}{number:02}"


def test_the_page_names_every_case_that_is_published() -> None:
    assert published() - set(cited()) == set()


def test_each_row_of_the_tables_has_a_story_that_names_it() -> None:
    rows = {each for each in published() if each[0] in "KYI"} | BESIDE
    told = " ".join(docstrings())
    assert {row for row in rows if not re.search(rf"\b{row}\b", told)} == set()


def docstrings() -> Iterator[str]:
    for file in sorted(STORIES.glob("test_*.py")):
        yield from (said for said in docstrings_of(file) if said)


def docstrings_of(file: Path) -> Iterator[str | None]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, kinds) and node.name.startswith("test_"):
            yield ast.get_docstring(node)
