"""When the next timer of each account runs out; the earliest is known at once."""

from collections.abc import Mapping
from datetime import datetime
from heapq import heappop, heappush
from types import MappingProxyType


class Timers:
    def __init__(self) -> None:
        self._deadlines: dict[str, datetime] = {}
        self._in_order: list[tuple[datetime, str]] = []  # with what was set before

    def set(self, account_id: str, deadline: datetime | None) -> None:
        if deadline is None:
            self._deadlines.pop(account_id, None)
        elif self._deadlines.get(account_id) != deadline:
            self._deadlines[account_id] = deadline
            heappush(self._in_order, (deadline, account_id))

    def due(self, until: datetime) -> datetime | None:
        """The earliest deadline at or before `until`."""
        while self._in_order and self._in_order[0][0] <= until:
            at, account_id = self._in_order[0]
            if self._deadlines.get(account_id) == at:
                return at
            heappop(self._in_order)  # set anew since
        return None

    def strike(self) -> str:
        """Whose deadline is the earliest, which is due; it runs no more until set."""
        _, account_id = heappop(self._in_order)
        del self._deadlines[account_id]
        return account_id

    @property
    def known(self) -> Mapping[str, datetime]:
        return MappingProxyType(self._deadlines)
