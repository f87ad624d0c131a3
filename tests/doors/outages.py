"""A Postgres of one's own, to be taken away and brought back."""

import os
import select
import signal
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Final

from infrastructure.embedded.servers import Servers

PATIENCE_SECONDS: Final = 30


class Outage(Enum):
    KILLED = "killed"
    FROZEN = "frozen"


class Store:
    """Its supervisor would bring it back at once, so that is held too."""

    def __init__(self, data: Path, servers: Servers) -> None:
        self.servers = servers
        self._pid_file = data / "servers/postgres/postmaster.pid"
        self._stopped: list[int] = []

    def goes_away(self, outage: Outage) -> None:
        server = int(self._pid_file.read_text().split("\n")[0])
        if outage is Outage.FROZEN:
            self._stop(server, *children_of(server))
            return
        self._stop(parent_of(server))
        descriptor = os.pidfd_open(server)
        os.kill(server, signal.SIGKILL)
        ended, _, _ = select.select([descriptor], [], [], PATIENCE_SECONDS)
        os.close(descriptor)
        assert ended, f"{server} is still there"

    def comes_back(self) -> None:
        while self._stopped:
            os.kill(self._stopped.pop(), signal.SIGCONT)

    def _stop(self, *pids: int) -> None:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
            self._stopped.append(pid)


def parent_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/stat").read_text()
    return int(status.rpartition(")")[2].split()[1])


def children_of(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        yield from map(int, (task / "children").read_text().split())
