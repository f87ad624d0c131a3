"""`tradesense parked`: what failed, and to have it asked again or left undone."""

import asyncio
from collections.abc import Mapping
from typing import Any

import click
import httpx
import msgspec

from api.cli.refusing import one_line, settings
from api.demo.main import base_url
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION
from application.views.parked import ParkedView, parked_view
from infrastructure.embedded.servers import servers_of
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.identity.seed import DEV_PEOPLE
from infrastructure.roles import Role
from infrastructure.settings import Environment, Settings

PATIENCE_SECONDS = 10.0
ADMIN = next(each for each in DEV_PEOPLE if each.handle == "admin")


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


class Admin(msgspec.Struct, frozen=True):
    url: str | None
    email: str | None
    password: str | None


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


def as_admin(function: Any) -> Any:  # noqa: ANN401 - click's own decorators say no more
    for option in (
        click.option("--json", "as_json", is_flag=True),
        click.option("--password", envvar="TS_ADMIN_PASSWORD", help="Of the admin."),
        click.option("--email", envvar="TS_ADMIN_EMAIL", help="In dev: the dev admin."),
        click.option("--url", help="Of the running API; else HOST and PORT."),
    ):
        function = option(function)
    return function


@parked.command()
@click.argument("item", type=Item())
@as_admin
def retry(
    item: str,
    *,
    url: str | None,
    email: str | None,
    password: str | None,
    as_json: bool,
) -> None:
    """Have it asked again, as it was; twice is once."""
    _decide(item, "retry", None, Admin(url, email, password), as_json=as_json)


@parked.command()
@click.argument("item", type=Item())
@click.option("--reason", required=True, help="Kept for ever: name no person in it.")
@as_admin
def skip(
    item: str,
    *,
    reason: str,
    url: str | None,
    email: str | None,
    password: str | None,
    as_json: bool,
) -> None:
    """Leave it undone."""
    body = {"reason": reason}
    _decide(item, "skip", body, Admin(url, email, password), as_json=as_json)


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
    asked = settings()
    where = admin.url or base_url(asked.host, asked.port)
    try:
        with httpx.Client(base_url=where, timeout=PATIENCE_SECONDS) as http:
            headers = _signed_in(http, admin, asked)
            path = f"/api/v1/admin/parked/{item}/{how}"
            decision = _accepted(http.post(path, json=body, headers=headers))
    except httpx.HTTPError as trouble:
        raise click.ClickException(
            f"Nobody answers at {where}: say where TradeSense runs with --url."
        ) from trouble
    if as_json:
        click.echo(msgspec.json.encode(decision))
    else:
        click.echo(f"{item} is {decision['status']} ({decision['position']}).")


def _signed_in(http: httpx.Client, admin: Admin, asked: Settings) -> dict[str, str]:
    email, password = admin.email, admin.password
    if asked.env is Environment.DEV:
        email, password = email or ADMIN.email, password or ADMIN.password
    if not (email and password):
        raise click.ClickException("Set TS_ADMIN_EMAIL and TS_ADMIN_PASSWORD.")
    person = {"email": email, "password": password}
    tokens = _accepted(http.post("/api/v1/auth/login", json=person))
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def _accepted(answer: httpx.Response) -> dict[str, Any]:
    said: dict[str, Any] = answer.json()
    if answer.is_success:
        return said
    raise click.ClickException(f"{said['code']}: {said['detail']}")
