"""`tradesense up`: everything on this machine, with the bundled servers."""

import click

from api.cli.refusing import settings
from api.up.run import API, members, run


@click.command()
def up() -> None:
    """Run the whole product here until Ctrl-C."""
    asked = settings()
    raise SystemExit(run(asked, API, members(asked)))
