"""A development run has its people before anybody can ask for them."""

from psycopg_pool import AsyncConnectionPool

from infrastructure.clock import SystemClock
from infrastructure.embedded.servers import Servers
from infrastructure.identity.hashing import CHEAP, Argon2Hasher
from infrastructure.identity.people import PostgresPeople
from infrastructure.identity.seed import seed_people
from infrastructure.ids import TimeOrderedIds
from infrastructure.roles import Role
from infrastructure.settings import Environment, Settings


async def seed(settings: Settings, servers: Servers) -> None:
    if settings.env is not Environment.DEV:
        return
    dsn = servers.database_url(Role.APP)
    async with AsyncConnectionPool(
        dsn, min_size=1, kwargs={"autocommit": True}, open=False
    ) as pool:
        await seed_people(
            settings.env,
            PostgresPeople(pool),
            Argon2Hasher(CHEAP),
            SystemClock(),
            TimeOrderedIds(),
        )
