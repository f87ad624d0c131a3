"""How often a proof is repeated, and where it tells what it has measured."""

from typing import Protocol

import pytest
from msgspec import Struct


class Counts(Struct, frozen=True):
    """Small in `make test`, full in `make prove`."""

    is_full: bool

    def of(self, quick: int, full: int) -> int:
        return full if self.is_full else quick


class Figure(Protocol):
    def __call__(self, text: str) -> None: ...


@pytest.fixture(scope="session")
def counts(is_full: object) -> Counts:
    return Counts(is_full=bool(is_full))


@pytest.fixture
def figure(record_property: object) -> Figure:
    """Keep a line for the end of the run, and for `prove.log`."""

    def keep(text: str) -> None:
        assert callable(record_property)
        record_property("figure", text)

    return keep
