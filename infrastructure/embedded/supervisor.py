"""A process of its own that keeps one server up for as long as anybody holds the lease.

It polls the lease, not its users: a user that was killed has given the lease back.
"""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from infrastructure.embedded.server_user import server_environment
from infrastructure.parentage import die_with_parent

START_SECONDS = 60.0  # crash recovery of a large log included
STOP_SECONDS = 10.0
LEASE_SECONDS = 0.1  # how long a server outlives its last user, at most
READY_SECONDS = 0.02
MOST_FAILED_STARTS = (
    8  # in a row; then something is wrong that one more try does not mend
)


class Orders(msgspec.Struct, frozen=True):
    """What a supervisor knows: ready is when `ready` exits 0, or `ping` pongs."""

    name: str
    folder: str
    lock: str
    lease: str
    log: str
    argv: tuple[str, ...] = ()
    stop_signal: int = signal.SIGTERM
    ready: tuple[str, ...] = ()
    ping: str = ""
    uid: int | None = None
    gid: int | None = None


def is_ready(orders: Orders) -> bool:
    if orders.ping:
        return _pongs(orders.ping)
    asked = subprocess.run(orders.ready, capture_output=True, check=False)  # noqa: S603 - ours
    return asked.returncode == 0


def _pongs(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(path)
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False


class Stopped(Exception):
    """The server cannot be kept up; the text says why."""


class Supervisor:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it is ready. A server that dies on its way up is tried again."""
        deadline = time.monotonic() + START_SECONDS
        for failed in range(MOST_FAILED_STARTS):
            self._clear_the_way()
            self._server = self._spawn()
            while self._server.poll() is None:
                if is_ready(self._orders):
                    return
                if time.monotonic() > deadline:
                    raise Stopped(
                        f"{self._orders.name} is not ready after {START_SECONDS:.0f} s"
                    )
                time.sleep(READY_SECONDS)
            time.sleep(
                READY_SECONDS * 2**failed
            )  # the dead one's children may still hold memory
        raise Stopped(
            f"{self._orders.name} died {MOST_FAILED_STARTS} times on its way up"
        )

    def keep_up(self) -> None:
        """Return when the last user is gone, or a signal says so."""
        ends = {signal.SIGTERM, signal.SIGINT}
        lease = os.open(
            self._orders.lease, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        while not _taken(lease):
            caught = signal.sigtimedwait(ends | {signal.SIGCHLD}, LEASE_SECONDS)
            # after SIGSTOP and SIGCONT Python may return a signal that never was
            if caught is not None and caught.si_signo in ends:
                return
            if self._server is not None and self._server.poll() is not None:
                say(f"{self._orders.name} died ({self._server.returncode}): again")
                self.start()

    def stop(self) -> None:
        server = self._server
        if server is None:
            return
        for number, patience in (
            (self._orders.stop_signal, STOP_SECONDS),
            (signal.SIGKILL, 5),
        ):
            if server.poll() is None:
                server.send_signal(number)
            try:
                server.wait(patience)
            except subprocess.TimeoutExpired:
                say(f"{self._orders.name} ignores signal {number}")
            else:
                return

    def _spawn(self) -> subprocess.Popen[bytes]:
        orders = self._orders
        return subprocess.Popen(  # noqa: S603 - our own binary, no shell
            orders.argv,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=sys.stderr,
            cwd=orders.folder if orders.uid is None else "/",
            env=server_environment(),
            user=orders.uid,
            group=orders.gid,
            extra_groups=None if orders.uid is None else [],
            umask=0o077,
            start_new_session=True,
            preexec_fn=die_with_parent(orders.stop_signal),  # noqa: PLW1509 - we have one thread
        )

    def _clear_the_way(self) -> None:
        """See off an orphan on its way down; any other pid is a stranger's."""
        pid_file = Path(self._orders.folder, "postmaster.pid")
        deadline = time.monotonic() + STOP_SECONDS
        while (orphan := _pid_of(pid_file)) is not None and _works_in(
            orphan, self._orders.folder
        ):
            if time.monotonic() > deadline:
                os.kill(orphan, signal.SIGQUIT)
            time.sleep(READY_SECONDS)
        pid_file.unlink(missing_ok=True)


def _pid_of(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _works_in(pid: int, folder: str) -> bool:
    """Know it by its folder: a zombie works nowhere, a stranger elsewhere."""
    try:
        return os.path.realpath(f"/proc/{pid}/cwd", strict=True) == os.path.realpath(
            folder
        )
    except OSError:
        return False


def _taken(lease: int) -> bool:
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def say(text: str) -> None:
    sys.stderr.write(f"supervisor[{os.getpid()}]: {text}\n")
    sys.stderr.flush()


def main() -> None:
    """Take orders from stdin; the one line on stdout is `ready`, or why not."""
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    if os.fork():
        os._exit(0)  # an orphan at once: whoever started us never has to reap us
    signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
    )
    lock = os.open(orders.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    answer = os.dup(1)
    os.dup2(2, 1)
    supervisor = Supervisor(orders)
    try:
        supervisor.start()
        os.write(answer, b"ready\n")
        os.close(answer)
        supervisor.keep_up()
    except Stopped as reason:
        say(str(reason))
        with contextlib.suppress(OSError):  # once ready, nobody listens any more
            os.write(answer, f"{reason}\n".encode())
        sys.exit(1)
    finally:
        supervisor.stop()
        os.close(lock)  # before the lease: who gets that finds no supervisor


if __name__ == "__main__":
    main()
