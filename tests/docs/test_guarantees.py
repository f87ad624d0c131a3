"""Every published guarantee names tests, and each of them exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
PAGE = HERE / "docs" / "guarantees.md"
NAMED = re.compile(r"`(tests/[^`]+)`")


def rows() -> Iterator[tuple[str, str]]:
    """What is promised and by what it is shown: the first table of the page."""
    promises, _, _ = PAGE.read_text().partition("\n## ")
    for line in promises.splitlines():
        if line.startswith("| ") and not line.startswith("| guarantee "):
            _, promise, shown_by, _ = line.split("|")
            yield promise.strip(), shown_by.strip()


ROWS = dict(rows())


def test_there_are_guarantees() -> None:
    assert len(ROWS) > 25


@pytest.mark.parametrize("promise", ROWS)
def test_whatever_shows_it_is_there(promise: str) -> None:
    named = NAMED.findall(ROWS[promise])
    assert named, "nothing shows it"
    for each in named:
        path, _, function = each.partition("::")
        assert (HERE / path).exists(), each
        if function:
            assert function in functions_of(HERE / path), each
        elif path.endswith("/"):
            assert list((HERE / path).glob("test_*.py")), each


def functions_of(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
