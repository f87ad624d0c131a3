"""Where the bundled servers keep their files, in a place that their user can reach."""

import os
import re
import tempfile
from pathlib import Path

import msgspec

from infrastructure.embedded import flock
from infrastructure.embedded.server_user import ServersUnavailable, ServerUser

FOLDERS = {"locks": 0o700, "logs": 0o755, "secrets": 0o700}
LOCK_SECONDS = 30.0
LONGEST_FOLDER = 90  # a socket's whole path must stay below 108 bytes
PLAIN_PATH = re.compile(
    r"[A-Za-z0-9/._-]+"
)  # needs no quotes in a setting, no escape in a DSN
ELSEWHERE = (Path("/var/lib/tradesense"), Path("/var/tmp"), Path("/tmp"))  # noqa: S108 - mkdtemp


class Places(msgspec.Struct, frozen=True):
    """`data` is of whoever starts; what lies in `servers` is of the servers' user."""

    data: Path
    servers: Path
    sockets: Path

    @property
    def secrets(self) -> Path:
        return self.data / "secrets"

    def lock(self, name: str) -> Path:
        return self.data / "locks" / name

    def log(self, name: str) -> Path:
        return self.data / "logs" / f"{name}.log"

    def hand_over(self) -> None:
        """Give what root made to the folder's owner, who may come next."""
        owner = self.data.parent.stat()
        if os.geteuid() != 0 or owner.st_uid == 0:
            return
        ours = [path for path in self.data.iterdir() if path.name != "servers"]
        inside = [path for folder in ours for path in folder.rglob("*")]
        for path in (self.data, *ours, *inside):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def places(data: Path, user: ServerUser) -> Places:
    """Make the folders, or find them as an earlier start left them."""
    data = Path(os.path.realpath(data))
    try:
        data.mkdir(parents=True, exist_ok=True)
        for name, mode in FOLDERS.items():
            (data / name).mkdir(mode=mode, exist_ok=True)
        with flock.alone(data / "locks" / "places", within_seconds=LOCK_SECONDS):
            servers = _servers(data, user)
            return Places(data=data, servers=servers, sockets=_sockets(servers, user))
    except PermissionError as error:
        raise ServersUnavailable(
            f"{error.filename} is another user's. Start as that user, or set TS_DATA."
        ) from error


def _servers(data: Path, user: ServerUser) -> Path:
    """Link to a place outside when data lies below a 0700 folder of root's."""
    link = data / "servers"
    if link.is_dir():
        return link.resolve()
    if not user.can_enter(data):
        link.unlink(missing_ok=True)
        outside = _outside("tradesense-", user)
        link.symlink_to(outside)
        return outside
    link.mkdir(mode=0o700)
    user.owns(link)
    return link


def _sockets(servers: Path, user: ServerUser) -> Path:
    link = servers / "run"
    if link.is_dir():
        return link.resolve()
    if len(str(link)) <= LONGEST_FOLDER and PLAIN_PATH.fullmatch(str(link)):
        link.mkdir(mode=0o700)
        user.owns(link)
        return link
    link.unlink(missing_ok=True)  # a link whose target went with a reboot
    short = Path(tempfile.mkdtemp(prefix="ts-", dir="/tmp"))
    user.owns(short)
    link.symlink_to(short)
    return short


def _outside(prefix: str, user: ServerUser) -> Path:
    for parent in ELSEWHERE:
        try:
            parent.mkdir(exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        except OSError:
            continue
        user.owns(made)
        if user.can_enter(made):
            return made
        made.rmdir()
    raise ServersUnavailable(
        "Found no folder that the servers' user can reach; set TS_DATA."
    )
