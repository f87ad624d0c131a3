"""How consecutive quotes of a venue are kept: columns of integers, chained by hash.

The body says whose it is and where it stands, so that no block can change places.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final, Self

from msgspec import MsgspecError, Struct, msgpack

from application.engine.journal import TickBlock
from domain.values.quote import Quote
from domain.venue.gate import RawQuote, Reason

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
GENESIS: Final = bytes(32)
LAYOUT: Final = 1
INDEX: Final = "H"
INTEGER: Final = "q"


class ChainBroken(Exception):
    """A block is not what was written, or not where it was written."""


class Accepted(Struct, frozen=True):
    """A quote that got its number, with what evidence of its source is kept."""

    quote: Quote
    engine_time: datetime
    source_at: datetime
    source: str


class Refused(Struct, frozen=True):
    """A quote that was turned away, kept as it was said."""

    raw: RawQuote
    reason: Reason
    engine_time: datetime
    after: int  # the last sequence given before it: its place in the order


class Link(Struct, frozen=True):
    """Where a venue's chain of blocks ends."""

    venue_id: str
    number: int = 0
    last_sequence: int = 0
    sha256: bytes = GENESIS

    @classmethod
    def of(cls, block: TickBlock) -> Self:
        return cls(block.venue_id, block.number, block.last_sequence, block.sha256)


class Content(Struct, frozen=True):
    accepted: tuple[Accepted, ...]
    refused: tuple[Refused, ...]


class Body(Struct, frozen=True, array_like=True, kw_only=True):
    """What is hashed. Columns are little-endian; times are microseconds since 1970."""

    layout: int = LAYOUT
    venue_id: str
    number: int
    first_sequence: int
    count: int
    symbols: tuple[str, ...]
    digits: tuple[int, ...]  # by symbol: a price is its integer over 10 ** digits
    sources: tuple[str, ...]
    symbol: bytes  # index into `symbols`
    bid: bytes
    ask: bytes
    at: bytes
    engine_time: bytes
    source: bytes  # index into `sources`
    source_at: bytes
    refused: tuple[Refused, ...]


ENCODER: Final = msgpack.Encoder()
DECODER: Final = msgpack.Decoder(Body)


def pack(
    link: Link,
    accepted: Sequence[Accepted],
    refused: Sequence[Refused],
    digits: Mapping[str, int],
) -> TickBlock:
    """Put what followed `link` into its next block; `digits` is by symbol."""
    if not accepted and not refused:
        raise ValueError("a block without a quote")
    times = [each.engine_time for each in accepted]
    times += [each.engine_time for each in refused]
    body = ENCODER.encode(columns(link, accepted, refused, digits))
    return TickBlock(
        venue_id=link.venue_id,
        number=link.number + 1,
        first_sequence=link.last_sequence + 1,
        last_sequence=link.last_sequence + len(accepted),
        engine_from=min(times),
        engine_to=max(times),
        body=body,
        sha256=sha256(link.sha256 + body).digest(),
        previous_sha256=link.sha256,
    )


def columns(
    link: Link,
    accepted: Sequence[Accepted],
    refused: Sequence[Refused],
    digits: Mapping[str, int],
) -> Body:
    quotes = [each.quote for each in accepted]
    first = link.last_sequence + 1
    for sequence, quote in enumerate(quotes, first):
        if quote.sequence != sequence:
            raise ValueError("a sequence with a hole")
    symbols = numbered(quote.symbol for quote in quotes)
    sources = numbered(each.source for each in accepted)
    powers = {symbol: Decimal(10 ** digits[symbol]) for symbol in symbols}
    return Body(
        venue_id=link.venue_id,
        number=link.number + 1,
        first_sequence=first,
        count=len(quotes),
        symbols=tuple(symbols),
        digits=tuple(digits[symbol] for symbol in symbols),
        sources=tuple(sources),
        symbol=column(INDEX, [symbols[quote.symbol] for quote in quotes]),
        bid=column(INTEGER, [whole(each.bid * powers[each.symbol]) for each in quotes]),
        ask=column(INTEGER, [whole(each.ask * powers[each.symbol]) for each in quotes]),
        at=column(INTEGER, [micros(quote.at) for quote in quotes]),
        engine_time=column(INTEGER, [micros(each.engine_time) for each in accepted]),
        source=column(INDEX, [sources[each.source] for each in accepted]),
        source_at=column(INTEGER, [micros(each.source_at) for each in accepted]),
        refused=tuple(refused),
    )


def unpack(block: TickBlock) -> Content:
    body = read(block)
    n = body.count
    steps = [Decimal(1).scaleb(-digits) for digits in body.digits]
    symbol = values(INDEX, n, body.symbol)
    rows = zip(
        [body.symbols[index] for index in symbol],
        [steps[index] for index in symbol],
        values(INTEGER, n, body.bid),
        values(INTEGER, n, body.ask),
        range(body.first_sequence, body.first_sequence + n),
        values(INTEGER, n, body.at),
        values(INTEGER, n, body.engine_time),
        values(INTEGER, n, body.source_at),
        [body.sources[index] for index in values(INDEX, n, body.source)],
        strict=True,
    )
    accepted = tuple(
        Accepted(
            Quote(name, bid * step, ask * step, sequence, instant(at)),
            instant(engine_time),
            instant(source_at),
            source,
        )
        for name, step, bid, ask, sequence, at, engine_time, source_at, source in rows
    )
    return Content(accepted, body.refused)


def in_order(content: Content) -> Iterable[Accepted | Refused]:
    """Put what was refused back where it was said."""
    if not content.refused:
        return content.accepted
    return sorted((*content.accepted, *content.refused), key=place)


def place(quote: Accepted | Refused) -> int:
    """Give its sequence, or for a refused one that of the accepted one before it."""
    return quote.quote.sequence if isinstance(quote, Accepted) else quote.after


def verify(blocks: Iterable[TickBlock], link: Link | None = None) -> Link | None:
    """Follow the chain from `link`, or from its start; answer where it ends."""
    for block in blocks:
        expected = link or Link(block.venue_id)
        check(block, expected)
        link = Link.of(block)
    return link


def check(block: TickBlock, link: Link) -> None:
    body = read(block)
    if block.previous_sha256 != link.sha256:
        raise ChainBroken(f"block {block.number}: does not follow the one before")
    last = body.first_sequence + body.count - 1
    said = (block.venue_id, block.number, block.first_sequence, block.last_sequence)
    written = (body.venue_id, body.number, body.first_sequence, last)
    following = (link.venue_id, link.number + 1, link.last_sequence + 1, last)
    if not said == written == following:
        raise ChainBroken(f"block {block.number}: stands in another's place")


def read(block: TickBlock) -> Body:
    """Believe nothing that is not what was hashed."""
    if sha256(block.previous_sha256 + block.body).digest() != block.sha256:
        raise ChainBroken(f"block {block.number}: the content is not what was hashed")
    try:
        body = DECODER.decode(block.body)
    except MsgspecError as error:
        raise ChainBroken(f"block {block.number}: not readable") from error
    if body.layout != LAYOUT:
        raise ChainBroken(f"block {block.number}: layout {body.layout} is unknown")
    return body


def numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: index for index, name in enumerate(dict.fromkeys(names))}


def column(kind: str, numbers: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}{kind}", *numbers)


def values(kind: str, count: int, column: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{count}{kind}", column)


def whole(scaled: Decimal) -> int:
    integer = int(scaled)
    if integer != scaled:
        raise ValueError("a price finer than its instrument")
    return integer


def micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def instant(micros: int) -> datetime:
    return EPOCH + micros * MICROSECOND
