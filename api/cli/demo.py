"""`tradesense demo`: traders that use the public API, for something to look at."""

import click

from api.demo.main import main


@click.command()
def demo() -> None:
    """Let demo traders trade until a signal."""
    main()
