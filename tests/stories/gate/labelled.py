"""Quotes with their truth: where the market stood, and whether that ends an account."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from msgspec import Struct, json

from domain.values.instrument import Instrument
from domain.values.quote import Side
from domain.venue.gate import RawQuote
from domain.venue.standard_instruments import BTCUSD, EURUSD, US500, XAUUSD

FILE: Final = Path(__file__).with_name("sequences.jsonl")
INSTRUMENTS: Final = {each.symbol: each for each in (EURUSD, XAUUSD, US500, BTCUSD)}
ALLOWED_LOSS: Final = Decimal(10_000)  # of a deposit of 100,000


class Said(Struct, frozen=True, array_like=True):
    """A quote; `is_market` says whether the market really stood there."""

    milliseconds: int  # since the beginning
    bid: str
    ask: str
    is_market: bool
    delay: int = 0  # milliseconds between the exchange's stamp and its arrival


class Sequence(Struct, frozen=True, kw_only=True):
    """The account holds a trade from the first quote on, and may lose 10,000."""

    id: str
    kind: str
    symbol: str
    side: Side
    quantity: Decimal
    begins: datetime
    breach: bool  # what the market, and nothing else, says of the account
    quotes: tuple[Said, ...]

    @property
    def instrument(self) -> Instrument:
        return INSTRUMENTS[self.symbol]

    def raw(self, said: Said) -> RawQuote:
        at = self.begins + timedelta(milliseconds=said.milliseconds)
        return RawQuote(self.symbol, said.bid, said.ask, at, at, "labelled")

    def is_beyond(self, said: Said) -> bool:
        """Whether closing at that quote would lose more than is allowed."""
        first = self.quotes[0]
        if self.side is Side.BUY:
            move = Decimal(said.bid) - Decimal(first.ask)
        else:
            move = Decimal(first.bid) - Decimal(said.ask)
        return move * self.quantity * self.instrument.contract_size < -ALLOWED_LOSS


def labelled() -> Iterator[Sequence]:
    decoder = json.Decoder(Sequence)
    for line in FILE.read_bytes().splitlines():
        yield decoder.decode(line)
