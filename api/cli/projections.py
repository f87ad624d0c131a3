"""`tradesense projections`: how far the tables are, and how to make them anew."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click
import msgspec

from api.cli.progress import bar, progress
from api.cli.refusing import one_line, settings
from application.engine.tick_block import ChainBroken
from infrastructure.archive.manifest import ArchiveBroken
from infrastructure.embedded.servers import servers_of
from infrastructure.event_store.reader import PositionGap
from infrastructure.event_store.wire import Lost, connect
from infrastructure.roles import Role
from projections.digest import Digest
from projections.digest import digest as digest_of
from projections.lag import Lag, lags
from projections.rebuild import RebuildUnderWay
from projections.rebuild import rebuild as rebuild_all
from projections.schema import READ, create

T = TypeVar("T")


@click.group()
def projections() -> None:
    """Look after the tables that are derived from the log."""


@projections.command()
@click.option("--json", "as_json", is_flag=True)
def status(*, as_json: bool) -> None:
    """Show how far the tables are behind the log, in facts and in seconds."""
    found = _run(_status)
    if as_json:
        click.echo(msgspec.json.encode({"partitions": found}))
        return
    for lag in found:
        click.echo(
            f"{lag.partition}: at {lag.position} of {lag.log_position},"
            f" {lag.lag_events} facts and {lag.lag_seconds:.3f} s behind,"
            f" {lag.parked_events} parked"
        )


@projections.command()
@click.option("--json", "as_json", is_flag=True)
def rebuild(*, as_json: bool) -> None:
    """Build all tables anew from the first fact on, while the live ones go on."""
    _told(_run(_rebuild), as_json=as_json)


@projections.command()
@click.option("--json", "as_json", is_flag=True)
def digest(*, as_json: bool) -> None:
    """Print one hash a table; equal tables have equal hashes."""
    _told(_run(_digest), as_json=as_json)


async def _status(dsn: str) -> tuple[Lag, ...]:
    async with await connect(dsn) as connection:
        return await lags(connection)


async def _digest(dsn: str) -> Digest:
    async with await connect(dsn) as connection:
        await create(connection, READ)  # before the first projector has run
    return await digest_of(dsn)


async def _rebuild(dsn: str) -> Digest:
    async with await connect(dsn) as connection:
        logs = {each.partition: each.log_position for each in await lags(connection)}
    with progress() as bars:
        heard = {
            partition: bar(bars, f"{partition}, events", end)
            for partition, end in logs.items()
        }
        await rebuild_all(
            dsn,
            tuple(logs),
            lambda name, done: heard[name](done),
            data=settings().data,
        )
    return await digest_of(dsn)


def _told(found: Digest, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for partition, position in found.position.items():
        click.echo(f"position {partition}-{position}")
    for table, hashed in found.tables.items():
        click.echo(f"{hashed}  {table}")
    click.echo(f"{found.candles}  candles")


def _run(ask: Callable[[str], Awaitable[T]]) -> T:
    async def asked(dsn: str) -> T:
        return await ask(dsn)

    with one_line(), servers_of(settings()) as servers, _refusals():
        return asyncio.run(asked(servers.database_url(Role.PROJECTOR)))


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except RebuildUnderWay as reason:
        raise click.ClickException("another rebuild is under way") from reason
    except (Lost, PositionGap, ChainBroken, ArchiveBroken) as reason:
        raise click.ClickException(str(reason)) from reason
