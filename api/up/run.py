"""Servers, schema, people, processes: in that order up, and in the other order down."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from api.up.banner import welcome
from api.up.family import Family, Member, Unwell, ours
from api.up.people import seed
from api.up.singleton import (
    CRASH_PATIENCE_SECONDS,
    AlreadyRunning,
    PortTaken,
    only_run,
    refuse_taken_port,
)
from infrastructure.embedded.server_user import ServersUnavailable
from infrastructure.embedded.servers import Servers, servers_of
from infrastructure.migrate import MigrationFailed, migrate
from infrastructure.roles import Role
from infrastructure.settings import Environment, Settings

OPEN_SECONDS = 60.0
POLL_SECONDS = 0.05
ALREADY_RUNNING = 3

API = Member("api", (*ours("api"), "--when-told"), waits=True)
PROJECT = Member("project", ours("project"))
DEMO = Member("demo", ours("demo"), is_heard=True)


def members(settings: Settings) -> Sequence[Member]:
    """Demo traders are for development: elsewhere accounts are somebody's."""
    return (PROJECT, DEMO) if settings.env is Environment.DEV else (PROJECT,)


def run(settings: Settings, api: Member, rest: Sequence[Member]) -> int:
    """Stay until a signal or a failure; the answer is the exit code."""
    url = f"http://{settings.host}:{settings.port}"
    try:
        with only_run(settings.data, url) as has_crashed:
            patience = CRASH_PATIENCE_SECONDS if has_crashed else 0.0
            asyncio.run(_until_free(settings, patience))
            asyncio.run(_live(settings, url, api, rest))
            return 0
    except AlreadyRunning as other:
        say(f"TradeSense already runs in this folder: {other}")
        return ALREADY_RUNNING
    except (PortTaken, ServersUnavailable, MigrationFailed, Unwell) as reason:
        complain(str(reason))
        return 1


def say(line: str) -> None:
    with suppress(BrokenPipeError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def complain(line: str) -> None:
    with suppress(BrokenPipeError):
        sys.stderr.write(f"{line}\n")


async def _until_free(settings: Settings, patience_seconds: float) -> None:
    """Wait for the port of a run that was killed; never for a stranger's."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience_seconds
    while True:
        try:
            refuse_taken_port(settings.host, settings.port)
        except PortTaken:
            if loop.time() >= deadline:
                raise
            await asyncio.sleep(POLL_SECONDS)
        else:
            return


async def _live(
    settings: Settings, url: str, api: Member, rest: Sequence[Member]
) -> None:
    family = Family(say)
    kept = [asyncio.create_task(family.keep(api))]
    await family.has_born.wait()  # it loads its code while the servers start
    servers = await _prepared(settings, family)
    told = asyncio.create_task(_told_to_stop(family))
    opening = asyncio.create_task(_opening(settings))
    family.let_begin()
    try:
        await _any(told, opening, *kept)
        if not told.done():
            say(welcome(settings, url))
            kept += [asyncio.create_task(family.keep(member)) for member in rest]
            await _any(told, *kept)
    finally:
        say("stopping")
        await family.stop()
        for task in (told, opening, *kept):
            task.cancel()
        await asyncio.gather(told, opening, *kept, return_exceptions=True)
        servers.close()
        say("stopped")


async def _prepared(settings: Settings, family: Family) -> Servers:
    """Servers, schema, people. Nobody else needs the loop, so it is held up."""
    try:
        servers = servers_of(settings)
        migrate(servers.database_url(Role.OWNER))
        await seed(settings, servers)
    except BaseException:
        family.kill()
        raise
    return servers


async def _any(*tasks: asyncio.Task[None]) -> None:
    """Wait for the first to end, and raise what it raised."""
    ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in ended:
        task.result()


async def _told_to_stop(family: Family) -> None:
    """Return at the first signal; at a second one nobody is asked any more."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def tell() -> None:
        if told.is_set():
            family.kill()
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, tell)
    await told.wait()


async def _opening(settings: Settings) -> None:
    """Return when the API takes connections."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + OPEN_SECONDS
    while loop.time() < deadline:
        try:
            _, writer = await asyncio.open_connection(settings.host, settings.port)
        except OSError:
            await asyncio.sleep(POLL_SECONDS)
        else:
            writer.close()
            return
    raise Unwell(f"the API does not answer on port {settings.port}")
