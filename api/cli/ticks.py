"""`tradesense ticks`: days of the tick log as Parquet files, checked and dropped."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
import msgspec
import psycopg

from api.cli.progress import bar, progress
from api.cli.refusing import one_line, settings
from application.engine.tick_block import ChainBroken
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION
from infrastructure.archive.manifest import ArchiveBroken, Day
from infrastructure.archive.parquet import ParquetMissing
from infrastructure.archive.reading import TickArchive, verified
from infrastructure.archive.writing import Archiving
from infrastructure.clock import SystemClock
from infrastructure.embedded.servers import servers_of
from infrastructure.roles import Role

VENUE = click.option("--venue", default="live", show_default=True, help="Its id.")
JSON = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on stdout."
)


@click.group()
def ticks() -> None:
    """Keep the tick log small, and lose none of it."""


@ticks.command("archive")
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="Whole days of UTC before this one.",
)
@click.option("--drop", is_flag=True, help="Delete what reads back well.")
@VENUE
@JSON
def archive_ticks(before: datetime, *, drop: bool, venue: str, as_json: bool) -> None:
    """Write whole days of a venue's ticks to Parquet, and read them back.

    Nothing is deleted without --drop. The day of the last quote always stays.
    """
    day, here = before.date(), archive_for(venue)
    with one_line(), servers_of(settings()) as servers, _refusals(), progress() as bars:
        role = Role.OWNER if drop else Role.AUDITOR
        with psycopg.connect(servers.database_url(role), autocommit=True) as connection:
            archiving = Archiving(connection, here, venue)
            last = archiving.last_block()
            heard = bar(bars, "blocks", last[0] if last else 0)
            written = list(archiving.archive(day, heard))
            dropped = 0
            if drop:
                heard = bar(bars, "dropped, up to block", None)
                dropped = archiving.drop(day, SystemClock().now(), heard)
    told(here, venue, written, dropped, as_json=as_json)


@ticks.command()
@VENUE
@JSON
def verify(*, venue: str, as_json: bool) -> None:
    """Read a whole archive back: its files, its chain, and each quote twice."""
    here = archive_for(venue)
    with _refusals(), progress() as bars:
        heard, days = bar(bars, "days", len(here.manifest(venue).days)), []
        for day in verified(here, venue):
            days.append(day)
            heard(len(days))
    told(here, venue, days, 0, as_json=as_json)


def archive_for(venue: str) -> TickArchive:
    if Path(venue).name != venue:
        raise click.ClickException("a venue's id is one that `symbols list` takes")
    partition = LIVE_PARTITION if venue == "live" else SANDBOX_PARTITION
    return TickArchive(settings().data, partition)


def told(
    here: TickArchive, venue: str, days: list[Day], dropped: int, *, as_json: bool
) -> None:
    known = here.manifest(venue)
    if as_json:
        found = {
            "partition": here.partition,
            "venue_id": venue,
            "folder": str(here.folder(venue)),
            "days": days,
            "archived_to": known.link.number,
            "dropped_to": known.dropped_to,
            "dropped": dropped,
        }
        click.echo(msgspec.json.encode(found))
        return
    for day in days:
        click.echo(
            f"{day.day}  blocks {day.first_number} to {day.last_number},"
            f" {day.accepted} accepted, {day.refused} refused"
        )
    click.echo(
        f"{len(days)} days in {here.folder(venue)}; archived to block"
        f" {known.link.number}, dropped to {known.dropped_to}."
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (ParquetMissing, ArchiveBroken, ChainBroken) as reason:
        raise click.ClickException(str(reason)) from reason
