"""Who finds a server down starts it; everybody else waits until it is ready."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from infrastructure.embedded import flock
from infrastructure.embedded.places import Places
from infrastructure.embedded.server_user import ServersUnavailable
from infrastructure.embedded.supervisor import START_SECONDS, Orders, is_ready

LOCK_SECONDS = 90.0  # longer than a start may take
POLL_SECONDS = 0.02
LONGEST_LOG = 10_000_000
ROOT = Path(__file__).resolve().parents[2]


def join(orders: Orders, at: Places, prepare: Callable[[], None]) -> int:
    """Take the lease first: from then on a running supervisor stays."""
    lease = flock.shared(Path(orders.lease), within_seconds=LOCK_SECONDS)
    try:
        with flock.alone(at.lock(f"{orders.name}.start"), within_seconds=LOCK_SECONDS):
            if flock.is_held(Path(orders.lock)):
                _await(orders)
            else:
                prepare()
                _start(orders)
                at.hand_over()
    except BaseException:
        os.close(lease)
        raise
    return lease


def _await(orders: Orders) -> None:
    """Wait for a supervised server that may be coming back from a crash."""
    deadline = time.monotonic() + START_SECONDS
    while not is_ready(orders):
        if time.monotonic() > deadline or not flock.is_held(Path(orders.lock)):
            raise ServersUnavailable(
                _with_log(f"{orders.name} does not get ready", orders)
            )
        time.sleep(POLL_SECONDS)


def _start(orders: Orders) -> None:
    log = Path(orders.log)
    if log.exists() and log.stat().st_size > LONGEST_LOG:
        log.rename(log.with_suffix(".old.log"))
    with log.open("ab") as written:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "infrastructure.embedded.supervisor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=written,
            cwd=ROOT,
            start_new_session=True,
        )
    assert supervisor.stdin is not None
    assert supervisor.stdout is not None
    with supervisor.stdout as answer:
        with suppress(BrokenPipeError), supervisor.stdin as told:
            told.write(msgspec.json.encode(orders))
        readable, _, _ = select.select([answer], [], [], START_SECONDS + 10)
        said = (
            answer.readline().decode().strip() if readable else "its supervisor hangs"
        )
    supervisor.wait()
    if said != "ready":
        raise ServersUnavailable(
            _with_log(said or f"{orders.name} did not start", orders)
        )


def _with_log(reason: str, orders: Orders) -> str:
    try:
        last = (
            Path(orders.log)
            .read_text(encoding="utf-8", errors="replace")
            .splitlines()[-5:]
        )
    except OSError:
        last = []
    return "\n".join([f"{reason}. The end of {orders.log}:", *last])
