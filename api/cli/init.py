"""`tradesense init`: from a bare server to a schema. The bundled one needs no roles."""

from urllib.parse import unquote, urlsplit

import click
import msgspec
import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier, Literal

from api.cli.db import migrations
from api.cli.refusing import one_line, settings
from infrastructure.embedded.servers import servers_of
from infrastructure.migrate import migrate
from infrastructure.roles import DATABASE, ROLES, Role
from infrastructure.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True)
def init(*, as_json: bool) -> None:
    """Make the roles, if ADMIN_DATABASE_URL is a superuser's, and the schema."""
    asked = settings()
    with one_line():
        if asked.admin_database_url is not None:
            _make_roles(asked, asked.admin_database_url)
        with servers_of(asked) as servers:
            migrate(servers.database_url(Role.OWNER))
            schema = migrations(servers.database_url(Role.OWNER))
    if as_json:
        click.echo(msgspec.json.encode(schema))
    else:
        click.echo("The roles and the schema are there.")


def _make_roles(asked: Settings, admin_url: str) -> None:
    """Say it twice: passwords are the server's, rights on functions a database's."""
    database = urlsplit(asked.database_url or "").path.strip("/") or DATABASE
    with psycopg.connect(admin_url, autocommit=True) as server:
        server.execute(ROLES.read_bytes())
        for role, password in _passwords(asked).items():
            login = SQL("ALTER ROLE {} PASSWORD {}")
            server.execute(login.format(Identifier(role), Literal(password)))
        known = SQL("SELECT FROM pg_database WHERE datname = {}")
        if not server.execute(known.format(Literal(database))).rowcount:
            made = SQL("CREATE DATABASE {} OWNER {}")
            server.execute(made.format(Identifier(database), Identifier(Role.OWNER)))
    own = make_conninfo(admin_url, dbname=database)
    with psycopg.connect(own, autocommit=True) as product:
        product.execute(ROLES.read_bytes())
        name, everybody = Identifier(database), SQL(", ").join(map(Identifier, Role))
        product.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        product.execute(
            SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, everybody)
        )


def _passwords(asked: Settings) -> dict[str, str]:
    owner = urlsplit(asked.database_url or "")
    given = dict(asked.role_passwords)
    if owner.username == Role.OWNER and owner.password:
        given[Role.OWNER] = unquote(owner.password)
    return given
