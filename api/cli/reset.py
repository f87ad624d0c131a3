"""`tradesense reset`: an empty database again; for development only."""

import click
import msgspec
import psycopg
import redis
from psycopg.sql import SQL, Identifier

from api.cli.db import migrations
from api.cli.refusing import one_line, settings
from api.up.singleton import is_running
from infrastructure.embedded.servers import Servers, servers_of
from infrastructure.migrate import migrate
from infrastructure.roles import Role
from infrastructure.settings import Environment

OURS = """
    SELECT nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
"""


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True)
def reset(*, yes: bool, as_json: bool) -> None:
    """Throw away every account, event and tick; keep the roles and keys."""
    asked = settings()
    if asked.env is not Environment.DEV:
        raise click.ClickException(f"reset is for TS_ENV=dev, and this is {asked.env}.")
    if is_running(asked.data):
        raise click.ClickException("TradeSense runs in this folder: end it first.")
    if not yes:
        click.confirm("This throws away all data. Go on?", abort=True)
    with one_line(), servers_of(asked) as servers:
        _empty(servers)
        migrate(servers.database_url(Role.OWNER))
        schema = migrations(servers.database_url(Role.OWNER))
    if as_json:
        click.echo(msgspec.json.encode(schema))
    else:
        click.echo("The database is empty again.")


def _empty(servers: Servers) -> None:
    with psycopg.connect(
        servers.database_url(Role.OWNER), autocommit=True
    ) as connection:
        for (schema,) in connection.execute(OURS).fetchall():
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))
    with redis.Redis.from_url(servers.redis_url) as cache:
        cache.flushdb()
