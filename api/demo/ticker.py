"""Tells what happens on the floor, one line each, and keeps the score."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from api.demo.tape import Tape

Say = Callable[[str], None]


class Ticker:
    """Lines carry the market's own time, in UTC."""

    def __init__(self, tape: Tape, say: Say) -> None:
        self.passes = 0
        self.breaches = 0
        self._tape = tape
        self._say = say

    def tell(self, who: str, what: str) -> None:
        self.note(f"{who:<18} {what}")

    def note(self, line: str) -> None:
        self._say(f"{clock(self._tape.at)}  {line}")


def clock(at: datetime | None) -> str:
    return "--:--:--" if at is None else f"{at:%H:%M:%S}"


def money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def gain(share: Decimal) -> str:
    return f"{share * 100:+.2f} %"
