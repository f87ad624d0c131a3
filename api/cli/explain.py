"""`tradesense audit explain`: why an account stood as it stood, at any instant.

Read straight from the log, as the auditor; no engine is asked.
"""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import click
import msgspec

from api.cli.progress import bar, progress
from api.cli.refusing import one_line, settings
from application.as_of import NotHappenedYet, NotOpenedYet, UnknownAccount, as_of
from application.catalogue import Unreadable
from application.explanation import (
    INSTANT,
    Explanation,
    HeldThen,
    LimitThen,
    MarkThen,
    NotValued,
    explained,
)
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION
from domain.rules.limit import Comparator, Effect, Evaluated
from domain.rules.timer import Strike
from domain.values.quote import Quote
from infrastructure.archive.reading import TickArchive
from infrastructure.embedded.servers import servers_of
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.roles import Role

PARTITIONS: Final = (LIVE_PARTITION, SANDBOX_PARTITION)
Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class Instant(click.ParamType[datetime]):
    name = "INSTANT"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            return msgspec.convert(value, Aware).astimezone(UTC)
        except (msgspec.ValidationError, OverflowError):
            self.fail("an instant is such as 2026-01-05T09:00:00Z", param, ctx)


@click.command()
@click.argument("account_id", metavar="ACCOUNT")
@click.option("--at", type=Instant(), help="RFC 3339; else where the log ends.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def explain(account_id: str, at: datetime | None, *, as_json: bool) -> None:
    """Tell why ACCOUNT stood as it stood, with the arithmetic of every figure."""
    asked = settings()
    with one_line(), servers_of(asked) as servers:
        dsn = servers.database_url(Role.AUDITOR)
        try:
            found = asyncio.run(sought(dsn, account_id, at, asked.data))
        except NotOpenedYet as reason:
            opened_at = f"{reason.opened_at:{INSTANT}}"
            raise click.ClickException(
                f"the account was opened at {opened_at}: before, it stood at nothing"
            ) from reason
        except NotHappenedYet as reason:
            raise click.ClickException(
                f"that is still to come: the log of its venue ends at"
                f" {reason.ends_at:{INSTANT}}"
            ) from reason
        except NotValued as reason:
            raise click.ClickException(
                f"what is open then cannot be valued: {reason}"
            ) from reason
        except (Unreadable, ConnectionError) as reason:
            raise click.ClickException(f"the log: {reason}") from reason
    if found is None:
        raise click.ClickException("no account has that id")
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        click.echo("\n".join(told(found)))


async def sought(
    dsn: str, account_id: str, at: datetime | None, data: Path | None = None
) -> Explanation | None:
    """None: neither log knows the account."""
    with progress() as bars:
        heard = bar(bars, "tick", None)
        for partition in PARTITIONS:
            archive = TickArchive(data, partition) if data else None
            journal = PostgresJournal(dsn, partition, archive)
            try:
                return explained(await as_of(journal, account_id, at, heard), partition)
            except UnknownAccount:
                continue
            finally:
                await journal.close()
    return None


def told(it: Explanation) -> Iterator[str]:
    account = it.account
    yield f"Account {account.account_id}, {account.phase}, at {it.at:{INSTANT}}"
    yield f"  {account.status}, at tick {it.tick} of venue {account.venue_id}"
    yield f"  after its event {account.version}, at position {account.position}"
    yield f"  terms {account.terms_hash}"
    yield f"Balance {account.balance} {account.currency}"
    for each in it.booked:
        yield f"  {each.times} x {each.type}: {each.amount:+}"
    yield f"  {it.balance}"
    yield f"Equity {account.equity} {account.currency}"
    for held in it.positions:
        yield from position(held)
    yield from indented(1, it.equity or ("nothing is open: it is the balance",))
    yield "Marks"
    for mark in it.marks:
        name = mark.mark.replace("_", " ")
        yield f"  {name:<16}  {mark.amount:>15}  {since(mark)}"
    yield "Limits" if it.limits else "No limits"
    for floor in it.limits:
        yield from limit(floor)
    yield "Objectives" if account.objectives else "No objectives"
    for goal in account.objectives:
        met = "met" if goal.met else "not met"
        yield f"  {goal.rule}: asks for {goal.required}, has {goal.actual}: {met}"
    for timer in it.timers:
        verb = "warns" if timer.next.strike is Strike.WARN else "expires"
        yield f"  {timer.rule}: {verb} at {timer.next.at:{INSTANT}}"
    yield from verdicts(it)


def position(held: HeldThen) -> Iterator[str]:
    yield f"  {held.side} {held.quantity:f} {held.symbol} at {held.open_price}"
    yield f"    closes at {held.price}, by {quoted(held.quote)}"
    for leg in held.conversion:
        how = "divided" if leg.divides else "multiplied"
        yield f"    {how} by {leg.price}, by {quoted(leg.quote)}"
    yield f"    {held.arithmetic}"


def quoted(quote: Quote) -> str:
    return (
        f"tick {quote.sequence}, {quote.symbol} {quote.bid}/{quote.ask}"
        f" of {quote.at:{INSTANT}}"
    )


def since(mark: MarkThen) -> str:
    return f"since tick {mark.tick}, {mark.at:{INSTANT}}"


def limit(it: LimitThen) -> Iterator[str]:
    view = it.limit
    ceiling = "" if view.ceiling is None else f", ceiling {view.ceiling}"
    away = f"{view.distance} away" if view.distance >= 0 else f"{-view.distance} past"
    yield f"  {view.rule}: floor {view.floor}{ceiling}, {away}"
    crossed = "below it" if view.cmp is Comparator.BELOW else "on or below it"
    when = "at any tick" if it.evaluated is Evaluated.EVERY_TICK else "as a day ends"
    ends = "ends the account" if view.effect is Effect.HARD else "pauses it for the day"
    yield f"    {view.measured} {crossed}, {when}, {ends}"
    yield f"    {it.because}, {it.anchor.at:{INSTANT}}"
    yield from indented(2, it.arithmetic)


def verdicts(it: Explanation) -> Iterator[str]:
    for each in it.verdicts:
        rules = "".join(f" {rule}" for rule in each.rules)
        yield f"Verdict: {each.outcome}{rules}, {each.at:{INSTANT}}, {each.position}"
        yield from indented(1, each.arithmetic)
    if it.because:
        yield "No verdict ends it"
        yield from indented(1, it.because)


def indented(by: int, lines: Iterable[str]) -> Iterator[str]:
    return (f"{'  ' * by}{line}" for line in lines)
