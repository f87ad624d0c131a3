"""Rows 1 to 4 of the contract: register, log in, stay in, leave."""

from typing import Annotated, Any, Final

from litestar import Request, Router, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter, SkipValidation
from msgspec import Meta, Struct

from api.conventions import Page, utc
from api.doors import ANYONE, SIGNED_IN, Authenticate, bearer_token
from api.problems import Fault, Problem
from application.caller import Caller
from application.identity import Identity, SignedIn
from application.ports import Letter

LIFETIME_SECONDS: Final = 600
PASSWORD_BYTES: Final = 1024
LETTERS: Final = 50

EmailText = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
        r"@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,8}$(?!\n)",
        max_length=254,
        examples=["user@tradesense.ai"],
    ),
]
PasswordText = Annotated[str, Meta(min_length=1, max_length=PASSWORD_BYTES)]
HandleText = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f<>]{1,40}$(?!\n)")]
RefreshText = Annotated[str, Meta(min_length=1, max_length=256)]


class Register(Struct, frozen=True, forbid_unknown_fields=True):
    email: EmailText
    password: PasswordText
    handle: HandleText | None = None


class Accepted(Struct, frozen=True):
    status: str


class LogIn(Struct, frozen=True, forbid_unknown_fields=True):
    email: EmailText
    password: PasswordText
    totp: Annotated[str, Meta(pattern=r"^[0-9]{6,8}$(?!\n)")] | None = None


class Refresh(Struct, frozen=True, forbid_unknown_fields=True):
    refresh_token: RefreshText


class Tokens(Struct, frozen=True):
    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    trader_id: str


class Profile(Struct, frozen=True):
    trader_id: str
    email: str
    handle: str
    roles: tuple[str, ...]


class LetterView(Struct, frozen=True):
    to: str
    subject: str
    text: str
    at: str


IdentityHere = NamedDependency[SkipValidation[Identity]]


@post("/auth/register", status_code=202, opt=dict(ANYONE))
async def register(
    request: Request[Any, Any, Any],
    data: JSONBody[Register],
    identity: IdentityHere,
    shortest_password: NamedDependency[int],
) -> Accepted:
    """Answer alike for a new address and a known one."""
    _refuse_poor(data, shortest_password)
    await identity.register(data.email, data.password, data.handle, client_of(request))
    return Accepted("accepted")


@post("/auth/login", status_code=200, opt=dict(ANYONE))
async def log_in(
    request: Request[Any, Any, Any], data: JSONBody[LogIn], identity: IdentityHere
) -> Tokens:
    signed_in = await identity.log_in(data.email, data.password, client_of(request))
    return _tokens(signed_in)


@post("/auth/refresh", status_code=200, opt=dict(ANYONE))
async def refresh(data: JSONBody[Refresh], identity: IdentityHere) -> Tokens:
    return _tokens(await identity.refresh(data.refresh_token))


@post("/auth/logout", status_code=204, opt=dict(ANYONE))
async def log_out(
    request: Request[Any, Any, Any],
    identity: IdentityHere,
    authenticate: NamedDependency[SkipValidation[Authenticate]],
    data: JSONBody[Refresh | None] = None,
) -> None:
    """End the session of the refresh token, or else of the bearer token."""
    if data is not None:
        await identity.log_out_with(data.refresh_token)
    else:
        caller = await authenticate(bearer_token(request.scope))
        await identity.log_out(caller.session)


@post("/auth/logout-all", status_code=204, opt=dict(SIGNED_IN))
async def log_out_everywhere(
    caller: NamedDependency[Caller], identity: IdentityHere
) -> None:
    await identity.log_out_everywhere(caller.trader_id)


@get("/users/profile", opt=dict(SIGNED_IN))
async def profile(caller: NamedDependency[Caller], identity: IdentityHere) -> Profile:
    person = await identity.profile(caller.trader_id)
    return Profile(
        person.trader_id, person.email, person.handle, tuple(sorted(caller.roles))
    )


@get("/dev/mail", opt=dict(ANYONE))
async def mail(
    to: Annotated[str, QueryParameter(max_length=254)], identity: IdentityHere
) -> Page[LetterView]:
    """Show the newest letters; this door exists in development only."""
    letters = await identity.letters_to(to, LETTERS)
    return Page(items=tuple(map(_letter, letters)), next=None, position="")


auth_routes: Final = (
    register,
    log_in,
    refresh,
    log_out,
    log_out_everywhere,
    profile,
)


def auth_router(*, in_dev: bool) -> Router:
    routes = (*auth_routes, mail) if in_dev else auth_routes
    return Router("/api/v1", route_handlers=routes, tags=["people"])


def client_of(request: Request[Any, Any, Any]) -> str:
    """Name the network peer; a forwarded address counts only from known proxies."""
    return request.client.host if request.client else ""


def _refuse_poor(wanted: Register, shortest: int) -> None:
    if len(wanted.password) < shortest:
        reason = f"shorter than {shortest} characters"
    elif len(wanted.password.encode()) > PASSWORD_BYTES:
        reason = f"longer than {PASSWORD_BYTES} bytes"
    elif wanted.password.lower() == wanted.email.lower():
        reason = "the same as the address"
    else:
        return
    raise Problem("invalid-request", errors=(Fault("password", reason),))


def _tokens(signed_in: SignedIn) -> Tokens:
    return Tokens(
        access_token=signed_in.access_token,
        refresh_token=signed_in.refresh_token,
        token_type="Bearer",  # noqa: S106 - a word of OAuth, not a secret
        expires_in=LIFETIME_SECONDS,
        trader_id=signed_in.trader_id,
    )


def _letter(letter: Letter) -> LetterView:
    return LetterView(letter.to, letter.subject, letter.text, utc(letter.at))
