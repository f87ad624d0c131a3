"""What quotes from elsewhere have in common: lost connections, and too many digits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Final, Protocol

import structlog

from domain.values.instrument import Instrument
from domain.venue.gate import RawQuote

log = structlog.get_logger("tradesense.feed")

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0

Batch = tuple[RawQuote, ...]


class FeedMissing(Exception):
    """A feed was asked for whose library or whose keys are not there."""


class Source(Protocol):
    """One connection, for as long as it lasts; each call begins another."""

    def __call__(self) -> AsyncIterator[Batch]: ...


class Reconnecting:
    """A `MarketFeed` over a source that may break; the pauses are bounded.

    Of what went wrong only the kind is written down: a message may quote a key.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._source = source
        self._sleep = sleep

    async def quotes(self) -> AsyncIterator[Batch]:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                async for batch in self._source():
                    pause = FIRST_PAUSE_SECONDS
                    yield batch
            except Exception as fault:  # noqa: BLE001 - whatever it was, it is tried again
                log.warning("feed-lost", feed=self._name, cause=type(fault).__name__)
            else:
                log.warning("feed-ended", feed=self._name)
            await self._sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def to_points(
    prices: tuple[object, object], instrument: Instrument
) -> tuple[str, str, bool]:
    """Bring finer prices to the instrument's points: bids down, asks up.

    What is no number is passed on as it is said: the gate refuses and keeps it.
    """
    bid, ask = (text_of(price) for price in prices)
    try:
        whole_bid = Decimal(bid).quantize(instrument.point, ROUND_FLOOR)
        whole_ask = Decimal(ask).quantize(instrument.point, ROUND_CEILING)
    except InvalidOperation:
        return bid, ask, False
    is_finer = whole_bid != Decimal(bid) or whole_ask != Decimal(ask)
    return f"{whole_bid:f}", f"{whole_ask:f}", is_finer


def text_of(price: object) -> str:
    """Write a number as a person would: no exponent, and no more than it says."""
    if isinstance(price, float | int):
        try:
            return f"{Decimal(repr(price)):f}"
        except InvalidOperation:
            return repr(price)
    return "" if price is None else str(price)


def sourced(name: str, *, is_finer: bool) -> str:
    return f"{name}, rounded away from the middle" if is_finer else name
