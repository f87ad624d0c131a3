"""Many accounts at once, opened through the public API: something to rank and count."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random
from typing import Final, TypeVar

from httpx import AsyncClient
from msgspec import Struct

from api.demo.answers import Challenge, Page, Plan
from api.demo.client import Client, NotNow, Person, Refused

MOST_TRADERS: Final = 80  # who may register in a minute, beside the twenty
AT_ONCE: Final = 8
TRIES: Final = 30

T = TypeVar("T")


class Opened(Struct, frozen=True):
    traders: int
    accounts: int
    refused: int


class Unanswered(Exception):
    """The API was away, or too busy for too long."""


async def open_accounts(
    http: AsyncClient, seed: int, count: int, progress: Callable[[], None]
) -> Opened:
    """Open each once, however often this runs: every purchase has a key of its own."""
    traders = [
        Client(http, trader(number, seed)) for number in range(min(count, MOST_TRADERS))
    ]
    plans = await patiently(partial(traders[0].get, "/plans", Page[Plan]))
    turns = asyncio.Semaphore(AT_ONCE)

    async def shop(number: int, client: Client) -> int:
        bought = 0
        for account in range(number, count, MOST_TRADERS):
            async with turns:
                bought += await buy(client, f"{seed}-{account}", plans.items)
            progress()
        return bought

    shopping = [shop(number, client) for number, client in enumerate(traders)]
    accounts = sum(await asyncio.gather(*shopping))
    return Opened(len(traders), accounts, refused=count - accounts)


async def buy(client: Client, label: str, plans: Sequence[Plan]) -> bool:
    chance = Random(label)  # noqa: S311 - to be repeated, not secret
    plan = chance.choice(plans)
    wanted = {
        "plan_id": plan.plan_id,
        "deposit": str(chance.choice(plan.sizes).deposit),
        "payment": {"method": "dev"},
    }
    ask = partial(client.post, "/challenges", Challenge, wanted, f"seed-{label}")
    try:
        await patiently(ask)
    except Refused:
        return False
    return True


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    for _ in range(TRIES):
        try:
            return await ask()
        except NotNow as trouble:
            reason = trouble
            await asyncio.sleep(trouble.seconds)
    raise Unanswered from reason


def trader(number: int, seed: int) -> Person:
    return Person(
        email=f"trader.{number}.{seed}@demo.tradesense.ai",
        password=f"seeded trader {number} of seed {seed}",
        handle=f"Trader {number}",
    )
