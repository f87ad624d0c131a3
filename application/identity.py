"""How people come in: they register, log in, stay in, and leave."""

import asyncio
import unicodedata
from datetime import datetime
from weakref import WeakValueDictionary

from msgspec import Struct

from application.caller import Caller, Role
from application.clock import Clock
from application.ports import (
    Attempts,
    Ids,
    Letter,
    Mail,
    Opened,
    PasswordHasher,
    People,
    Person,
    Sessions,
    Tokens,
)
from application.refusals import InvalidCredentials, NotFound, Unauthenticated

REGISTER = "register"
LOGIN = "login"


class SignedIn(Struct, frozen=True, kw_only=True):
    access_token: str
    refresh_token: str
    trader_id: str


class Identity:
    """The doors for people; a stranger waits as long for a no as a friend."""

    def __init__(  # noqa: PLR0913 - the ports it needs, all by name
        self,
        *,
        people: People,
        sessions: Sessions,
        tokens: Tokens,
        hasher: PasswordHasher,
        attempts: Attempts,
        mail: Mail,
        clock: Clock,
        ids: Ids,
        verifies_at_once: bool,
    ) -> None:
        self._people = people
        self._sessions = sessions
        self._tokens = tokens
        self._hasher = hasher
        self._attempts = attempts
        self._mail = mail
        self._clock = clock
        self._ids = ids
        self._verifies_at_once = verifies_at_once
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def register(
        self, email: str, password: str, handle: str | None, client: str
    ) -> None:
        """Accept, whether the address is new or not; only its owner learns which."""
        await self._attempts.hit(REGISTER, client)
        address = email.lower()
        trader_id = self._ids.new()
        person = Person(
            trader_id=trader_id,
            email=address,
            handle=handle or f"trader-{trader_id[-6:]}",
            password_hash=await self._hasher.hash(written(password)),
            roles=frozenset({Role.TRADER}),
            is_verified=self._verifies_at_once,
        )
        at = self._clock.now()
        is_new = await self._people.add(person, at)
        await self._mail.send(_welcome(address, is_new=is_new, person=person, at=at))

    async def log_in(self, email: str, password: str, client: str) -> SignedIn:
        """Open a session; failures count against the address as seen from a client."""
        address = email.lower()
        subject = f"{address} {client}"
        # One after the other, so that fifty at once do not all see nine failures.
        async with self._queues.setdefault(subject, asyncio.Lock()):
            await self._attempts.check(LOGIN, subject)
            person = await self._people.by_email(address)
            known = person.password_hash if person else None
            fits = await self._hasher.fits(written(password), known)
            if person is None or not fits or not person.is_verified:
                await self._attempts.hit(LOGIN, subject)
                raise InvalidCredentials
        opened = await self._sessions.begin(person.trader_id, self._clock.now())
        return self._signed_in(opened, person.roles)

    async def refresh(self, refresh_token: str) -> SignedIn:
        at = self._clock.now()
        if (opened := await self._sessions.rotate(refresh_token, at)) is None:
            if session := await self._sessions.session_of(refresh_token):
                self._tokens.forget(session=session)
            raise Unauthenticated
        person = await self._people.by_id(opened.trader_id)
        if person is None:
            raise Unauthenticated
        return self._signed_in(opened, person.roles)

    async def log_out(self, session: str) -> None:
        await self._sessions.end(session, self._clock.now())
        self._tokens.forget(session=session)

    async def log_out_with(self, refresh_token: str) -> None:
        session = await self._sessions.session_of(refresh_token)
        if session is None:
            raise Unauthenticated
        await self.log_out(session)

    async def log_out_everywhere(self, trader_id: str) -> None:
        await self._sessions.end_all(trader_id, self._clock.now())
        self._tokens.forget(trader_id=trader_id)

    async def profile(self, trader_id: str) -> Person:
        if (person := await self._people.by_id(trader_id)) is None:
            raise NotFound
        return person

    async def letters_to(self, address: str, limit: int) -> tuple[Letter, ...]:
        return await self._mail.sent_to(address.lower(), limit)

    def _signed_in(self, opened: Opened, roles: frozenset[Role]) -> SignedIn:
        caller = Caller(opened.trader_id, roles, opened.session)
        return SignedIn(
            access_token=self._tokens.issue(caller),
            refresh_token=opened.refresh_token,
            trader_id=opened.trader_id,
        )


def written(password: str) -> str:
    """One spelling for what looks the same on every keyboard."""
    return unicodedata.normalize("NFKC", password)


def _welcome(address: str, *, is_new: bool, person: Person, at: datetime) -> Letter:
    if not is_new:
        subject, text = (
            "You are already registered",
            "Somebody tried to register this address again.",
        )
    elif person.is_verified:
        subject, text = "Welcome", f"Your address is verified, {person.handle}."
    else:
        subject, text = "Welcome", f"Please confirm your address, {person.handle}."
    return Letter(to=address, subject=subject, text=text, at=at)
