"""`tradesense tail`: the log itself as it grows, one line an event, past any engine."""

import asyncio
import re
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import click
import msgspec
from msgspec import Struct

from api.cli.gist import gist
from api.cli.refusing import one_line, settings
from application.catalogue import FACTS, Unreadable, fact_of
from application.engine.journal import Recorded
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION
from infrastructure.embedded.servers import servers_of
from infrastructure.event_store.history import Happened, happened
from infrastructure.event_store.reader import LogReader, PositionGap
from infrastructure.event_store.wire import Lost
from infrastructure.roles import Role

LOGS: Final = (LIVE_PARTITION, SANDBOX_PARTITION)
BEGINS_BEFORE: Final = 10  # events of each log, where nobody says where to begin
PLACE: Final = re.compile(r"(?:([a-z][a-z0-9]*)-)?(0|[1-9][0-9]{0,17})")
NAMES: Final = tuple(dict.fromkeys(name.partition("/")[0] for name in FACTS))
LONGEST_NAME: Final = max(map(len, FACTS))
LONGEST_STREAM: Final = len("challenge-00000000-0000-0000-0000-000000000000")


class After(click.ParamType[Mapping[str, int]]):
    """`p1-120` is a place in one log, `120` the same place in each."""

    name = "POSITION"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Mapping[str, int]:
        found = PLACE.fullmatch(value)
        if found is None or found[1] not in (None, *LOGS):
            self.fail("a position is one such as p1-120, s1-0 or 120", param, ctx)
        logs = LOGS if found[1] is None else (found[1],)
        return dict.fromkeys(logs, int(found[2]))


class Unread(Struct, frozen=True, kw_only=True):
    """An event that this version cannot read; where it stands is known all the same."""

    position: str
    stream: str
    version: int
    type: str
    unreadable: str


class Wanted(Struct, frozen=True):
    stream: str
    name: str | None  # None: all

    def takes(self, recorded: Recorded) -> bool:
        names = (None, recorded.name, recorded.name.partition("/")[0])
        return self.name in names and recorded.stream.startswith(self.stream)


Tell = Callable[[str, Recorded], None]


@click.command()
@click.option(
    "--after",
    type=After(),
    multiple=True,
    help="Begin there, in that log only: p1-0 is the whole live log, 0 both.",
)
@click.option("--stream", default="", metavar="PREFIX", help="Such as account-.")
@click.option("--type", "name", type=click.Choice([*NAMES, *FACTS]), metavar="NAME")
@click.option("-n", "--number", type=click.IntRange(1), help="End after so many.")
@click.option("--once", is_flag=True, help="End where the log ends now.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def tail(
    after: tuple[Mapping[str, int], ...],
    stream: str,
    name: str | None,
    number: int | None,
    *,
    once: bool,
    as_json: bool,
) -> None:
    """Show what is recorded, while it is recorded; Ctrl-C ends it.

    Each log is in its own order; between the two there is none.
    """
    tell = as_object if as_json else as_words
    tailing = Tail(Wanted(stream, name), number, tell)
    with one_line(), servers_of(settings()) as servers:
        dsn = servers.database_url(Role.AUDITOR)
        try:
            with suppress(KeyboardInterrupt):
                asyncio.run(tailing.run(dsn, ChainMap(*map(dict, after)), once=once))
        except (ConnectionError, Lost, PositionGap) as reason:
            raise click.ClickException(f"the log: {reason}") from reason


class Tail:
    def __init__(self, wanted: Wanted, most: int | None, tell: Tell) -> None:
        self._wanted = wanted
        self._left = most
        self._tell = tell

    async def run(self, dsn: str, after: Mapping[str, int], *, once: bool) -> None:
        logs = {each: LogReader(dsn, each) for each in after or LOGS}
        try:
            begins = {
                name: after[name] if name in after else await nearly_all(log)
                for name, log in logs.items()
            }
            if once:
                for name, log in logs.items():
                    await self._to_the_end(name, log, begins[name])
                return
            await self._to_enough(logs, begins)
        finally:
            for log in logs.values():
                await log.close()

    async def _to_enough(
        self, logs: Mapping[str, LogReader], begins: Mapping[str, int]
    ) -> None:
        """All at once; Ctrl-C ends each before the log that it reads is closed."""
        following = [
            asyncio.create_task(self._follow(name, log, begins[name]))
            for name, log in logs.items()
        ]
        try:
            ended, _ = await asyncio.wait(
                following, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for each in following:
                each.cancel()
            await asyncio.gather(*following, return_exceptions=True)
        for each in ended:
            each.result()

    async def _to_the_end(self, name: str, log: LogReader, after: int) -> None:
        end = await log.position()
        while after < end and not self._is_enough():
            page = await log.page(after)
            self._show(name, [each for each in page if each.position <= end])
            after = page[-1].position

    async def _follow(self, name: str, log: LogReader, after: int) -> None:
        """Return once enough has been shown; else never."""
        async for page in log.pages(after):
            self._show(name, page)
            if self._is_enough():
                return

    def _show(self, name: str, page: Sequence[Recorded]) -> None:
        for recorded in filter(self._wanted.takes, page):
            if self._is_enough():
                return
            self._tell(name, recorded)
            if self._left is not None:
                self._left -= 1

    def _is_enough(self) -> bool:
        return self._left == 0


async def nearly_all(log: LogReader) -> int:
    return max(0, await log.position() - BEGINS_BEFORE)


def as_words(partition: str, recorded: Recorded) -> None:
    place = f"{partition}-{recorded.position}"
    try:
        fact = fact_of(recorded)
        at, said = f"{fact.at:%Y-%m-%dT%H:%M:%S.%fZ}", gist(fact)
    except Unreadable as fault:
        at, said = "unreadable", str(fault)
    click.echo(
        f"{place:<10}  {at:<27}  {recorded.name:<{LONGEST_NAME}}"
        f"  {recorded.stream:<{LONGEST_STREAM}}  {plain(said)}".rstrip()
    )


def plain(said: str) -> str:
    """Keep one event on one line, and the terminal's own commands out of it."""
    return "".join(each if each.isprintable() else " " for each in said)


def as_object(partition: str, recorded: Recorded) -> None:
    click.echo(msgspec.json.encode(told(partition, recorded)))


def told(partition: str, recorded: Recorded) -> Happened | Unread:
    """Say it as `GET /accounts/{id}/events` does."""
    cause = recorded.fault
    if cause is None:
        try:
            return happened(
                partition,
                recorded.stream,
                recorded.position,
                recorded.version,
                recorded.name,
                recorded.payload,
                recorded.envelope.decode(),
            )
        except (msgspec.MsgspecError, ValueError) as fault:
            cause = f"{type(fault).__name__}: {fault}"
    return Unread(
        position=f"{partition}-{recorded.position}",
        stream=recorded.stream,
        version=recorded.version,
        type=recorded.name,
        unreadable=cause,
    )
