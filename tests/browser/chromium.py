"""Where the browser is: `TS_BROWSER`, then PATH, then what apt installs for root."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from infrastructure.settings import load_settings

NAMES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
INSTALL: Final = "apt-get install -y --no-install-recommends chromium"
LONGEST_INSTALL_SECONDS: Final = 600


class NoBrowser(Exception):
    """There is none; the text says what to run."""


def executable() -> Path:
    if named := load_settings().browser:
        if shutil.which(named) is None:
            raise NoBrowser(f"TS_BROWSER={named} is no program")
        return Path(named)
    found = on_path() or installed()
    if found is None:
        raise NoBrowser(
            f"The browser tests need Chromium. Run `sudo {INSTALL}`, or name one:"
            " TS_BROWSER=/path/to/chromium"
        )
    return found


def on_path() -> Path | None:
    found = (shutil.which(name) for name in NAMES)
    return next((Path(each) for each in found if each), None)


def installed() -> Path | None:
    """Ask apt, one at a time: two workers of a test run may come here together."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    with Path(tempfile.gettempdir(), "tradesense-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if found := on_path():
            return found
        for command in ("apt-get update", INSTALL):
            subprocess.run(  # noqa: PLW1510 - whether it has worked is seen on PATH
                command.split(),
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                stdout=sys.stderr,
                timeout=LONGEST_INSTALL_SECONDS,
            )
        return on_path()


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{executable()}\n")
    except NoBrowser as reason:
        raise SystemExit(str(reason)) from None
