"""The people of a development database, and its bridge; nowhere else do they exist."""

from typing import Final

from msgspec import Struct

from application.caller import Role
from application.clock import Clock
from application.ports import Ids, PasswordHasher, People, Person
from infrastructure.settings import Environment


class Seeded(Struct, frozen=True):
    email: str
    password: str
    handle: str
    role: Role


DEV_PEOPLE: Final = (
    Seeded("user@tradesense.ai", "user123", "user", Role.TRADER),
    Seeded("admin@tradesense.ai", "admin123", "admin", Role.SUPER_ADMIN),
    Seeded("auditor@tradesense.ai", "auditor123", "auditor", Role.AUDITOR),
    Seeded("bridge@tradesense.ai", "bridge123", "bridge", Role.BRIDGE),
)


class SeedRefused(Exception):
    """Known passwords are for development only."""


async def refuse_seeded(people: People) -> None:
    """Keep a production start from serving a database that dev has seeded."""
    for seeded in DEV_PEOPLE:
        if await people.by_email(seeded.email) is not None:
            raise SeedRefused(f"{seeded.email} belongs to development: remove it")


async def seed_people(
    environment: Environment,
    people: People,
    hasher: PasswordHasher,
    clock: Clock,
    ids: Ids,
) -> None:
    """Add whoever is missing; running it again changes nothing."""
    if environment is not Environment.DEV:
        raise SeedRefused("people are seeded with TS_ENV=dev only")
    for seeded in DEV_PEOPLE:
        if await people.by_email(seeded.email) is None:
            person = Person(
                trader_id=ids.new(),
                email=seeded.email,
                handle=seeded.handle,
                password_hash=await hasher.hash(seeded.password),
                roles=frozenset({seeded.role}),
                is_verified=True,
            )
            await people.add(person, clock.now())
