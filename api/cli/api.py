"""`tradesense api`: the HTTP process on its own, with the engine in its loop."""

import click

from api.asgi import create_app, serve
from api.cli.refusing import one_line, settings


@click.command("api")
def serve_api() -> None:
    """Serve the API on HOST and PORT until a signal."""
    asked = settings()
    with one_line():
        app = create_app()
    serve(app, asked.host, asked.port)
