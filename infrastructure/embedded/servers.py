"""Postgres and Valkey, up for as long as somebody holds a lease on them."""

import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from infrastructure.embedded import flock
from infrastructure.embedded.binaries import postgres_folder, valkey_server
from infrastructure.embedded.cluster import ensure_cluster, read_passwords
from infrastructure.embedded.joining import LOCK_SECONDS, join
from infrastructure.embedded.places import Places, places
from infrastructure.embedded.profiles import RUN, Profile
from infrastructure.embedded.server_user import ServerUser, server_user
from infrastructure.embedded.supervisor import Orders
from infrastructure.roles import DATABASE, Role
from infrastructure.settings import Settings


class Servers:
    """A lease on both servers; `close()`, or the end of this process, gives it back."""

    def __init__(
        self,
        database: Mapping[Role, str],
        redis_url: str,
        leases: tuple[int, ...] = (),
    ) -> None:
        self._database = database
        self.redis_url = redis_url
        self._leases = leases

    def database_url(self, role: Role = Role.APP, database: str = DATABASE) -> str:
        """Give the role's DSN; over the Unix socket when the server is ours."""
        if database == DATABASE:
            return self._database[role]
        return urlunsplit(
            urlsplit(self._database[role])._replace(path=f"/{quote(database)}")
        )

    def close(self) -> None:
        leases, self._leases = self._leases, ()
        for lease in leases:
            os.close(lease)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def servers_of(settings: Settings, profile: Profile = RUN) -> Servers:
    """Take `DATABASE_URL` and `REDIS_URL`; the bundled servers fill what is open."""
    return acquire(
        settings.data,
        profile,
        database_url=plain(settings.database_url),
        redis_url=plain(settings.redis_url),
        role_passwords=settings.role_passwords,
    )


def plain(secret: str | None) -> str | None:
    """Take the mask off: drivers and encoders want a `str` and no kind of it."""
    return None if secret is None else str(secret)


def acquire(
    data: Path,
    profile: Profile = RUN,
    *,
    database_url: str | None = None,
    redis_url: str | None = None,
    role_passwords: Mapping[str, str] | None = None,
) -> Servers:
    """Start what is not running yet, join what is; both are ready when this returns."""
    leases: list[int] = []
    try:
        if database_url is None:
            database, lease = _postgres(data, profile)
            leases.append(lease)
        else:
            database = {
                role: _as(role, database_url, role_passwords or {}) for role in Role
            }
        if redis_url is None:
            redis_url, lease = _valkey(data)
            leases.append(lease)
    except BaseException:
        for lease in leases:
            os.close(lease)
        raise
    return Servers(database, redis_url, tuple(leases))


def discard(data: Path) -> None:
    """Wait until the last user's servers are down, then throw everything away."""
    data = Path(os.path.realpath(data))
    for name in ("postgres", "valkey"):
        lock = data / "locks" / name
        if lock.exists():
            with flock.alone(lock, within_seconds=LOCK_SECONDS):
                pass
    for link in (data / "servers" / "run", data / "servers"):
        if link.is_symlink():
            shutil.rmtree(link.resolve(), ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)


def _postgres(data: Path, profile: Profile) -> tuple[Mapping[Role, str], int]:
    user = server_user(Path(os.path.realpath(data)))
    at = places(data, user)
    binaries = postgres_folder(at, user)

    def prepare() -> None:
        ensure_cluster(
            at, user, binaries, owner_creates_databases=profile.owner_creates_databases
        )

    cluster = at.servers / "postgres"
    settings = {**profile.settings, "unix_socket_directories": str(at.sockets)}
    options = tuple(
        word for pair in settings.items() for word in ("-c", "=".join(pair))
    )
    orders = msgspec.structs.replace(
        _orders(at, user, "postgres"),
        argv=(str(binaries / "postgres"), "-D", str(cluster), *options),
        ready=(str(binaries / "pg_isready"), "-q", "-h", str(at.sockets), "-t", "5"),
        stop_signal=signal.SIGINT,  # fast: open transactions roll back
    )
    lease = join(orders, at, prepare)
    passwords = read_passwords(at)
    return {
        role: f"postgresql://{role}:{passwords[role]}@/{DATABASE}?host={at.sockets}"
        for role in Role
    }, lease


def _valkey(data: Path) -> tuple[str, int]:
    user = server_user(Path(os.path.realpath(data)))
    at = places(data, user)
    binary = valkey_server(at, user)
    folder, path = at.servers / "valkey", at.sockets / "valkey.sock"

    def prepare() -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        user.owns(folder)

    settings = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",  # nothing in it that cannot be rebuilt
        "appendonly": "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
    }
    options = tuple(
        word for name, value in settings.items() for word in (f"--{name}", value)
    )
    orders = msgspec.structs.replace(
        _orders(at, user, "valkey"), argv=(str(binary), *options), ping=str(path)
    )
    return f"unix://{path}?db=0", join(orders, at, prepare)


def _orders(at: Places, user: ServerUser, name: str) -> Orders:
    """Say where a server lives and whose it is; how it runs is the caller's."""
    return Orders(
        name=name,
        folder=str(at.servers / name),
        lock=str(at.lock(name)),
        lease=str(at.lock(f"{name}.lease")),
        log=str(at.log(name)),
        uid=user.uid,
        gid=user.gid,
    )


def _as(role: Role, url: str, passwords: Mapping[str, str]) -> str:
    """Without a password of its own a role comes in as the user that the URL names."""
    if (password := passwords.get(role)) is None:
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(
        parts._replace(netloc=f"{role}:{quote(password, safe='')}@{host}")
    )
