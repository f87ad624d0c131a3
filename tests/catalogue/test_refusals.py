"""Every no of the business has a meaning in the one table that speaks HTTP."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import application
import domain
from api.problems import PROBLEMS, REFUSALS
from application.engine.engine import code_of
from application.engine.kept import REFUSED
from application.refusals import Waitable
from domain.values.refusal import Refused

PACKAGES = (domain, application)
PARENTS = {Waitable}  # never raised themselves


def refusals() -> list[type[Refused]]:
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return sorted(set(below(Refused)) - PARENTS, key=lambda each: each.__name__)


def below(kind: type[Refused]) -> Iterator[type[Refused]]:
    for each in kind.__subclasses__():
        if each.__module__.partition(".")[0] in {p.__name__ for p in PACKAGES}:
            yield each
            yield from below(each)


EVERY_NO = refusals()


@pytest.mark.parametrize("refused", EVERY_NO, ids=code_of)
def test_every_no_has_a_meaning(refused: type[Refused]) -> None:
    """Its own row, or the code that its name spells; then it is decided: a 409."""
    if refused in REFUSALS:
        assert REFUSALS[refused] in PROBLEMS
    else:
        assert PROBLEMS[code_of(refused)].status == REFUSED


@pytest.mark.parametrize("refused", EVERY_NO, ids=code_of)
def test_every_no_says_in_one_sentence_when_it_is_said(refused: type[Refused]) -> None:
    assert refused.__doc__
    assert refused.__doc__.split("\n\n")[0].rstrip().endswith(".")


def test_no_two_are_told_alike() -> None:
    codes = [code_of(each) for each in EVERY_NO]
    assert len(set(codes)) == len(codes)
