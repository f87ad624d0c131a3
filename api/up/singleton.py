"""One run per checkout: the second is told where the first one answers."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CRASH_PATIENCE_SECONDS = 5.0  # until the port of a run that was killed is free


class AlreadyRunning(Exception):
    """Another run holds this checkout; its URL is the text."""


class PortTaken(Exception):
    """Somebody else listens where the API should."""


@contextmanager
def only_run(data: Path, url: str) -> Iterator[bool]:
    """Hold the checkout; yield whether the run before this one was killed."""
    data.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(data / "up", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(os.pread(descriptor, 1000, 0).decode()) from None
        has_crashed = os.fstat(descriptor).st_size > 0  # a clean end wipes the URL
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, url.encode(), 0)
        try:
            yield has_crashed
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def is_running(data: Path) -> bool:
    try:
        descriptor = os.open(data / "up", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def refuse_taken_port(host: str, port: int) -> None:
    """Try to listen there, as the API will; before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"Port {port} on {host} cannot be had ({error.strerror}). "
                f"Take another one: PORT={port + 1} make run"
            ) from error
