"""EURUSD as it was in 2017: the hours are real, the path inside an hour is synthetic.

Now stands for the same weekday and hour, by New York's clock, of a week in 2017,
so that weekends stay weekends through every change of the clocks. Fifty-one weeks
go round, the week of Christmas left out for its holiday; where the last week meets
the first, the price jumps over that weekend from 1.19 down to 1.05.
"""

from datetime import UTC, date, datetime, time, timedelta
from math import sqrt
from typing import Final

from domain.values.trading_day import zone_of
from domain.venue.gate import RawQuote
from infrastructure.feeds.bridge import Pillar, Walk, bridge
from infrastructure.feeds.chance import Chance
from infrastructure.feeds.hourly_bars import Bar, hourly_bars
from infrastructure.feeds.source import EPOCH, STEP, price
from infrastructure.feeds.spread import Spread

NEW_YORK: Final = zone_of("America/New_York")
FIRST_SUNDAY: Final = date(2017, 1, 1)
OPENS_AT: Final = time(17)
WEEKS: Final = 51
HOURS: Final = 120  # of trading in a week
HOUR: Final = timedelta(hours=1)
STEPS: Final = HOUR // STEP
RANGE_OF_WALK: Final = 1.6  # a walk of n steps spans 1.6 times their root, on average
USUALLY: Final = 0.75
DIGITS: Final = 5
USUAL_SPREAD: Final = 6


class ReplayedEurusd:
    symbol = "EURUSD"

    def __init__(self, seed: int) -> None:
        self._bars = hourly_bars()
        self._path = Chance(seed, "replay", self.symbol)
        self._spread = Spread(Chance(seed, "spread", self.symbol), USUAL_SPREAD)

    def bar(self, at: datetime) -> Bar | None:
        """Find the hour of 2017 that `at` stands for; None at weekends."""
        local = at.astimezone(NEW_YORK).replace(tzinfo=None)
        sunday = local.date() - timedelta(days=(local.weekday() + 1) % 7)
        hour = (local - datetime.combine(sunday, OPENS_AT)) // HOUR
        if hour not in range(HOURS):
            return None
        week = (sunday - FIRST_SUNDAY).days // 7 % WEEKS
        return self._bars[week * HOURS + hour]

    def quote(self, at: datetime) -> RawQuote | None:
        if (bar := self.bar(at)) is None:
            return None
        into = (at.astimezone(UTC) - EPOCH) % HOUR
        ask = points_within(bar, into // STEP, self._path)
        return RawQuote(
            symbol=self.symbol,
            bid=price(ask - self._spread.points(at), DIGITS),
            ask=price(ask, DIGITS),
            at=at,
            source_at=bar.began + into,
            source="EURUSD 2017 by the hour, path synthetic",
        )


def points_within(bar: Bar, step: int, chance: Chance) -> int:
    """Begin at the open, end at the close, touch high and low, leave neither."""
    key = (bar.began - EPOCH) // HOUR
    stations = pillars(bar, chance)
    left = max(each for each in stations if each.step <= step)
    right = min(each for each in stations if each.step >= step)
    walk = Walk(
        deviation=(bar.high - bar.low) / (RANGE_OF_WALK * sqrt(STEPS)),
        chance=lambda middle: chance.deviation(key, middle),
        low=bar.low,
        high=bar.high,
    )
    return round(bridge(left, right, step, walk))


def pillars(bar: Bar, chance: Chance) -> tuple[Pillar, ...]:
    """Put the extremes that neither open nor close is at some step of the hour.

    A rising hour saw its low first more often than not, a falling one its high.
    """
    key = (bar.began - EPOCH) // HOUR
    ends = Pillar(0, bar.open), Pillar(STEPS - 1, bar.close)
    early = 1 + int(chance.share(key, -1) * (STEPS // 2 - 1))
    late = STEPS // 2 + int(chance.share(key, -2) * (STEPS // 2 - 1))
    is_rising = bar.close >= bar.open
    is_usual = chance.share(key, -3) < USUALLY
    extremes = (bar.low, bar.high) if is_rising == is_usual else (bar.high, bar.low)
    between = (
        Pillar(at, level)
        for at, level in zip((early, late), extremes, strict=True)
        if level not in (bar.open, bar.close)
    )
    return (ends[0], *between, ends[1])
