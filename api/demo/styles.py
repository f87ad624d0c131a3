"""Ways to find the next trade. Each looks at the tape, and some throw a coin."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, Literal, NamedTuple

from api.demo.tape import Quoted, Tape

Side = Literal["buy", "sell"]
SHORT: Final = 6  # beats
LONG: Final = 20
LIVELIEST: Final = 3


class Wish(NamedTuple):
    symbol: str
    side: Side


Style = Callable[[Tape, Sequence[Quoted], Random], Wish | None]


def trend(tape: Tape, offered: Sequence[Quoted], _: Random) -> Wish | None:
    """Go with the symbol that has gone furthest."""
    symbol, move = furthest(tape, offered, LONG)
    return Wish(symbol, with_it(move)) if abs(move) > 1 else None


def reversal(tape: Tape, offered: Sequence[Quoted], _: Random) -> Wish | None:
    """What went far must come back."""
    symbol, move = furthest(tape, offered, LONG)
    return Wish(symbol, against_it(move)) if abs(move) > 1 else None


def impulse(tape: Tape, offered: Sequence[Quoted], _: Random) -> Wish | None:
    """Jump on whatever has just jumped."""
    symbol, move = furthest(tape, offered, SHORT)
    return Wish(symbol, with_it(move)) if abs(move) > 1 / 2 else None


def breakout(tape: Tape, offered: Sequence[Quoted], _: Random) -> Wish | None:
    """Buy a new high, sell a new low."""
    for quoted in offered:
        symbol = quoted.listed.symbol
        if seen := tape.seen(symbol, LONG):
            if seen[-1] > max(seen[:-1]):
                return Wish(symbol, "buy")
            if seen[-1] < min(seen[:-1]):
                return Wish(symbol, "sell")
    return None


def bull(tape: Tape, offered: Sequence[Quoted], chance: Random) -> Wish:
    """Everything goes up in the end."""
    return Wish(lively(tape, offered, chance), "buy")


def bear(tape: Tape, offered: Sequence[Quoted], chance: Random) -> Wish:
    """Everything comes down in the end."""
    return Wish(lively(tape, offered, chance), "sell")


def gamble(tape: Tape, offered: Sequence[Quoted], chance: Random) -> Wish:
    """Why look at a chart when there is a coin?"""
    symbol = lively(tape, offered, chance)
    return Wish(symbol, "buy" if chance.random() < 1 / 2 else "sell")


def lively(tape: Tape, offered: Sequence[Quoted], chance: Random) -> str:
    """Pick one of the few that swing most for what their spread costs."""
    symbols = [each.listed.symbol for each in offered]
    symbols.sort(key=lambda symbol: tape.swing(symbol, SHORT), reverse=True)
    return chance.choice(symbols[:LIVELIEST])


def furthest(tape: Tape, offered: Sequence[Quoted], beats: int) -> tuple[str, float]:
    symbols = (each.listed.symbol for each in offered)
    moves = ((symbol, tape.move(symbol, beats)) for symbol in symbols)
    return max(moves, key=lambda each: abs(each[1]))


def with_it(move: float) -> Side:
    return "buy" if move > 0 else "sell"


def against_it(move: float) -> Side:
    return "sell" if move > 0 else "buy"
