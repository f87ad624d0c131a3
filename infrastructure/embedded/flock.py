"""File locks that die with their holder, however it dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infrastructure.embedded.server_user import ServersUnavailable

RETRY_SECONDS = 0.01


def shared(path: Path, *, within_seconds: float) -> int:
    """Take a lease: closing the descriptor, or dying, gives it back."""
    return _take(path, fcntl.LOCK_SH, within_seconds)


@contextmanager
def alone(path: Path, *, within_seconds: float) -> Iterator[None]:
    descriptor = _take(path, fcntl.LOCK_EX, within_seconds)
    try:
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Say whether anybody holds this lock right now."""
    try:
        with alone(path, within_seconds=0):
            return False
    except ServersUnavailable:
        return True


def _take(path: Path, kind: int, within_seconds: float) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + within_seconds
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise ServersUnavailable(
                    f"Waited {within_seconds:.0f} s for {path}: another start hangs."
                ) from None
            time.sleep(RETRY_SECONDS)
        else:
            return descriptor
