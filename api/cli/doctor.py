"""`tradesense doctor`: what this machine has, and what it lacks."""

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec
import psycopg
import redis

from api.cli.refusing import settings
from api.up.singleton import PortTaken, is_running, refuse_taken_port
from infrastructure.embedded.server_user import ServersUnavailable
from infrastructure.embedded.servers import Servers, servers_of
from infrastructure.roles import Role
from infrastructure.settings import Settings

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OLDEST_POSTGRES = 150_000
LEAST_FREE_BYTES = 2 * 1024**3


class Finding(msgspec.Struct, frozen=True):
    """What was looked at. Only what is `needed` and not `ok` makes the doctor fail."""

    name: str
    ok: bool
    said: str
    needed: bool = True


@click.command()
@click.option("--json", "as_json", is_flag=True)
def doctor(*, as_json: bool) -> None:
    """Check servers, port, browser, disk and versions."""
    findings = tuple(examine(settings()))
    if as_json:
        click.echo(msgspec.json.encode(findings).decode())
    else:
        for finding in findings:
            sign = "ok  " if finding.ok else "FAIL" if finding.needed else "none"
            click.echo(f"{sign}  {finding.name:<10} {finding.said}")
    if any(finding.needed and not finding.ok for finding in findings):
        raise SystemExit(1)


def examine(asked: Settings) -> Iterator[Finding]:
    yield Finding("python", sys.version_info >= (3, 11), platform.python_version())
    try:
        with servers_of(asked) as servers:
            yield _look("postgres", lambda: _postgres(servers))
            yield _look("valkey", lambda: _valkey(servers))
    except ServersUnavailable as reason:
        yield Finding("servers", ok=False, said=str(reason))
    yield _port(asked)
    yield _disk(asked.data)
    yield _browser(asked)


def _look(name: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(name, ok=True, said=ask())
    except (psycopg.Error, redis.RedisError) as error:
        return Finding(name, ok=False, said=f"{type(error).__name__}: {error}")


def _postgres(servers: Servers) -> str:
    with psycopg.connect(
        servers.database_url(Role.APP), connect_timeout=5
    ) as connection:
        version = connection.info.server_version
        if version < OLDEST_POSTGRES:
            raise psycopg.NotSupportedError(f"15 or later is needed, this is {version}")
        release = f"{version // 10_000}.{version % 10_000}"
        return f"{release}, fsync {_shown(connection, 'fsync')}"


def _shown(connection: psycopg.Connection[tuple[object, ...]], name: str) -> object:
    row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return row[0]


def _valkey(servers: Servers) -> str:
    with redis.Redis.from_url(servers.redis_url, socket_timeout=5) as cache:
        about = cache.info("server")
    assert isinstance(about, dict)
    return str(about.get("valkey_version") or about["redis_version"])


def _port(asked: Settings) -> Finding:
    if is_running(asked.data):
        return Finding("port", ok=True, said=f"{asked.port}: TradeSense runs here")
    try:
        refuse_taken_port(asked.host, asked.port)
    except PortTaken as reason:
        return Finding("port", ok=False, said=str(reason))
    return Finding("port", ok=True, said=f"{asked.port} is free")


def _disk(data: Path) -> Finding:
    place = data if data.exists() else data.absolute().parent
    free = shutil.disk_usage(place).free
    return Finding(
        "disk", ok=free > LEAST_FREE_BYTES, said=f"{free / 1024**3:.1f} GiB free"
    )


def _browser(asked: Settings) -> Finding:
    names = (asked.browser,) if asked.browser else BROWSERS
    found = next(filter(None, map(shutil.which, names)), None)
    said = found or "only the browser tests need one: apt-get install chromium"
    return Finding("browser", ok=found is not None, said=said, needed=False)
