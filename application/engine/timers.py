"""When the next timer of each account runs out; the earliest is known at once.

An account waits in the queue once, at the earliest deadline that it had since. When
that comes and is its deadline no more, it goes on to wait for the one it has.
"""

from collections.abc import Mapping
from datetime import datetime
from heapq import heappop, heappush
from types import MappingProxyType


class Timers:
    def __init__(self) -> None:
        self._deadlines: dict[str, datetime] = {}
        self._queue: list[tuple[datetime, str]] = []
        self._queued: dict[
            str, datetime
        ] = {}  # where each waits; older places are void

    def set(self, account_id: str, deadline: datetime | None) -> None:
        if deadline is None:
            self._deadlines.pop(account_id, None)
            return
        self._deadlines[account_id] = deadline
        waits_at = self._queued.get(account_id)
        if waits_at is None or deadline < waits_at:
            self._wait(account_id, deadline)

    def _wait(self, account_id: str, at: datetime) -> None:
        self._queued[account_id] = at
        heappush(self._queue, (at, account_id))

    def due(self, until: datetime) -> datetime | None:
        """The earliest deadline at or before `until`."""
        while self._queue and self._queue[0][0] <= until:
            at, account_id = self._queue[0]
            deadline = self._deadlines.get(account_id)
            if deadline == at:
                return at
            heappop(self._queue)
            if self._queued.get(account_id) != at:
                continue
            del self._queued[account_id]
            if deadline is not None:
                self._wait(account_id, deadline)
        return None

    def strike(self) -> str:
        """Whose deadline is the earliest, which is due; it runs no more until set."""
        at, account_id = heappop(self._queue)
        if self._queued.get(account_id) == at:
            del self._queued[account_id]
        del self._deadlines[account_id]
        return account_id

    @property
    def known(self) -> Mapping[str, datetime]:
        return MappingProxyType(self._deadlines)
