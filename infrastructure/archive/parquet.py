"""Blocks of ticks as Parquet, and back again: the bytes that were hashed, unchanged.

Beside them the same quotes in columns for anybody to read; nothing is decided by those.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from application.engine.journal import TickBlock
from application.engine.tick_block import Accepted, Refused, in_order, place, unpack

BLOCKS_AT_ONCE: Final = 256  # a row group: what is in memory at a time
DECIMALS: Final = 10
WIDE: Final = 25


class ParquetMissing(Exception):
    """Parquet needs pyarrow: `pip install 'tradesense[data]'`."""


def library(name: str = "pyarrow") -> Any:  # noqa: ANN401 - it is not always there
    try:
        return import_module(name)
    except ImportError as missing:
        raise ParquetMissing(ParquetMissing.__doc__) from missing


def block_schema() -> Any:  # noqa: ANN401 - the library's
    pa = library()
    instant = pa.timestamp("us", tz="UTC")
    return pa.schema(
        [
            ("venue_id", pa.string()),
            ("number", pa.int64()),
            ("first_sequence", pa.int64()),
            ("last_sequence", pa.int64()),
            ("engine_from", instant),
            ("engine_to", instant),
            ("body", pa.binary()),
            ("sha256", pa.binary()),
            ("previous_sha256", pa.binary()),
        ]
    )


def tick_schema() -> Any:  # noqa: ANN401 - as above
    pa = library()
    instant, price = pa.timestamp("us", tz="UTC"), pa.decimal128(WIDE, DECIMALS)
    return pa.schema(
        [
            ("block", pa.int64()),
            ("sequence", pa.int64()),  # null where it was refused
            ("after", pa.int64()),  # the last accepted sequence before it
            ("accepted", pa.bool_()),
            ("reason", pa.string()),
            ("symbol", pa.string()),
            ("bid", price),  # null where it was refused
            ("ask", price),
            ("said_bid", pa.string()),  # where it was refused: it may be no number
            ("said_ask", pa.string()),
            ("at", instant),
            ("heard_at", instant),
            ("source", pa.string()),
            ("source_at", instant),
        ]
    )


class Writing:
    """Two files of one day; whoever closes it has them complete."""

    def __init__(self, blocks: Path, ticks: Path) -> None:
        parquet = library("pyarrow.parquet")
        self._blocks = parquet.ParquetWriter(blocks, block_schema(), compression="zstd")
        self._ticks = parquet.ParquetWriter(ticks, tick_schema(), compression="zstd")

    def write(self, blocks: Sequence[TickBlock]) -> None:
        pa = library()
        rows = [
            {name: getattr(each, name) for name in block_schema().names}
            for each in blocks
        ]
        self._blocks.write_table(pa.Table.from_pylist(rows, schema=block_schema()))
        ticks = [row for each in blocks for row in rows_of(each)]
        self._ticks.write_table(pa.Table.from_pylist(ticks, schema=tick_schema()))

    def close(self) -> None:
        self._blocks.close()
        self._ticks.close()


def rows_of(block: TickBlock) -> Iterator[dict[str, Any]]:
    for each in in_order(unpack(block)):
        yield row_of(block.number, each)


def row_of(number: int, each: Accepted | Refused) -> dict[str, Any]:
    if isinstance(each, Accepted):
        quote = each.quote
        return {
            "block": number,
            "sequence": quote.sequence,
            "after": quote.sequence - 1,
            "accepted": True,
            "reason": None,
            "symbol": quote.symbol,
            "bid": quote.bid,
            "ask": quote.ask,
            "said_bid": None,
            "said_ask": None,
            "at": quote.at,
            "heard_at": each.engine_time,
            "source": each.source,
            "source_at": each.source_at,
        }
    raw = each.raw
    return {
        "block": number,
        "sequence": None,
        "after": place(each),
        "accepted": False,
        "reason": str(each.reason),
        "symbol": raw.symbol,
        "bid": None,
        "ask": None,
        "said_bid": raw.bid,
        "said_ask": raw.ask,
        "at": raw.at,
        "heard_at": each.engine_time,
        "source": raw.source,
        "source_at": raw.source_at,
    }


def blocks_in(file: Path) -> Iterator[list[TickBlock]]:
    """Give the blocks of a file, a row group at a time."""
    with library("pyarrow.parquet").ParquetFile(file) as opened:
        for number in range(opened.num_row_groups):
            yield [
                TickBlock(
                    venue_id=row["venue_id"],
                    number=row["number"],
                    first_sequence=row["first_sequence"],
                    last_sequence=row["last_sequence"],
                    engine_from=row["engine_from"].astimezone(UTC),
                    engine_to=row["engine_to"].astimezone(UTC),
                    body=row["body"],
                    sha256=row["sha256"],
                    previous_sha256=row["previous_sha256"],
                )
                for row in opened.read_row_group(number).to_pylist()
            ]


def ticks_in(file: Path) -> Iterator[dict[str, Any]]:
    """Give the rows of a file of ticks, as `row_of` makes them."""
    with library("pyarrow.parquet").ParquetFile(file) as opened:
        for number in range(opened.num_row_groups):
            for row in opened.read_row_group(number).to_pylist():
                for name in ("at", "heard_at", "source_at"):
                    row[name] = row[name].astimezone(UTC)
                for name in ("bid", "ask"):
                    if row[name] is not None:
                        row[name] = Decimal(row[name])
                yield row
