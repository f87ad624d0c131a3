"""What was found: one table to read, one file to compare with later."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.bench import Row

THOUSAND: Final = 1_000  # from here on decimals only distract
RESULTS: Final = Path(__file__).with_name("results.json")


def keep(rows: Sequence[Row], file: Path = RESULTS) -> None:
    """Replace the rows of what ran, and leave the others."""
    known = (
        msgspec.json.decode(file.read_bytes(), type=list[Row]) if file.exists() else []
    )
    kept = {each.name: each for each in (*known, *rows)}
    text = msgspec.json.format(
        msgspec.json.encode([kept[name] for name in sorted(kept)])
    )
    file.write_bytes(text + b"\n")


def show(rows: Sequence[Row], console: Console) -> None:
    table = Table("figure", "unit", box=None)
    for heading in ("ours", "peer", "limit", "ours : peer", "ours : limit"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.name,
            row.unit,
            number(row.ours),
            number(row.peer),
            number(row.limit),
            ratio(row.ours, row.peer),
            ratio(row.ours, row.limit),
        )
    console.print(table)


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= THOUSAND else f"{value:,.2f}"


def ratio(ours: float, other: float | None) -> str:
    return f"{ours / other:.2f}" if other else "-"
