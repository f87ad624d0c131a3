"""`tradesense up` keeps its processes, and leaves none behind."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest

from infrastructure.embedded.servers import discard
from infrastructure.roles import Role
from tests.databases import Database

PATIENCE_SECONDS = 30
UP = """
import sys
from api.up.family import Member
from api.up.run import run
from infrastructure.settings import load_settings
api = Member("api", (sys.executable, "-c", sys.argv[1]))
demo = Member("demo", (sys.executable, "-c", sys.argv[2]), is_heard=True)
sys.exit(run(load_settings(), api, (demo,)))
"""
LISTENS = """
import os, socket
with socket.create_server((os.environ["HOST"], int(os.environ["PORT"]))) as door:
    while True:
        door.accept()[0].close()
"""
TALKS = """
import os, signal
print("pid", os.getpid(), flush=True)
signal.pause()
"""
FALLS = "raise SystemExit(7)"


class Up:
    """A run in a process of its own; ends with the test at the latest."""

    def __init__(self, environment: Mapping[str, str], *stand_ins: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", UP, *stand_ins],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until(self, says: Callable[[str], bool]) -> list[str]:
        """Read lines up to the one that says it."""
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if says(line):
                return lines
        assert self.process.stderr is not None
        raise AssertionError([*lines, self.process.stderr.read()])

    def demo_pid(self) -> int:
        return int(self.until(lambda line: line.startswith("pid "))[-1].split()[1])

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate(timeout=PATIENCE_SECONDS)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
        return port


def ends(pid: int) -> Callable[[], bool]:
    """Watch this very process, not whoever gets its number next."""
    watched = os.pidfd_open(pid)

    def has_ended() -> bool:
        with ExitStack() as stack:
            stack.callback(os.close, watched)
            return bool(select.select([watched], [], [], PATIENCE_SECONDS)[0])

    return has_ended


@pytest.fixture
def environment(database: Database, tmp_path: Path) -> dict[str, str]:
    """A database and a cache that are there already: only processes are at stake."""
    return {
        "TS_ENV": "dev",
        "TS_DATA": str(tmp_path / "data"),
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "DATABASE_URL": database.dsn(Role.OWNER),
        "REDIS_URL": database.servers.redis_url,
    }


def test_it_says_where_it_answers_and_a_signal_ends_everything(
    environment: dict[str, str],
) -> None:
    with Up(environment, LISTENS, TALKS) as up:
        url = f"http://127.0.0.1:{environment['PORT']}"
        welcome = "\n".join(up.until(lambda line: "Ctrl-C" in line))
        assert f"{url}/docs" in welcome
        assert "user@tradesense.ai / user123" in welcome
        demo_has_ended = ends(up.demo_pid())
        with Up(environment, LISTENS, TALKS) as second:
            assert url in second.until(lambda line: "already runs" in line)[-1]
            assert second.process.wait(PATIENCE_SECONDS) == 3
        assert up.end(signal.SIGTERM) == 0
        assert demo_has_ended()


def test_a_taken_port_is_named_before_anything_starts(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", int(environment["PORT"]))):
        without_servers = environment.keys() - {"DATABASE_URL", "REDIS_URL"}
        asked = {name: environment[name] for name in without_servers}
        with Up(asked, LISTENS, TALKS) as up:
            said = up.process.communicate(timeout=PATIENCE_SECONDS)[1]
        assert up.process.returncode == 1
        assert f"Port {environment['PORT']} on 127.0.0.1" in said
        assert not (tmp_path / "data" / "servers").exists()


def test_a_process_that_dies_is_brought_back_and_it_is_said(
    environment: dict[str, str],
) -> None:
    with Up(environment, LISTENS, TALKS) as up:
        os.kill(up.demo_pid(), signal.SIGKILL)
        assert up.until(lambda line: "demo was ended by SIGKILL" in line)
        assert up.demo_pid()
        assert up.end(signal.SIGINT) == 0


def test_a_process_that_cannot_live_ends_the_run(environment: dict[str, str]) -> None:
    with Up(environment, FALLS, TALKS) as up:
        said, complained = up.process.communicate(timeout=PATIENCE_SECONDS)
        assert "api ended with exit code 7" in said
        assert "api died 5 times in a row" in complained
        assert up.process.returncode == 1


@pytest.fixture
def alone(environment: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """Nothing is there but the bundled servers."""
    del environment["DATABASE_URL"], environment["REDIS_URL"]
    yield environment
    discard(tmp_path / "data")


def test_killed_it_leaves_no_orphan_and_the_next_start_recovers(
    alone: dict[str, str], tmp_path: Path
) -> None:
    with Up(alone, LISTENS, TALKS) as up:
        demo_has_ended = ends(up.demo_pid())
        postgres = tmp_path / "data/servers/postgres/postmaster.pid"
        server_has_ended = ends(int(postgres.read_text().split("\n")[0]))
        up.end(signal.SIGKILL)
        assert demo_has_ended()
        assert server_has_ended()
    with Up(alone, LISTENS, TALKS) as up:
        assert up.demo_pid()
        assert up.end(signal.SIGTERM) == 0
