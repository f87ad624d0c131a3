"""Writes the labelled sequences: `python -m tests.stories.gate.writing`.

Most are drawn at random with a fixed seed, some are made by hand after days that
happened. A label is what the sequence was made to be, never what the gate makes of it.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from msgspec import json
from msgspec.structs import replace

from domain.values.instrument import Instrument
from domain.values.quote import Side
from tests.stories.gate.labelled import (
    ALLOWED_LOSS,
    FILE,
    INSTRUMENTS,
    Said,
    Sequence,
)

TUESDAY: Final = datetime(2026, 3, 17, 14, tzinfo=UTC)
FRIDAY: Final = datetime(2026, 3, 20, 20, 59, 50, tzinfo=UTC)
SUNDAY: Final = datetime(2026, 3, 22, 22, 0, 5, tzinfo=UTC)
SATURDAY: Final = datetime(2026, 3, 21, 11, tzinfo=UTC)
LEVELS: Final = {"EURUSD": 1.1, "XAUUSD": 2_350, "US500": 5_300, "BTCUSD": 65_000}
SPREADS: Final = {"EURUSD": 6, "XAUUSD": 20, "US500": 40, "BTCUSD": 500}  # points
FAR: Final = {"EURUSD": 0.006, "XAUUSD": 0.012, "US500": 0.012, "BTCUSD": 0.025}
"""How far, as a share, the market may go against the trade: 10,000 are lost there."""

STEP: Final = 500  # milliseconds
NOISE: Final = 0.0001
MARKETS: Final = ("EURUSD", "XAUUSD", "US500")

Draw = Callable[["Tape"], None]


class Tape:
    """A market that is told where to go, and a source that may say something else."""

    def __init__(self, number: int, kind: str, chance: Random, symbol: str) -> None:
        self.chance = chance
        self.symbol = symbol
        self.instrument: Instrument = INSTRUMENTS[symbol]
        self.side = chance.choice((Side.BUY, Side.SELL))
        self.against = -1 if self.side is Side.BUY else 1
        self.level = LEVELS[symbol] * (1 + chance.uniform(-0.05, 0.05))
        self.now = 0
        self.begins = TUESDAY
        self.quotes: list[Said] = []
        self._name = (number, kind)

    @property
    def spread(self) -> Decimal:
        return SPREADS[self.symbol] * self.instrument.point

    def text(self, price: float) -> Decimal:
        return Decimal(price).quantize(self.instrument.point)

    def market(self, many: int = 1, every: int = STEP) -> None:
        """The market goes on from where it is, and the source says so."""
        for _ in range(many):
            self.level *= 1 + self.chance.uniform(-NOISE, NOISE)
            bid = self.text(self.level)
            if self.quotes and str(bid) == self.quotes[-1].bid:
                bid += self.instrument.point
            self.say(str(bid), str(bid + self.spread), is_market=True)
            self.now += every

    def fault(self, bid: str | None = None, ask: str | None = None) -> None:
        """The source says what is not so; the market stays where it is."""
        fair = self.text(self.level)
        self.say(bid or str(fair), ask or str(fair + self.spread))
        self.now += STEP

    def say(
        self, bid: str, ask: str, *, is_market: bool = False, delay: int = 0
    ) -> None:
        self.quotes.append(Said(self.now, bid, ask, is_market, delay))

    def moves(self, share: float) -> None:
        """The market goes against the trade by that share of its price."""
        self.level *= 1 + self.against * share

    def spike(self, share: float, towards: int | None = None) -> None:
        bid = self.text(self.level * (1 + (towards or self.against) * share))
        self.fault(str(bid), str(bid + self.spread))

    @property
    def far(self) -> float:
        return FAR[self.symbol]

    def sequence(self) -> Sequence:
        number, kind = self._name
        first = Decimal(self.quotes[0].bid)
        lots = ALLOWED_LOSS / (
            self.instrument.contract_size * first * Decimal(self.far)
        )
        sequence = Sequence(
            id=f"{kind.replace(' ', '-')}-{number:03}",
            kind=kind,
            symbol=self.symbol,
            side=self.side,
            quantity=lots.quantize(self.instrument.quantity_step),
            begins=self.begins,
            breach=False,
            quotes=tuple(self.quotes),
        )
        true = (said for said in self.quotes if said.is_market)
        return replace(sequence, breach=any(map(sequence.is_beyond, true)))


def weekend_gap(tape: Tape) -> None:
    tape.begins = FRIDAY
    tape.market(4)
    tape.now = int((SUNDAY - FRIDAY).total_seconds() * 1_000)
    tape.moves(tape.chance.uniform(1.3, 6) * tape.far)
    tape.market(4)


def quiet_weekend(tape: Tape) -> None:
    tape.begins = FRIDAY
    tape.market(4)
    tape.now = int((SUNDAY - FRIDAY).total_seconds() * 1_000)
    tape.moves(tape.chance.uniform(-0.8, 0.6) * tape.far)
    tape.market(4)


def flash_move_that_stays(tape: Tape) -> None:
    tape.market(4)
    tape.moves(tape.chance.uniform(1.3, 5) * tape.far)
    tape.market(5)


def flash_move_that_turns(tape: Tape) -> None:
    """Down and up again within seconds, each time confirmed: the loss was real."""
    tape.market(4)
    share = tape.chance.uniform(1.5, 4) * tape.far
    before = tape.level
    tape.moves(share)
    tape.market(3)
    tape.level = before
    tape.market(4)


def run_of_the_market(tape: Tape) -> None:
    tape.market(2)
    while tape.quotes and len(tape.quotes) < 14:
        tape.moves(0.003)
        tape.market(1)


def gap_after_silence(tape: Tape) -> None:
    tape.market(3)
    tape.now += tape.chance.randint(900, 1_500) * 1_000
    tape.moves(tape.chance.uniform(1.2, 2) * tape.far)
    tape.market(4)


def one_tick_spike(tape: Tape) -> None:
    tape.market(4)
    tape.spike(tape.chance.uniform(0.03, 0.3))
    tape.market(4)


def spike_in_favour(tape: Tape) -> None:
    """It would be a peak that never was, and a floor that trails it."""
    tape.market(4)
    tape.spike(tape.chance.uniform(0.03, 0.3), -tape.against)
    tape.market(4)


def spikes_between_quotes(tape: Tape) -> None:
    tape.market(3)
    for _ in range(4):
        tape.spike(tape.chance.uniform(0.03, 0.2))
        tape.market(1)
    tape.market(2)


def spikes_to_both_sides(tape: Tape) -> None:
    tape.market(3)
    for towards in (1, -1, 1, -1):
        tape.spike(tape.chance.uniform(0.04, 0.2), towards)
    tape.market(3)


def spike_then_gap(tape: Tape) -> None:
    """One wrong price, and right after it the market really goes."""
    tape.market(3)
    tape.spike(tape.chance.uniform(0.1, 0.3))
    tape.moves(tape.chance.uniform(1.5, 3) * tape.far)
    tape.market(4)


def fat_finger(tape: Tape) -> None:
    tape.market(4)
    bid = tape.text(tape.level)
    shifted = tape.chance.choice(
        (bid / 10, bid / 100, bid * 10, bid + bid / 10, bid - bid / 10, bid / 2)
    ).quantize(tape.instrument.point)
    tape.fault(str(shifted), str(shifted + tape.spread))
    tape.market(4)


def one_side_only(tape: Tape) -> None:
    tape.market(4)
    share = Decimal(tape.chance.uniform(0.05, 0.4))
    fair = tape.text(tape.level)
    if tape.side is Side.BUY:
        wrong = (fair * (1 - share)).quantize(tape.instrument.point)
        tape.fault(str(wrong), None)
    else:
        wrong = (fair * (1 + share)).quantize(tape.instrument.point)
        tape.fault(None, str(wrong))
    tape.market(4)


def crossed(tape: Tape) -> None:
    tape.market(4)
    fair = tape.text(tape.level)
    low = (fair * Decimal("0.9")).quantize(tape.instrument.point)
    tape.fault(str(fair), str(low))
    tape.market(4)


def no_price(tape: Tape) -> None:
    words = ("0", "-1", "NaN", "Infinity", "-Infinity", "1e3", "", "n/a", "0.0", "1,1")
    tape.market(4)
    wrong = tape.chance.choice(words)
    fair = str(tape.text(tape.level) + tape.spread)
    if wrong and tape.chance.random() < 0.5:
        tape.say(wrong, wrong)
    else:
        tape.say(wrong, fair)
    tape.now += STEP
    tape.market(4)


def late(tape: Tape) -> None:
    """An old price of a worse time, told again."""
    tape.market(4)
    low = tape.text(tape.level * (1 + tape.against * 0.2))
    tape.now += 20_000
    tape.say(
        str(low), str(low + tape.spread), delay=tape.chance.randint(11, 60) * 1_000
    )
    tape.now += 61_000
    tape.market(4)


def told_twice(tape: Tape) -> None:
    """The same wrong quote again, with the same stamp, confirms nothing."""
    tape.market(4)
    low = tape.text(tape.level * (1 + tape.against * tape.chance.uniform(0.05, 0.2)))
    for _ in range(3):
        tape.say(str(low), str(low + tape.spread))
    tape.now += STEP
    tape.market(4)


def stuck(tape: Tape) -> None:
    """Half an hour of one price; then the source lives again, near by."""
    tape.market(3)
    stale = tape.quotes[-1]
    for minute in range(30):
        tape.now += 60_000
        tape.say(stale.bid, stale.ask, is_market=minute < 9)
    tape.now += 60_000
    tape.moves(tape.chance.uniform(-0.3, 0.3) * tape.far)
    tape.market(4)


def stuck_over_a_gap(tape: Tape) -> None:
    """The market has gone while the source stood still: its first word shows it."""
    tape.market(3)
    stale = tape.quotes[-1]
    for minute in range(20):
        tape.now += 60_000
        tape.say(stale.bid, stale.ask, is_market=minute < 9)
    tape.now += 60_000
    tape.moves(tape.chance.uniform(1.3, 2) * tape.far)
    tape.market(4)


def broken_source(tape: Tape) -> None:
    """Faults enough for a quarantine; then the market, where it was."""
    tape.market(3)
    for number in range(26):
        tape.spike(tape.chance.uniform(0.05, 0.3), (1, -1)[number % 2])
    tape.market(4)


def broken_source_over_a_gap(tape: Tape) -> None:
    tape.market(3)
    for number in range(26):
        tape.spike(tape.chance.uniform(0.1, 0.3), (1, -1)[number % 2])
    tape.moves(tape.chance.uniform(1.5, 3) * tape.far)
    tape.market(4)


DRAWN: Final[tuple[tuple[str, Draw, int], ...]] = (
    ("weekend gap", weekend_gap, 36),
    ("quiet weekend", quiet_weekend, 18),
    ("flash move that stays", flash_move_that_stays, 36),
    ("flash move that turns", flash_move_that_turns, 18),
    ("run of the market", run_of_the_market, 15),
    ("gap after silence", gap_after_silence, 15),
    ("one tick spike", one_tick_spike, 48),
    ("spike in favour", spike_in_favour, 18),
    ("spikes between quotes", spikes_between_quotes, 18),
    ("spikes to both sides", spikes_to_both_sides, 18),
    ("spike then gap", spike_then_gap, 18),
    ("fat finger", fat_finger, 36),
    ("one side only", one_side_only, 18),
    ("crossed", crossed, 15),
    ("no price", no_price, 24),
    ("late", late, 15),
    ("told twice", told_twice, 15),
    ("stuck", stuck, 6),
    ("stuck over a gap", stuck_over_a_gap, 6),
    ("broken source", broken_source, 6),
    ("broken source over a gap", broken_source_over_a_gap, 6),
)
BY_HAND: Final[tuple[tuple[str, str, Side, datetime, bool, str], ...]] = (
    (
        "a peg that breaks, as that of the franc in January 2015",
        "EURUSD",
        Side.BUY,
        TUESDAY,
        True,
        """1.20100 1.20095 1.20098 1.18500 1.15000 1.10200 1.02000 0.95000 0.85200
        0.98000 1.01000 1.02500 1.02600 1.02550 1.02580""",
    ),
    (
        "a night without sellers, as that of the pound in October 2016",
        "EURUSD",
        Side.BUY,
        TUESDAY + timedelta(hours=9),
        True,
        """1.26000 1.25980 1.25500 1.24900 1.22000 1.21900 1.18400 1.18500 1.20500
        1.20400 1.23900 1.23950 1.24000""",
    ),
    (
        "an hour of machines, as that of the shares in May 2010",
        "US500",
        Side.BUY,
        TUESDAY + timedelta(hours=4),
        True,
        """5300.00 5285.00 5270.00 5255.00 5240.00 5225.00 5210.00 5195.00 5180.00
        5165.00 5190.00 5205.00 5230.00""",
    ),
    (
        "an election, quoted through the night",
        "XAUUSD",
        Side.SELL,
        TUESDAY + timedelta(hours=5),
        True,
        "2350.00 2356.00 2364.00 2371.00 2379.00 2388.00 2396.00 2390.00",
    ),
    (
        "an opening on a Sunday after a weekend of news",
        "XAUUSD",
        Side.BUY,
        FRIDAY,
        True,
        "2350.00 2350.40 2350.10 +176415000 2262.00 2263.50 2262.80",
    ),
    (
        "a coin that falls by a fifth on a Saturday, as in March 2020",
        "BTCUSD",
        Side.BUY,
        SATURDAY,
        True,
        """65000.00 64800.00 64500.00 62000.00 61900.00 58000.00 57900.00 52000.00
        51800.00 52100.00""",
    ),
    (
        "digits typed in the wrong order",
        "EURUSD",
        Side.BUY,
        TUESDAY,
        False,
        "1.10230 1.10235 !1.01230 1.10228 1.10231",
    ),
    (
        "another symbol's price for one quote",
        "XAUUSD",
        Side.BUY,
        TUESDAY,
        False,
        "2350.00 2350.20 !28.40 2350.10 2350.30",
    ),
    (
        "a test price left in the feed, high and low",
        "US500",
        Side.SELL,
        TUESDAY,
        False,
        "5300.00 5300.50 !9999.99 5300.20 !0.01 5300.30",
    ),
    (
        "the price of last year's contract, then the right one",
        "US500",
        Side.BUY,
        TUESDAY,
        False,
        "5300.00 5300.50 !4710.25 5299.80 5300.10",
    ),
    (
        "a thin book at the rollover: one trade far away",
        "XAUUSD",
        Side.BUY,
        TUESDAY + timedelta(hours=6),
        False,
        "2350.00 2349.80 !2280.00 2349.90 2350.10",
    ),
    (
        "a quiet Sunday opening",
        "EURUSD",
        Side.BUY,
        FRIDAY,
        False,
        "1.10000 1.10010 1.09990 +176415000 1.09800 1.09810 1.09790",
    ),
)


def by_hand(number: int) -> Sequence:
    """`!` is a wrong price, `+` a pause of that many milliseconds."""
    kind, symbol, side, begins, breach, prices = BY_HAND[number]
    tape = Tape(number, "by hand", Random(number), symbol)  # noqa: S311 - no secret
    tape.side, tape.begins = side, begins
    for word in prices.split():
        if word.startswith("+"):
            tape.now += int(word)
            continue
        bid = Decimal(word.removeprefix("!"))
        is_market = not word.startswith("!")
        tape.say(str(bid), str(bid + tape.spread), is_market=is_market)
        tape.now += STEP
    sequence = replace(tape.sequence(), kind=kind)
    assert sequence.breach is breach, f"{kind}: labelled by hand as {breach}"
    return sequence


def drawn() -> Iterator[Sequence]:
    for kind, draw, many in DRAWN:
        for number in range(many):
            chance = Random(f"{kind} {number}")  # noqa: S311 - no secret
            tape = Tape(number, kind, chance, MARKETS[number % len(MARKETS)])
            draw(tape)
            yield tape.sequence()
    for number in range(12):
        chance = Random(f"coin {number}")  # noqa: S311 - no secret
        tape = Tape(number, "coin on a Saturday", chance, "BTCUSD")
        tape.begins = SATURDAY
        (flash_move_that_stays, one_tick_spike)[number % 2](tape)
        yield tape.sequence()


def main() -> None:
    encoder = json.Encoder()
    sequences = [*drawn(), *(by_hand(number) for number in range(len(BY_HAND)))]
    lines = b"\n".join(encoder.encode(each) for each in sequences)
    FILE.write_bytes(lines + b"\n")


if __name__ == "__main__":
    main()
