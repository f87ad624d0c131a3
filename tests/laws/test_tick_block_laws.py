"""What is packed comes back whole, and what was touched is noticed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from application.engine.journal import TickBlock
from application.engine.tick_block import (
    Accepted,
    ChainBroken,
    Content,
    Link,
    Refused,
    pack,
    unpack,
    verify,
)
from domain.values.quote import Quote
from domain.venue.gate import RawQuote, Reason

DIGITS = {"EURUSD": 5, "USDJPY": 3, "US500": 0, "TINY": 10}
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
instants = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2100, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.just(UTC),
)
said = st.text(st.characters(codec="utf-8"), max_size=20)


@st.composite
def accepted(draw: st.DrawFn, sequence: int) -> Accepted:
    symbol = draw(st.sampled_from(sorted(DIGITS)))
    step = Decimal(1).scaleb(-DIGITS[symbol])
    bid = draw(st.integers(1, 10**10))
    ask = bid + draw(st.integers(0, 1_000))
    quote = Quote(symbol, bid * step, ask * step, sequence, draw(instants))
    return Accepted(quote, draw(instants), draw(instants), draw(said))


@st.composite
def contents(draw: st.DrawFn, first: int) -> Content:
    raw = st.builds(RawQuote, said, said, said, instants, instants, said)
    refused = st.builds(
        Refused, raw, st.sampled_from(Reason), instants, st.integers(0, 2**53)
    )
    turned_away = draw(st.lists(refused, max_size=3))
    count = draw(st.integers(0 if turned_away else 1, 6))
    taken = tuple(draw(accepted(first + n)) for n in range(count))
    return Content(taken, tuple(turned_away))


@st.composite
def chains(draw: st.DrawFn) -> tuple[tuple[TickBlock, ...], tuple[Content, ...]]:
    link, blocks, packed = Link("live"), [], []
    for _ in range(draw(st.integers(1, 3))):
        content = draw(contents(link.last_sequence + 1))
        block = pack(link, content.accepted, content.refused, DIGITS)
        link = Link.of(block)
        blocks.append(block)
        packed.append(content)
    return tuple(blocks), tuple(packed)


@given(chains())
def test_what_is_unpacked_is_what_was_packed(
    chain: tuple[tuple[TickBlock, ...], tuple[Content, ...]],
) -> None:
    blocks, packed = chain
    assert tuple(unpack(block) for block in blocks) == packed
    assert verify(blocks) == Link.of(blocks[-1])


@given(chains(), st.data())
def test_a_changed_byte_is_noticed(
    chain: tuple[tuple[TickBlock, ...], tuple[Content, ...]], data: st.DataObject
) -> None:
    blocks = list(chain[0])
    victim = data.draw(st.integers(0, len(blocks) - 1))
    body = bytearray(blocks[victim].body)
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    blocks[victim] = replace(blocks[victim], body=bytes(body))
    with pytest.raises(ChainBroken):
        verify(blocks)


def quoted(sequence: int, bid: str = "1.1") -> Accepted:
    quote = Quote("EURUSD", Decimal(bid), Decimal("1.2"), sequence, NOON)
    return Accepted(quote, NOON + timedelta(seconds=sequence), NOON, "test")


def three_blocks() -> list[TickBlock]:
    link, blocks = Link("live"), []
    for sequence in (1, 2, 3):
        blocks.append(pack(link, [quoted(sequence)], [], DIGITS))
        link = Link.of(blocks[-1])
    return blocks


def test_a_missing_a_doubled_and_a_swapped_block_are_noticed() -> None:
    one, two, three = three_blocks()
    for broken in ([one, three], [one, two, two], [two, one, three], [two, three]):
        with pytest.raises(ChainBroken):
            verify(broken)
    assert verify([two, three], Link.of(one)) == verify([one, two, three])


@pytest.mark.parametrize(
    "change",
    [{"venue_id": "other"}, {"number": 9}, {"first_sequence": 0}, {"last_sequence": 9}],
)
def test_a_block_that_says_it_is_another_is_noticed(change: dict[str, object]) -> None:
    one, two, _ = three_blocks()
    with pytest.raises(ChainBroken):
        verify([one, replace(two, **change)])


def test_a_block_spans_the_time_of_all_its_quotes() -> None:
    raw = RawQuote("EURUSD", "NaN", "1", NOON, NOON, "test")
    early = Refused(raw, Reason.NOT_A_PRICE, NOON - timedelta(hours=1), 0)
    block = pack(Link("live"), [quoted(1), quoted(2)], [early], DIGITS)
    assert block.engine_from == NOON - timedelta(hours=1)
    assert block.engine_to == NOON + timedelta(seconds=2)


@pytest.mark.parametrize("wrong", [[], [quoted(2)], [quoted(1), quoted(3)]])
def test_a_hole_is_never_packed(wrong: list[Accepted]) -> None:
    with pytest.raises(ValueError, match=r"hole|without"):
        pack(Link("live"), wrong, [], DIGITS)


def test_a_price_finer_than_its_instrument_is_never_packed() -> None:
    with pytest.raises(ValueError, match="finer"):
        pack(Link("live"), [quoted(1, "1.000001")], [], DIGITS)
