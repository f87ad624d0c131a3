"""How far bid and ask stand apart: the symbol's usual points, more at a rollover."""

from datetime import datetime, timedelta
from typing import Final

from domain.values.trading_day import zone_of
from infrastructure.feeds.chance import Chance
from infrastructure.feeds.source import EPOCH

HOLDS: Final = timedelta(seconds=5)
NEW_YORK: Final = zone_of("America/New_York")
ROLLOVER_HOUR: Final = 17
AT_ROLLOVER: Final = 3  # times the usual


class Spread:
    def __init__(self, chance: Chance, usual: int) -> None:
        self._chance = chance
        self._usual = usual

    def points(self, at: datetime) -> int:
        jitter = self._chance.share((at - EPOCH) // HOLDS)
        spread = self._usual + int(self._usual * jitter / 2)
        is_rollover = at.astimezone(NEW_YORK).hour == ROLLOVER_HOUR
        return spread * AT_ROLLOVER if is_rollover else spread
