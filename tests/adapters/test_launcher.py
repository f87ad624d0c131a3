"""The bundled servers live exactly as long as somebody uses them, and lose nothing."""

import os
import select
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg
import pytest
import redis

from infrastructure.embedded import flock
from infrastructure.embedded.profiles import throw_away
from infrastructure.embedded.servers import Servers, acquire, discard
from infrastructure.roles import Role

PATIENCE_SECONDS = 30
USER = """
import sys
from pathlib import Path
from typing import Self
from infrastructure.embedded.profiles import throw_away
from infrastructure.embedded.servers import acquire
held = acquire(Path(sys.argv[1]), throw_away())
print(held.database_url(), flush=True)
sys.stdin.read()
"""


class User:
    """Another process that holds a lease, until it is killed."""

    def __init__(self, data: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", USER, str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def dsn(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate(timeout=PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ts-launcher-"))
    folder.chmod(0o711)  # the servers' user passes through
    yield folder / "data"
    discard(folder / "data")
    folder.rmdir()


def is_up(data: Path, name: str) -> bool:
    return flock.is_held(data / "locks" / name)


def wait_until_down(data: Path, name: str) -> None:
    with flock.alone(data / "locks" / name, within_seconds=PATIENCE_SECONDS):
        return


def postmaster(data: Path) -> int:
    return int((data / "servers/postgres/postmaster.pid").read_text().split("\n")[0])


@contextmanager
def gone(pid: int) -> Iterator[None]:
    """Leave only when the process that `pid` names now has ended."""
    descriptor = os.pidfd_open(pid)
    try:
        yield
        ended, _, _ = select.select([descriptor], [], [], PATIENCE_SECONDS)
        assert ended, f"{pid} is still there"
    finally:
        os.close(descriptor)


def write(dsn: str, text: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (text text)")
        connection.execute("INSERT INTO kept VALUES (%s)", (text,))


def read(dsn: str) -> list[str]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return [text for (text,) in connection.execute("SELECT text FROM kept")]


def test_users_share_servers_that_stop_when_the_last_one_was_killed(data: Path) -> None:
    with User(data) as first, User(data) as second:  # both find them down
        assert first.dsn() == second.dsn()
        started = postmaster(data)
        with gone(started):
            first.kill()
            assert is_up(data, "postgres")
            assert is_up(data, "valkey")
            with acquire(data, throw_away()) as third:
                second.kill()
                write(third.database_url(Role.OWNER), "still up")
                assert postmaster(data) == started
    wait_until_down(data, "postgres")
    wait_until_down(data, "valkey")


def test_what_was_committed_survives_any_kill(data: Path) -> None:
    with acquire(data, throw_away()) as held:
        dsn = held.database_url(Role.OWNER)
        write(dsn, "one")
        with gone(postmaster(data)):
            os.kill(postmaster(data), signal.SIGKILL)
        with acquire(data, throw_away()):  # the supervisor brings it back meanwhile
            assert read(dsn) == ["one"]
        write(dsn, "two")
        supervisor = parent_of(postmaster(data))
        with gone(postmaster(data)):  # its server does not outlive a supervisor
            os.kill(supervisor, signal.SIGKILL)
        with acquire(data, throw_away()):
            assert read(dsn) == ["one", "two"]


def parent_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/stat").read_text()
    return int(status.rpartition(")")[2].split()[1])


def test_a_start_that_died_halfway_is_begun_again_and_a_lost_password_replaced(
    data: Path,
) -> None:
    with acquire(data, throw_away()) as held:
        write(held.database_url(Role.OWNER), "kept")
    wait_until_down(data, "postgres")
    (data / "secrets" / Role.OWNER).unlink()
    (data / "servers/postgres.new").mkdir()
    with acquire(data, throw_away()) as held:
        assert read(held.database_url(Role.OWNER)) == ["kept"]
        assert held.database_url(Role.OWNER).count(Role.OWNER) == 1


def test_servers_of_ones_own_win_and_start_nothing(data: Path) -> None:
    with acquire(
        data,
        database_url="postgresql://ts_owner:secret@db.example:5433/tradesense?sslmode=require",
        redis_url="redis://cache.example/0",
        role_passwords={"ts_app": "p@ss"},
    ) as held:
        app = "postgresql://ts_app:p%40ss@db.example:5433/tradesense?sslmode=require"
        assert held.database_url(Role.APP) == app
        assert held.database_url(Role.OWNER).startswith("postgresql://ts_owner:secret@")
        assert held.redis_url == "redis://cache.example/0"
    assert not data.exists()


def test_only_the_owner_of_the_socket_folder_comes_in_and_only_with_a_password(
    servers: Servers,
) -> None:
    sockets = Path(servers.database_url().partition("host=")[2])
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    for role in Role:
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://{role}@/tradesense?host={sockets}").close()
    assert redis.Redis.from_url(servers.redis_url).ping() is True


def test_no_role_becomes_another(servers: Servers) -> None:
    for role in (Role.APP, Role.PROJECTOR, Role.ANALYST, Role.AUDITOR):
        with (
            psycopg.connect(servers.database_url(role)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"SET ROLE {Role.OWNER}")


def test_a_reader_cannot_hold_others_up(servers: Servers) -> None:
    for call in ("pg_sleep(1)", "pg_advisory_lock(1)", "lo_create(0)"):
        with (
            psycopg.connect(servers.database_url(Role.ANALYST)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"SELECT {call}")
