"""The whole product in a folder of its own, as real processes, for killing them."""

import asyncio
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
from httpx import AsyncClient, HTTPError
from msgspec import Struct

from infrastructure.embedded.servers import acquire, discard
from infrastructure.roles import Role

POLL_SECONDS = 0.02
PATIENCE_SECONDS = 40.0
STOP_SECONDS = 12.0
OURS = ("DATABASE_URL", "REDIS_URL", "PORT", "HOST", "FEED", "SEED")
WHOLE = Counter(
    {"up": 1, "api": 1, "project": 1, "supervisor": 2, "postgres": 1, "valkey": 1}
)


class Ran(Struct, frozen=True):
    code: int
    out: str
    err: str

    def read(self) -> Any:
        return msgspec.json.decode(self.out)


class Product:
    """One data folder, and whatever runs on it. Nobody else's processes are touched."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "up.log"
        self._settings = settings
        self._started: list[subprocess.Popen[bytes]] = []

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in OURS and not name.startswith("TS_")
        }
        return {
            **inherited,
            "TS_ENV": "test",
            "TS_DATA": str(self.data),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "FEED": "live",
            **self._settings,
            **more,
        }

    def start(self, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """Start `tradesense WORDS`; what it says is kept in a file."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                command(words), env=self.environment(**more), stdout=log, stderr=log
            )
        self._started.append(process)
        return process

    async def run(self, *words: str, **more: str) -> Ran:
        """Run one `tradesense WORDS` to its end."""
        process = await asyncio.create_subprocess_exec(
            *command(words),
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())

    async def asked(self, *words: str, **more: str) -> Any:
        """Run it, and read the one JSON object that it prints."""
        ran = await self.run(*words, "--json", **more)
        assert ran.code == 0, ran
        return ran.read()

    def database_urls(self) -> dict[Role, str]:
        """How each role gets in; the servers are up, and stay nobody else's."""
        with acquire(self.data) as servers:
            return {role: servers.database_url(role) for role in Role}

    async def is_healthy(self, http: AsyncClient) -> bool:
        with suppress(HTTPError):
            return (await http.get(f"{self.url}/health")).status_code == 200
        return False

    async def is_ready(self, http: AsyncClient) -> bool:
        with suppress(HTTPError):
            return (await http.get(f"{self.url}/ready")).status_code == 200
        return False

    def living(self) -> dict[int, str]:
        """Say which processes name this folder, and what each of them is."""
        self._reap()
        named = [os.fsencode(str(place)) for place in self._places()]
        return {
            pid: role for pid in pids() if (role := role_of(pid, named)) is not None
        }

    def _places(self) -> Iterable[Path]:
        """The servers may live elsewhere, behind a link."""
        yield self.data
        servers = self.data / "servers"
        if servers.is_symlink():
            yield servers.resolve()

    def roles(self) -> "Counter[str]":
        """Count the processes by what they are; a server's own children go with it."""
        counted = Counter(self.living().values())
        del counted["backend"]
        return counted

    def pid_of(self, role: str) -> int:
        (pid,) = (pid for pid, each in self.living().items() if each == role)
        return pid

    def kill(self, pids: Iterable[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._reap()

    def _reap(self) -> None:
        """Let no zombie of ours pass for a survivor."""
        for process in self._started:
            process.poll()

    async def stop(self) -> int:
        """Ask what was started last to end; nobody may stay behind."""
        newest = self._started[-1]
        newest.terminate()
        await until(lambda: not self.living(), "nobody left behind", STOP_SECONDS)
        return newest.wait()

    def end(self) -> None:
        """Whatever is left goes, then the folder."""
        deadline = monotonic() + PATIENCE_SECONDS
        while (left := self.living()) and monotonic() < deadline:
            self.kill(left)
            for process in self._started:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_SECONDS)
        discard(self.data)

    def said(self) -> str:
        """The last that it said, for whoever looks into a failure."""
        if not self._log.exists():
            return ""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-30:])


@asynccontextmanager
async def product(**settings: str) -> AsyncIterator[Product]:
    """Give a product that has never run; none of it is left afterwards."""
    made = Product(open_folder(), settings)
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, made.folder, ignore_errors=True)
        stack.callback(made.end)
        yield made


def open_folder() -> Path:
    """Make an empty folder that the servers' user may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="ts-proof-"))
    folder.chmod(0o711)
    return folder


def command(words: Iterable[str]) -> tuple[str, ...]:
    return (sys.executable, "-m", "api.cli.main", *words)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
        return port


async def until(
    is_so: Callable[[], bool] | Callable[[], Awaitable[bool]],
    what: str,
    within: float = PATIENCE_SECONDS,
) -> float:
    """Poll, bounded; say how many seconds it took."""
    began = monotonic()
    while True:
        answer = is_so()
        if answer if isinstance(answer, bool) else await answer:
            return monotonic() - began
        assert monotonic() - began < within, f"not within {within:g} s: {what}"
        await asyncio.sleep(POLL_SECONDS)


def has_ended(pid: int, within: float) -> bool:
    """Watch this very process, not whoever gets its number next."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with ExitStack() as stack:
        stack.callback(os.close, watched)
        return bool(select.select([watched], [], [], within)[0])


def pids() -> Iterable[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def role_of(pid: int, named: Iterable[bytes]) -> str | None:
    """None: it has ended, or it has nothing to do with these places."""
    about = Path("/proc", str(pid))
    try:
        words = (about / "cmdline").read_bytes().split(b"\0")
        told = b"\0".join((*words, (about / "environ").read_bytes()))
        told += os.fsencode((about / "cwd").readlink())
    except OSError:
        return None
    if not words[0] or not any(place in told for place in named):
        return None
    return role_by_words([word.decode(errors="replace") for word in words])


ROLES: Mapping[str, str] = {
    "infrastructure.embedded.supervisor": "supervisor",
    "postgres": "postgres",
    "valkey-server": "valkey",
}


def role_by_words(words: list[str]) -> str:
    if words[0].startswith("postgres: "):
        return "backend"
    if "api.cli.main" in words:
        return words[words.index("api.cli.main") + 1]
    names = {Path(word.split(" ")[0]).name for word in words[:3] if word}
    for name, role in ROLES.items():
        if name in names:
            return role
    return words[0]
