"""Passwords are hashed by argon2id, slowly, and two at a time."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct

from application.refusals import Busy

AT_ONCE: Final = 2  # each takes 46 MiB and a core
WAITING: Final = 64

T = TypeVar("T")


class Cost(Struct, frozen=True):
    memory_kib: int
    rounds: int
    lanes: int


PRODUCTION: Final = Cost(memory_kib=46 * 1024, rounds=1, lanes=1)
CHEAP: Final = Cost(memory_kib=64, rounds=1, lanes=1)  # dev and tests only


class Argon2Hasher:
    """A hash cheaper than `cost` fits nothing: what dev made opens no other door."""

    def __init__(self, cost: Cost) -> None:
        self._cost = cost
        self._argon2 = PasswordHasher(cost.rounds, cost.memory_kib, cost.lanes)
        self._nobody = self._argon2.hash("nobody's password")
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._argon2.hash(password))

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Compare; without a hash it takes just as long and says no."""
        is_known = password_hash is not None and self._is_dear(password_hash)
        against = password_hash if password_hash and is_known else self._nobody

        def verify() -> bool:
            try:
                return self._argon2.verify(against, password)
            except (VerificationError, InvalidHashError):
                return False

        return await self._run(verify) and is_known

    def _is_dear(self, password_hash: str) -> bool:
        try:
            parameters = extract_parameters(password_hash)
        except InvalidHashError:
            return False
        return parameters.memory_cost >= self._cost.memory_kib

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING:
            raise Busy("too many logins at once")
        self._waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
