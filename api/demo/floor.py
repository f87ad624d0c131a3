"""The trading floor: once a beat the market is read, and everybody takes one step."""

import asyncio
from collections.abc import Sequence
from typing import Final

from api.demo.answers import Page, Symbol
from api.demo.client import Client, NotNow, Refused
from api.demo.tape import Tape
from api.demo.ticker import Ticker, gain
from api.demo.trader import Trader

SUMMARY_EVERY: Final = 15  # beats


class Floor:
    def __init__(
        self,
        watcher: Client,
        venue_id: str,
        traders: Sequence[Trader],
        tape: Tape,
        ticker: Ticker,
    ) -> None:
        self._watcher = watcher
        self._venue_id = venue_id
        self._traders = traders
        self._tape = tape
        self._ticker = ticker
        self._beats = 0
        self._is_cut_off = False

    async def beat(self) -> int:
        """Take one; the answer is how many seconds to wait for the next."""
        try:
            symbols = await self._watcher.get(
                "/market-data/symbols", Page[Symbol], venue_id=self._venue_id
            )
        except (NotNow, Refused) as trouble:
            if not self._is_cut_off:
                self._ticker.note(f"waiting for the market ({trouble})")
            self._is_cut_off = True
            return trouble.seconds if isinstance(trouble, NotNow) else SUMMARY_EVERY
        self._is_cut_off = False
        self._tape.take(symbols.items)
        beat, self._beats = self._beats, self._beats + 1
        await asyncio.gather(*(each.step(beat, self._tape) for each in self._traders))
        if self._beats % SUMMARY_EVERY == 0:
            self._ticker.note(self._summary())
        return 1

    def _summary(self) -> str:
        here = [each for each in self._traders if each.account is not None]
        trading = sum(each.trade is not None for each in here)
        said = (
            f"{len(here)} traders, {trading} open trades,"
            f" {self._ticker.passes} passes, {self._ticker.breaches} breaches"
        )
        gains = [(each.gain(self._tape), each.part.name) for each in here]
        if not gains:
            return said
        most, name = max(gains)
        return f"{said}, best {name} {gain(most)}"
