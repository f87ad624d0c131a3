"""`tradesense db`: the schema, one migration file at a time."""

from collections.abc import Callable

import click
import msgspec
from msgspec import Struct

from api.cli.refusing import one_line, settings
from infrastructure import migrate
from infrastructure.embedded.servers import servers_of
from infrastructure.roles import Role

SHORT = {role.removeprefix("ts_"): role for role in Role}


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@click.option(
    "--role", type=click.Choice(list(SHORT)), default="app", show_default=True
)
@click.option("--json", "as_json", is_flag=True)
def url(role: str, *, as_json: bool) -> None:
    """Print the DSN with which a role comes in."""
    with one_line(), servers_of(settings()) as servers:
        dsn = servers.database_url(SHORT[role])
    said = msgspec.json.encode({"role": role, "url": dsn}).decode() if as_json else dsn
    click.echo(said)


@db.command()
@click.option("--json", "as_json", is_flag=True)
def up(*, as_json: bool) -> None:
    """Apply every migration that is missing."""
    _as_owner(migrate.migrate, as_json=as_json)


@db.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True)
def down(*, yes: bool, as_json: bool) -> None:
    """Undo the newest migration, with whatever its tables held."""
    if not yes:
        click.confirm("This drops tables and what is in them. Go on?", abort=True)
    _as_owner(migrate.down, as_json=as_json)


@db.command()
@click.option("--json", "as_json", is_flag=True)
def status(*, as_json: bool) -> None:
    """List the migrations, applied and pending."""
    _as_owner(migrate.status, as_json=as_json)


@db.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True)
def new(name: str, *, as_json: bool) -> None:
    """Make an empty migration file."""
    with one_line():
        said = migrate.new(name).strip()
    file = said.rpartition(" ")[2]
    click.echo(msgspec.json.encode({"file": file}) if as_json else said)


def _as_owner(act: Callable[[str], str], *, as_json: bool) -> None:
    with one_line(), servers_of(settings()) as servers:
        dsn = servers.database_url(Role.OWNER)
        said = act(dsn).strip()
        click.echo(msgspec.json.encode(migrations(dsn)) if as_json else said)


class Migrations(Struct, frozen=True):
    """By the names of their files, the oldest first."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]


def migrations(dsn: str) -> Migrations:
    """Read dbmate's list: `[X] 20260101000001_schemas.sql`."""
    lines = [line.strip() for line in migrate.status(dsn).splitlines()]
    return Migrations(
        applied=tuple(line[4:] for line in lines if line.startswith("[X] ")),
        pending=tuple(line[4:] for line in lines if line.startswith("[ ] ")),
    )
