"""`tradesense db`: the schema, one migration file at a time."""

from collections.abc import Callable

import click
import msgspec

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
def up() -> None:
    """Apply every migration that is missing."""
    _as_owner(migrate.migrate)


@db.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def down(*, yes: bool) -> None:
    """Undo the newest migration, with whatever its tables held."""
    if not yes:
        click.confirm("This drops tables and what is in them. Go on?", abort=True)
    _as_owner(migrate.down)


@db.command()
def status() -> None:
    """List the migrations, applied and pending."""
    _as_owner(migrate.status)


@db.command()
@click.argument("name")
def new(name: str) -> None:
    """Make an empty migration file."""
    with one_line():
        click.echo(migrate.new(name).strip())


def _as_owner(act: Callable[[str], str]) -> None:
    with one_line(), servers_of(settings()) as servers:
        click.echo(act(servers.database_url(Role.OWNER)).strip())
