"""What every contestant tells: the quotes of one symbol, as the product words them."""

from collections.abc import Iterator
from decimal import Decimal

from api.streaming.messages import Message
from api.streaming.pieces import ENCODE
from benchmarks.floor import ASK, BID, MONDAY
from domain.values.quote import Quote

CHANNEL = "quotes:EURUSD"
KIND = "quote"
MARK = b'"symbol":'  # once in each message
FIRST_SEQ = 1_767_603_600_000_000
SLICE = 64  # messages told between two looks at the sockets


def quotes(many: int) -> Iterator[Quote]:
    bid, ask = Decimal(BID), Decimal(ASK)
    for sequence in range(many):
        yield Quote("EURUSD", bid, ask, sequence, MONDAY)


def messages(many: int) -> Iterator[bytes]:
    """Encode each as it is told, as ours does."""
    for quote in quotes(many):
        yield ENCODE(Message(CHANNEL, FIRST_SEQ + quote.sequence, KIND, quote))
