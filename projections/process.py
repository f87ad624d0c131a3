"""The projector: one process that keeps the tables of all partitions up to date."""

import asyncio
import gc
import signal
from pathlib import Path

import structlog
import uvloop

from infrastructure.archive.reading import TickArchive
from infrastructure.clock import SystemClock
from infrastructure.embedded.servers import servers_of
from infrastructure.event_store.wire import connect
from infrastructure.log import start_log
from infrastructure.roles import Role
from infrastructure.settings import load_settings
from projections.pages import PAGE
from projections.rebuild import rebuild
from projections.runner import Runner
from projections.schema import READ, has_other_shape, partitions
from projections.tick_runner import TickRunner

log = structlog.get_logger("tradesense.projector")


class NoPartition(Exception):
    """There is nothing to project: the migrations have not run."""


def main() -> None:
    """Run until SIGTERM or SIGINT; a page under way is finished first."""
    settings = load_settings()
    writer = start_log(SystemClock())
    try:
        with servers_of(settings) as servers:
            run(servers.database_url(Role.PROJECTOR), data=settings.data)
    finally:
        writer.close()


def run(dsn: str, page: int = PAGE, data: Path | None = None) -> None:
    collect_seldom()
    uvloop.run(project_until_signalled(dsn, page, data))


def collect_seldom() -> None:
    """Facts and rows hold no rings: look for some once in a hundred thousand objects.

    What lives as long as the process need not be looked at at all.
    """
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)


async def project_until_signalled(
    dsn: str, page: int = PAGE, data: Path | None = None
) -> None:
    """Keep going; a fault in one partition's log stops all, loudly."""
    projecting = asyncio.create_task(project(dsn, page, data))
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, projecting.cancel)
    await asyncio.wait({projecting})
    if projecting.cancelled():
        log.info("projector-ended")
    else:
        projecting.result()


async def project(dsn: str, page: int = PAGE, data: Path | None = None) -> None:
    async with await connect(dsn) as connection:
        found = await partitions(connection)
        is_other = await has_other_shape(connection, READ)
    if not found:
        raise NoPartition("the database has no log yet: run `tradesense db up`")
    if is_other:
        log.info("rebuilding", reason="the tables are those of another version")
        await rebuild(dsn, found, data=data)
    runners = [Runner(dsn, partition, page=page) for partition in found]
    log.info("projector-started", partitions=found)
    try:
        async with asyncio.TaskGroup() as group:
            for runner in runners:
                group.create_task(runner.run())
            for partition in found:
                archive = TickArchive(data, partition) if data else None
                group.create_task(TickRunner(dsn, partition, archive).run())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    finally:
        for runner in runners:
            runner.close()
