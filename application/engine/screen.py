"""Which accounts a quote may touch: those that hold its symbol or convert by it.

This one is plain and exact: every account named is adjudicated. A faster screen may
name fewer, as long as it never leaves out one that adjudication would convict.
"""

from collections import defaultdict
from collections.abc import Sequence

NONE: frozenset[str] = frozenset()


class Screen:
    def __init__(self) -> None:
        self._by_symbol: dict[str, dict[str, None]] = defaultdict(dict)
        self._symbols: dict[str, frozenset[str]] = {}

    def anchor(self, account_id: str, now: frozenset[str]) -> None:
        """Take note of the symbols that move an account as it now stands."""
        before = self._symbols.get(account_id, NONE)
        if before == now:
            return
        for symbol in before - now:
            del self._by_symbol[symbol][account_id]
        for symbol in now - before:
            self._by_symbol[symbol][account_id] = None
        if now:
            self._symbols[account_id] = now
        else:
            self._symbols.pop(account_id, None)

    def expose(self, account_ids: Sequence[str], symbols: frozenset[str]) -> None:
        """Take note of many at once, of whom nothing is known yet."""
        if not symbols:
            return
        for symbol in symbols:
            self._by_symbol[symbol].update(dict.fromkeys(account_ids))
        self._symbols.update(dict.fromkeys(account_ids, symbols))

    def forget(self, account_id: str) -> None:
        for symbol in self._symbols.pop(account_id, frozenset()):
            del self._by_symbol[symbol][account_id]

    def touched(self, symbol: str) -> tuple[str, ...]:
        return tuple(self._by_symbol.get(symbol, ()))

    @property
    def exposed(self) -> int:
        return len(self._symbols)
