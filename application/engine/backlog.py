"""Who is not judged to the head yet, and by what each of them still has to be.

While anybody is behind, all that happens is kept with the prices that it left. Whoever
is behind is judged by it in its order: when its turn comes, or before it is asked for
anything. What is not on disk is taken back, as everything that a batch has changed.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from msgspec import Struct

from application.engine.occasion import Occasion
from domain.values.trading_day import TradingDay

MOST_KEPT: Final = 1_000  # then no more quotes are taken until nobody is behind


Touch = str | TradingDay | datetime  # a symbol quoted, a day turned, a deadline come


class Happening(Struct, frozen=True):
    """A quote, a boundary or a deadline; the occasion holds the prices of then."""

    occasion: Occasion
    of: Touch


class Backlog:
    def __init__(self) -> None:
        self._kept: list[Happening] = []
        self._first = 0  # the number of the first that is kept
        self._behind: dict[str, int] = {}  # by the number that comes next
        self._turns: deque[tuple[int, deque[str]]] = deque()  # the lowest first
        self._changed: dict[str, int | None] = {}  # by the batch under construction
        self._sealed: dict[str, int | None] = {}  # by the one on its way to the disk
        self._shown: dict[str, int] = {}
        self._sealed_end = self._shown_end = 0
        self._is_full = False

    def __len__(self) -> int:
        return len(self._behind)

    def __contains__(self, account_id: str) -> bool:
        return account_id in self._behind

    @property
    def kept(self) -> int:
        return len(self._kept) if self._behind else 0

    @property
    def is_full(self) -> bool:
        """Whether so much is kept that nothing may be added until nobody is behind."""
        return self._is_full and bool(self._behind)

    @property
    def since(self) -> datetime:
        """When that happened which somebody has waited longest to be judged by."""
        return self._kept[self._turn()[0] - self._first].occasion.moment.at

    def keep(self, happening: Happening, touched: Sequence[str]) -> None:
        """Those it touches are behind from here on, if they are not already."""
        number = self._end
        self._kept.append(happening)
        self._is_full = len(self._kept) >= MOST_KEPT
        behind = dict.fromkeys(touched, number)
        self._turns.append((number, deque(touched)))
        self._behind |= behind
        self._changed |= behind

    def first(self) -> str:
        """Whose turn it is."""
        return self._turn()[1]

    def _turn(self) -> tuple[int, str]:
        """Leave out who has been judged out of turn."""
        while True:
            number, waiting = self._turns[0]
            while waiting:
                if self._behind.get(waiting[0]) == number:
                    return number, waiting[0]
                waiting.popleft()
            self._turns.popleft()

    def take(self, account_id: str) -> Sequence[Happening]:
        """It is judged now: by these, as far as they concern it."""
        number = self._behind.pop(account_id)
        self._changed[account_id] = None
        return self._kept[number - self._first :]

    def resume(self, kept: Sequence[Happening], behind: dict[str, int]) -> None:
        """Go on where the log ends; `behind` by index of what is kept, lowest first."""
        self._kept, self._first = list(kept), 0
        self._shown = dict(behind)
        self._fall_back()
        self._shown_end = self._sealed_end = self._end

    def seal(self) -> None:
        self._sealed, self._changed = self._changed, {}
        self._sealed_end = self._end

    def settle(self) -> None:
        for account_id, number in self._sealed.items():
            if number is None:
                self._shown.pop(account_id, None)
            else:
                self._shown[account_id] = number
        self._sealed, self._shown_end = {}, self._sealed_end
        if not self._behind and not self._shown:
            self._first = self._end
            self._kept.clear()
            self._turns.clear()

    def drop(self) -> Iterable[str]:
        """Answer whose judging is undone, or not done yet."""
        undone = dict.fromkeys((*self._shown, *self._sealed, *self._changed))
        self._fall_back()
        self._sealed, self._changed = {}, {}
        del self._kept[max(0, self._shown_end - self._first) :]
        self._sealed_end = self._shown_end
        return undone

    def _fall_back(self) -> None:
        self._behind = dict(self._shown)
        by_number = groupby(
            sorted(self._shown, key=self._shown.__getitem__), self._shown.__getitem__
        )
        self._turns = deque((number, deque(each)) for number, each in by_number)

    @property
    def is_shown(self) -> bool:
        """Whether anybody is behind by what is on disk."""
        return bool(self._shown)

    @property
    def shown_end(self) -> int:
        """The number that follows the last happening that is on disk."""
        return self._shown_end

    def is_past(self, number: int) -> bool:
        """Whether all that happened before it has been judged, and that is on disk."""
        if self._behind and self._turn()[0] < number:  # quickly seen, as mostly
            return False
        return min(self._shown.values(), default=number) >= number

    @property
    def _end(self) -> int:
        return self._first + len(self._kept)
