"""`tradesense seed`: the people of development, and as many accounts as wanted."""

import asyncio
from itertools import count

import click
import msgspec
from httpx import AsyncClient, HTTPError

from api.cli.progress import bar, progress
from api.cli.refusing import one_line, settings
from api.demo.crowd import Opened, Unanswered, open_accounts
from api.demo.main import base_url
from api.up.people import seed as seed_people
from infrastructure.embedded.servers import servers_of
from infrastructure.identity.seed import DEV_PEOPLE
from infrastructure.migrate import migrate
from infrastructure.roles import Role
from infrastructure.settings import Environment

MOST_ACCOUNTS = 100_000
PATIENCE_SECONDS = 30.0


@click.command()
@click.option("--accounts", type=click.IntRange(0, MOST_ACCOUNTS), default=0)
@click.option("--seed", "chance", type=int, default=None, help="Else SEED counts.")
@click.option("--url", default=None, help="Of the running API; else HOST and PORT.")
@click.option("--json", "as_json", is_flag=True)
def seed(accounts: int, chance: int | None, url: str | None, *, as_json: bool) -> None:
    """Add the three dev logins; open ACCOUNTS accounts in a TradeSense that runs."""
    asked = settings()
    if asked.env is not Environment.DEV:
        raise click.ClickException(f"seed is for TS_ENV=dev, and this is {asked.env}.")
    with one_line(), servers_of(asked) as servers:
        migrate(servers.database_url(Role.OWNER))
        asyncio.run(seed_people(asked, servers))
    opened = Opened(0, 0, 0)
    if accounts:
        where = url or base_url(asked.host, asked.port)
        number = asked.seed if chance is None else chance
        try:
            opened = asyncio.run(_open(where, number, accounts))
        except (HTTPError, Unanswered) as trouble:
            raise click.ClickException(
                f"Nobody answers at {where}: start TradeSense with `make run`,"
                " or say where it runs with --url."
            ) from trouble
    people = [person.email for person in DEV_PEOPLE]
    said = {"people": people, **msgspec.to_builtins(opened)}
    if as_json:
        click.echo(msgspec.json.encode(said))
    else:
        click.echo(f"{len(people)} people can log in: {', '.join(people)}.")
        if accounts:
            click.echo(
                f"{opened.accounts} accounts of {opened.traders} traders are open,"
                f" {opened.refused} were refused."
            )


async def _open(url: str, seed: int, wanted: int) -> Opened:
    async with AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as http:
        await http.get("/live")  # nobody waits long for an API that is not there
        with progress() as bars:
            heard, opened = bar(bars, "accounts", wanted), count(1)
            return await open_accounts(http, seed, wanted, lambda: heard(next(opened)))
