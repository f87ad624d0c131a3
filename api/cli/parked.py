"""`tradesense parked`: what failed, and to have it asked again or left undone."""

import asyncio
from collections.abc import Mapping

import click
import msgspec

from api.cli.admin import Admin, as_admin, asked_as
from api.cli.refusing import one_line, settings
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION
from application.views.parked import ParkedView, parked_view
from infrastructure.embedded.servers import servers_of
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.roles import Role


class Item(click.ParamType[str]):
    """`p1/17`: the partition, and the number there."""

    name = "ID"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        partition, _, number = value.partition("/")
        if not (partition.isalnum() and number.isdecimal()):
            self.fail(
                "an ID is one that `parked list` shows, such as p1/17", param, ctx
            )
        return value


@click.group()
def parked() -> None:
    """Decide about what could not be done."""


@parked.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_parked(*, as_json: bool) -> None:
    """Show what failed and why, the oldest first."""
    with one_line(), servers_of(settings()) as servers:
        found = asyncio.run(_unsettled(servers.database_url(Role.AUDITOR)))
    if as_json:
        click.echo(msgspec.json.encode({"items": found}))
        return
    for item in found:
        place = f"{item.partition}/{item.id}"
        click.echo(
            f"{place}  {item.at:%Y-%m-%dT%H:%M:%SZ}  {item.kind}  {item.subject}"
        )
        click.echo(f"    {item.cause}")
    click.echo(f"{len(found)} parked.")


@parked.command()
@click.argument("item", type=Item())
@as_admin
def retry(
    item: str,
    *,
    admin: Admin,
    as_json: bool,
) -> None:
    """Have it asked again, as it was; twice is once."""
    _decide(item, "retry", None, admin, as_json=as_json)


@parked.command()
@click.argument("item", type=Item())
@click.option("--reason", required=True, help="Kept for ever: name no person in it.")
@as_admin
def skip(
    item: str,
    *,
    reason: str,
    admin: Admin,
    as_json: bool,
) -> None:
    """Leave it undone."""
    body = {"reason": reason}
    _decide(item, "skip", body, admin, as_json=as_json)


async def _unsettled(dsn: str) -> list[ParkedView]:
    found: list[ParkedView] = []
    for partition in (LIVE_PARTITION, SANDBOX_PARTITION):
        journal = PostgresJournal(dsn, partition)
        try:
            after = 0
            while page := await journal.parked(after):
                found += [parked_view(partition, each) for each in page]
                after = page[-1].id
        finally:
            await journal.close()
    return found


def _decide(
    item: str,
    how: str,
    body: Mapping[str, str] | None,
    admin: Admin,
    *,
    as_json: bool,
) -> None:
    path = f"/api/v1/admin/parked/{item}/{how}"
    decision = asked_as(admin, path, body)
    if as_json:
        click.echo(msgspec.json.encode(decision))
    else:
        click.echo(f"{item} is {decision['status']} ({decision['position']}).")
