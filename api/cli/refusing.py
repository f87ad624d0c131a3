"""What stops a command is said in one line, without a stack."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from infrastructure.embedded.server_user import ServersUnavailable
from infrastructure.migrate import MigrationFailed
from infrastructure.settings import BadSettings, Settings, load_settings


def settings() -> Settings:
    with one_line():
        return load_settings()


@contextmanager
def one_line() -> Iterator[None]:
    try:
        yield
    except (BadSettings, MigrationFailed, ServersUnavailable) as reason:
        raise click.ClickException(str(reason)) from reason
