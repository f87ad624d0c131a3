"""`python -m benchmarks [PREFIX]`: run what begins so, print a table, keep the rows."""

import subprocess
import sys
from collections.abc import Iterable
from typing import Final

import click
import structlog
from rich.console import Console

from benchmarks import journal, one_tick, project, stream, visible
from benchmarks.bench import RUNS, Bench, Row, peers, row
from benchmarks.lab import PROJECT, Lab, fdatasyncs_per_second, lab
from benchmarks.report import keep, number, show
from infrastructure.clock import SystemClock

BENCHES: Final[tuple[Bench, ...]] = (
    *journal.BENCHES,
    project.BENCH,
    *visible.BENCHES,
    *one_tick.BENCHES,
    *stream.BENCHES,
)


@click.command()
@click.argument("prefix", default="")
@click.option(
    "--runs", default=RUNS, show_default=True, help="turns of each contestant"
)
def main(prefix: str, runs: int) -> None:
    """Compare with peers and limits; without PREFIX, everything."""
    wanted = [bench for bench in BENCHES if bench.name.startswith(prefix)]
    if not wanted:
        names = ", ".join(bench.name for bench in BENCHES)
        raise click.UsageError(f"nothing begins with {prefix!r}; there are {names}")
    console = Console(width=max(Console().width, 110), highlight=False)
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger("warning"),
    )
    with lab() as here:
        tell_machine(here, console)
        rows = [measured(bench, here, runs, console) for bench in wanted]
    keep(rows)
    show(rows, console)


def tell_machine(here: Lab, console: Console) -> None:
    console.print(
        f"fsync {here.setting('fsync')},"
        f" synchronous_commit {here.setting('synchronous_commit')},"
        f" {fdatasyncs_per_second():,.0f} fdatasync/s"
    )


def measured(bench: Bench, here: Lab, runs: int, console: Console) -> Row:
    rounds = []
    for taken in bench.rounds(here, runs):
        rounds.append(taken)
        told: Iterable[tuple[str, float]] = (
            ("ours", taken.ours),
            *taken.peers.items(),
            ("limit", taken.limit),
            *taken.settings.items(),
        )
        text = ", ".join(f"{name} {number(value)}" for name, value in told)
        console.print(f"{bench.name} {len(rounds)}/{runs}: {text}")
    for name, value in peers(rounds).items():
        console.print(f"{bench.name} peer, {name}: {number(value)} {bench.unit}")
    at = SystemClock().now().isoformat(timespec="seconds")
    return row(bench, rounds, commit(), at)


def commit() -> str:
    """Name what was measured; a plus for what is not committed yet."""
    name = subprocess.run(
        ("git", "describe", "--always", "--dirty=+", "--abbrev=10"),  # noqa: S607 - the user's git
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return name.stdout.strip() or "unknown"


main()
