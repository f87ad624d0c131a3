"""`quotes:SYMBOL`: what the live market bids and asks, as often as a round is taken."""

from collections.abc import Mapping
from typing import Final

from api.streaming.hub import Hub
from application.caller import Caller
from application.engine.draft import Draft
from application.gateway import LIVE_PARTITION
from application.happenings import Happenings
from application.refusals import NotFound
from domain.values.quote import Quote

QUOTE: Final = "quote"


class Quotes:
    message = QUOTE

    def __init__(self, hub: Hub, happenings: Happenings) -> None:
        self._hub = hub
        self._happenings = happenings
        self._shown: dict[str, int] = {}  # of each symbol that is read, its sequence
        self._seen: Mapping[str, Quote] = {}
        happenings.tell(self.heard)
        hub.refreshes.append(self.refresh)

    def admit(self, subject: str, caller: Caller | None) -> None:
        del caller  # anyone
        if subject not in self._happenings.symbols():
            raise NotFound(subject)

    async def opening(self, subject: str) -> Quote | None:
        quote = self._happenings.quotes().get(subject)
        self._shown[subject] = quote.sequence if quote else 0
        return quote

    def heard(self, partition: str, draft: Draft) -> None:
        if self._shown and partition == LIVE_PARTITION and draft.tick_blocks:
            self._hub.stir()

    def refresh(self, now: float) -> bool:
        del now
        quotes = self._happenings.quotes()
        if quotes is not self._seen:
            self._seen = quotes
            for symbol, shown in tuple(self._shown.items()):
                name = f"quotes:{symbol}"
                if name not in self._hub:
                    del self._shown[symbol]
                elif (quote := quotes.get(symbol)) and quote.sequence > shown:
                    self._shown[symbol] = quote.sequence
                    self._hub.show(name, QUOTE, quote)
        return False
