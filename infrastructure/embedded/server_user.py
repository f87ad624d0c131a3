"""Postgres refuses to run as root, so root's servers run as somebody else."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec


class ServersUnavailable(Exception):
    """The bundled servers cannot be started here; the text says why and what to do."""


class ServerUser(msgspec.Struct, frozen=True):
    """`None` for both ids means: whoever started us."""

    uid: int | None = None
    gid: int | None = None

    def owns(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        stdin: str | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end as this user, with nothing of our environment but the PATH."""
        return subprocess.run(  # noqa: S603 - our own binaries, no shell
            [str(word) for word in argv],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd="/",
            env=server_environment(),
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
        )

    def can_enter(self, folder: Path) -> bool:
        """Asked of the system itself: modes, groups and ACLs all count."""
        return self.run(["test", "-x", folder]).returncode == 0


def server_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def server_user(data: Path) -> ServerUser:
    """Take the data's owner, else its folder's, else `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return ServerUser()
    for place in (data / "servers" / "postgres", data.parent):
        if (
            place.exists()
            and (owner := place.stat().st_uid) != 0
            and (known := _by_id(owner))
        ):
            return known
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(entry.pw_uid, entry.pw_gid)
    raise ServersUnavailable(
        "Postgres does not run as root and there is no user `postgres` or `nobody`. "
        "Start as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


def _by_id(uid: int) -> ServerUser | None:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return None  # initdb refuses a user without a name
    return ServerUser(entry.pw_uid, entry.pw_gid)
