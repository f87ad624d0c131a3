"""`tradesense audit`: what an auditor runs; none of it writes."""

import asyncio
import json
from pathlib import Path

import click
import msgspec
from rich.progress import Progress

from api.cli.explain import explain
from api.cli.progress import bar, progress
from api.cli.refusing import one_line, settings
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION
from application.replay import Report, StateHash, replay, total
from infrastructure.archive.reading import TickArchive
from infrastructure.embedded.servers import servers_of
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.event_store.saved import saved_cut
from infrastructure.roles import Role

UNEQUAL = 1


@click.group()
def audit() -> None:
    """Prove what happened."""


audit.add_command(explain)


@audit.command("replay")
@click.option("--account", "account_id", help="Only this account.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def replay_log(account_id: str | None, *, as_json: bool) -> None:
    """Judge the whole log again and compare; exit 1 when anything differs."""
    asked = settings()
    with one_line(), servers_of(asked) as servers:
        dsn = servers.database_url(Role.AUDITOR)
        report = asyncio.run(compared(dsn, account_id, asked.data))
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(report)))
    else:
        word = "equal" if report.equal else f"{len(report.differences)} differences"
        click.echo(f"{report.events} events, {report.accounts} accounts: {word}")
        for each in report.differences:
            click.echo(f"  {each.account_id} at {each.position}: {each}")
    if not report.equal:
        raise SystemExit(UNEQUAL)


async def compared(
    dsn: str, account_id: str | None, data: Path | None = None
) -> Report:
    with progress() as bars:
        reports = [
            await one_partition(dsn, partition, account_id, bars, data)
            for partition in (LIVE_PARTITION, SANDBOX_PARTITION)
        ]
    return joined(reports)


async def one_partition(
    dsn: str,
    partition: str,
    account_id: str | None,
    bars: Progress,
    data: Path | None = None,
) -> Report:
    checkpoint, images = await saved_cut(dsn, partition)
    everything = total(checkpoint, images)
    heard = bar(bars, f"{partition}, events and ticks", everything)
    archive = TickArchive(data, partition) if data else None
    journal = PostgresJournal(dsn, partition, archive)
    try:
        report = await replay(journal, checkpoint, images, account_id, heard)
    finally:
        await journal.close()
    heard(everything)
    return report


def joined(reports: list[Report]) -> Report:
    def hashed(hashes: list[str]) -> StateHash:
        return StateHash(state_hash="+".join(hashes))

    return Report(
        equal=all(each.equal for each in reports),
        accounts=sum(each.accounts for each in reports),
        events=sum(each.events for each in reports),
        live=hashed([each.live.state_hash for each in reports]),
        replayed=hashed([each.replayed.state_hash for each in reports]),
        differences=tuple(d for each in reports for d in each.differences),
    )
