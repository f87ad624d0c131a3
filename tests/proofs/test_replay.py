"""The log judged again says the same, wherever that is; a changed log is found out."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any, Final, LiteralString, TypeVar
from uuid import uuid4

import msgspec
import psycopg
import pytest
from msgspec import Struct
from psycopg.sql import SQL, Identifier

from infrastructure.roles import Role
from tests.databases import Database
from tests.proofs.conftest import Counts, Figure
from tests.proofs.product import Product, Ran, product, until
from tests.proofs.traders import Sent, Trader

SEED = 20_260_105
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia")
HASH_SEEDS = ("0", "1")
QUICK_STEPS, FULL_STEPS = 120, 1_500  # of each trader
QUICK, FULL = 2, 60  # changed numbers, lost blocks, lost breaches, of each
TRADERS = 3
AT_ONCE = 2
T = TypeVar("T")
END_SECONDS = 15
OF_ACCOUNTS: Final[LiteralString] = "originator_id LIKE 'account-%%'"


class Recorded(Struct, frozen=True):
    """A log at rest, and the product that can read it."""

    product: Product
    database: Database
    commands: int

    async def replay(self, database: str, **environment: str) -> Ran:
        url = self.database.servers.database_url(Role.OWNER, database)
        return await self.product.run(
            "audit", "replay", "--json", DATABASE_URL=url, **environment
        )


@pytest.fixture
async def recorded(database: Database, counts: Counts) -> Any:
    """Let traders trade on an API process, and end that in good order."""
    settings = {
        "DATABASE_URL": database.dsn(Role.OWNER),
        "REDIS_URL": database.servers.redis_url,
    }
    acknowledged: list[Sent] = []
    async with product(**settings) as made:
        api, projector = made.start("api"), made.start("project")
        traders = [
            Trader(number, SEED, lambda: made.url, acknowledged.append)
            for number in range(TRADERS)
        ]
        many = counts.of(QUICK_STEPS, FULL_STEPS)
        async with asyncio.TaskGroup() as lives:
            for trader in traders:
                lives.create_task(lived(trader, many))
        for process in (api, projector):
            process.send_signal(signal.SIGTERM)
        await until(lambda: not made.living(), "a good end", END_SECONDS)
        assert (api.wait(), projector.wait()) == (0, 0)
        yield Recorded(made, database, len(acknowledged))


async def lived(trader: Trader, steps: int) -> None:
    try:
        await trader.enter()
        for _ in range(steps):
            await trader.step()
    finally:
        await trader.close()


async def test_a_replay_is_the_same_everywhere_and_finds_every_change(
    recorded: Recorded, counts: Counts, figure: Figure
) -> None:
    name = recorded.database.name
    places = [(zone, seed) for zone in ZONES for seed in HASH_SEEDS]
    runs = await in_twos(
        partial(recorded.replay, name, TZ=zone, PYTHONHASHSEED=seed)
        for zone, seed in places
    )
    assert {run.code for run in runs} == {0}, runs[0]
    (said,) = {run.out for run in runs}
    report = msgspec.json.decode(said)
    assert report["equal"]
    assert report["live"] == report["replayed"]
    figure(
        f"{len(runs)} replays in {len(ZONES)} zones, {len(HASH_SEEDS)} hash seeds:"
        f" the same {report['events']} events and {report['accounts']} accounts,"
        f" {report['live']['state_hash']}"
    )

    chance = Random(SEED)  # noqa: S311 - chance to be repeated, not a secret
    many = counts.of(QUICK, FULL)
    for tamper in (change_a_number, lose_a_block, lose_a_breach):
        found = await in_twos([partial(tampered, recorded, tamper, chance)] * many)
        assert all(found)
        figure(f"{tamper.__name__.replace('_', ' ')}: {len(found)} of {many} found")


async def in_twos(asks: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """As many at a time as there are cores to be expected."""
    waiting, answers = iter(asks), list[T]()

    async def work() -> None:
        for ask in waiting:
            answers.append(await ask())

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    return answers


# -- the changes, made by somebody who may do everything ---------------------------


class Change(Struct, frozen=True):
    what: str
    named: tuple[str, ...]  # one of these must stand in the report


async def tampered(recorded: Recorded, tamper: Any, chance: Random) -> bool:
    with copied(recorded.database) as name:
        url = recorded.database.servers.database_url(Role.OWNER, name)
        with psycopg.connect(url) as connection:
            for table in ("events", "tick_blocks"):
                statement = SQL("ALTER TABLE s1.{} DISABLE TRIGGER USER")
                connection.execute(statement.format(Identifier(table)))
            change = tamper(connection, chance)
        ran = await recorded.replay(name)
        assert ran.code == 1, (change, ran.out, ran.err)
        report = ran.read()
        assert not report["equal"]
        named = {each["account_id"] for each in report["differences"]}
        named |= {str(each["position"]) for each in report["differences"]}
        assert named.intersection(change.named), (change, report["differences"][:3])
        return True


@contextmanager
def copied(database: Database) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    made = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log")
    gone = SQL("DROP DATABASE {} WITH (FORCE)")
    maintenance = database.servers.database_url(Role.OWNER, "postgres")
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(made.format(Identifier(name), Identifier(database.name)))
        try:
            yield name
        finally:
            connection.execute(gone.format(Identifier(name)))


def change_a_number(connection: psycopg.Connection[Any], chance: Random) -> Change:
    """Any number of any event of any account of the sandboxes."""
    events = connection.execute(
        f"SELECT notification_id, originator_id, topic, state FROM s1.events"  # noqa: S608
        f" WHERE {OF_ACCOUNTS} ORDER BY 1"
    ).fetchall()
    while True:
        position, stream, topic, state = chance.choice(events)
        payload = msgspec.json.decode(state)
        places = list(numbers_in(payload, ()))
        if places:
            break
    path = chance.choice(places)
    changed = msgspec.json.encode(with_other(payload, path))
    assert changed != bytes(state)
    connection.execute(
        "UPDATE s1.events SET state = %s WHERE notification_id = %s",
        (changed, position),
    )
    what = f"{topic} at {position}: {'.'.join(map(str, path))}"
    return Change(what, (stream.removeprefix("account-"), str(position)))


def lose_a_block(connection: psycopg.Connection[Any], chance: Random) -> Change:
    blocks = connection.execute(
        "SELECT venue_id, number FROM s1.tick_blocks ORDER BY 1, 2"
    ).fetchall()
    venue_id, number = chance.choice(blocks)
    connection.execute(
        "DELETE FROM s1.tick_blocks WHERE venue_id = %s AND number = %s",
        (venue_id, number),
    )
    accounts = connection.execute(
        f"SELECT originator_id FROM s1.events WHERE {OF_ACCOUNTS}"  # noqa: S608
        " AND envelope->>'venue' = %s",
        (venue_id,),
    ).fetchall()
    named = (stream.removeprefix("account-") for (stream,) in accounts)
    return Change(f"block {number} of {venue_id}", (venue_id, *named))


def lose_a_breach(connection: psycopg.Connection[Any], chance: Random) -> Change:
    breaches = connection.execute(
        "SELECT notification_id, originator_id FROM s1.events"
        " WHERE topic = 'account.rule-breached/1' ORDER BY 1"
    ).fetchall()
    position, stream = chance.choice(breaches)
    connection.execute("DELETE FROM s1.events WHERE notification_id = %s", (position,))
    return Change(f"breach at {position}", (stream.removeprefix("account-"),))


def numbers_in(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from numbers_in(inner, (*path, name))
        case list():
            for place, inner in enumerate(value):
                yield from numbers_in(inner, (*path, place))
        case bool():
            return
        case int():
            yield path
        case str() if value.strip("-").replace(".", "", 1).isdigit():
            yield path


def with_other(payload: Any, path: tuple[Any, ...]) -> Any:
    """Change the last digit of the number that stands there."""
    copy = msgspec.json.decode(msgspec.json.encode(payload))
    *way, last = path
    inner = copy
    for step in way:
        inner = inner[step]
    old = str(inner[last])
    new = old[:-1] + ("1" if old[-1] != "1" else "2")
    inner[last] = int(new) if isinstance(inner[last], int) else new
    return copy
