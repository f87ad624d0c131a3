"""One table about to be told of a page: what it must know, and what then changes."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from infrastructure.event_store.wire import Call, Row
from projections.remembered import Remembered
from projections.table import Projection, Rows, Wanted
from projections.told import Told

R = TypeVar("R", bound=Struct)


class Listening(Generic[R]):
    def __init__(
        self,
        projection: Projection[R],
        remembered: Remembered[R],
        heard: Sequence[Told],
    ) -> None:
        self._projection = projection
        self._remembered = remembered
        self._heard = heard
        self._wanted = projection.wanted(heard)
        self._known = remembered.known(self._wanted.keys)
        self._rows: Rows[R] = Rows({})

    def asks(self) -> tuple[Call, ...]:
        """Ask for the rows that it wants to see and does not remember."""
        unknown = self._wanted.keys - self._known.keys()
        return self._projection.table.finding(Wanted(unknown, self._wanted.also))

    def changes(self, answers: Sequence[Row]) -> tuple[Call, ...]:
        """Tell the rows, and give what stores them; `answers` to what it asked."""
        found = self._projection.table.found(answers)
        self._rows = Rows({**self._known, **found})
        return self._projection.changes(self._rows, self._heard)

    def remember(self) -> None:
        """What it has been told stands."""
        keys = (*self._wanted.keys, *self._rows.changed)
        self._remembered.learn((key, self._rows.get(key)) for key in keys)
