"""The rows of one table as they were left, so that few have to be asked for again.

They stay true for as long as nobody else moves the checkpoint: whoever does so first
makes our next page fail, and then all is forgotten.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

R = TypeVar("R")

MOST: Final = 10_000  # rows, the latest used last


class Remembered(Generic[R]):
    def __init__(self) -> None:
        self._rows: OrderedDict[str, R | None] = OrderedDict()  # None: there is no row

    def known(self, keys: Iterable[str]) -> dict[str, R | None]:
        return {key: self._rows[key] for key in keys if key in self._rows}

    def learn(self, rows: Iterable[tuple[str, R | None]]) -> None:
        for key, row in rows:
            self._rows[key] = row
            self._rows.move_to_end(key)
        while len(self._rows) > MOST:
            self._rows.popitem(last=False)

    def forget(self) -> None:
        self._rows.clear()
