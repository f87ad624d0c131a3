"""`tradesense project`: the process that turns facts into tables."""

import click

from projections.process import main


@click.command()
def project() -> None:
    """Keep the projections up to date until a signal."""
    main()
