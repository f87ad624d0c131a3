"""Where the quotes of the live venue come from."""

from collections.abc import AsyncIterator
from typing import Protocol

from domain.venue.gate import RawQuote


class MarketFeed(Protocol):
    def quotes(self) -> AsyncIterator[tuple[RawQuote, ...]]:
        """Small batches in the order of time, made when they are asked for.

        Nothing waits in a queue: a reader that comes late gets the market as it
        then stands, and what it missed is gone.
        """
        ...
