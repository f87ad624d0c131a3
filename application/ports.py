"""What the product needs from outside; the adapters live in `infrastructure`."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from application.caller import Caller, Role


class Ids(Protocol):
    def new(self) -> str:
        """Give a new id; later ones sort after earlier ones."""
        ...


class Person(Struct, frozen=True, kw_only=True):
    trader_id: str
    email: str  # lower case
    handle: str
    password_hash: str
    roles: frozenset[Role]
    is_verified: bool


class Letter(Struct, frozen=True, kw_only=True):
    to: str
    subject: str
    text: str
    at: datetime


class People(Protocol):
    """The erasable half of an account: who is behind a trader's id."""

    async def by_email(self, email: str) -> Person | None: ...

    async def by_id(self, trader_id: str) -> Person | None: ...

    async def add(self, person: Person, at: datetime) -> bool:
        """Store a new person; False when the address is already known."""
        ...


class Mail(Protocol):
    async def send(self, letter: Letter) -> None: ...

    async def sent_to(self, address: str, limit: int) -> tuple[Letter, ...]:
        """List the newest letters first."""
        ...


class PasswordHasher(Protocol):
    """Slow on purpose, and never more than a few at once."""

    async def hash(self, password: str) -> str: ...

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Compare; without a hash it takes just as long and says no."""
        ...


class Opened(Struct, frozen=True, kw_only=True):
    """One link of a chain of refresh tokens that began with a login."""

    refresh_token: str
    session: str
    trader_id: str


class Standing(Struct, frozen=True, kw_only=True):
    """What is known of a session and of the person whose it is."""

    roles: frozenset[Role] | None  # None: nobody carries that trader's id
    is_known: bool
    has_ended: bool


class Sessions(Protocol):
    """Refresh tokens: each is good for one rotation, and reuse ends its session."""

    async def begin(self, trader_id: str, at: datetime) -> Opened: ...

    async def rotate(self, refresh_token: str, at: datetime) -> Opened | None:
        """Give the successor, or None; a token used twice ends its session."""
        ...

    async def session_of(self, refresh_token: str) -> str | None: ...

    async def end(self, session: str, at: datetime) -> None: ...

    async def end_all(self, trader_id: str, at: datetime) -> None: ...

    async def standing(self, session: str, trader_id: str) -> Standing: ...


class Tokens(Protocol):
    """Access tokens: short-lived, signed, and readable by anyone who knows our key."""

    def issue(self, caller: Caller) -> str: ...

    async def caller(self, token: bytes) -> Caller:
        """Verify; raises `Unauthenticated` for every fault."""
        ...

    def forget(self, *, session: str = "", trader_id: str = "") -> None:
        """Drop what was remembered of a session, or of all sessions of a trader."""
        ...


class Attempts(Protocol):
    """How often a subject may try within a window."""

    async def hit(self, action: str, subject: str) -> None:
        """Count one more; raises `TooManyRequests` above the limit."""
        ...

    async def check(self, action: str, subject: str) -> None:
        """Raise `TooManyRequests` when the next one would be above the limit."""
        ...
