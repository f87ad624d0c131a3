"""`tradesense api`: the HTTP process on its own, with the engine in its loop."""

import sys

import click

from api.asgi import create_app, serve
from api.cli.refusing import one_line, settings


@click.command("api")
@click.option("--when-told", is_flag=True, help="Begin when standard input ends.")
def serve_api(*, when_told: bool) -> None:
    """Serve the API on HOST and PORT until a signal."""
    asked = settings()
    if when_told:
        sys.stdin.buffer.read()
    with one_line():
        app = create_app()
    serve(app, asked.host, asked.port)
