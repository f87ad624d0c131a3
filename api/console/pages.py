"""The pages, each under an address that can be passed on.

Who is signed in carries a bearer token in the browser, not in a cookie: a page of what
is not public is fetched once more with it, and then comes filled.
"""

from contextlib import suppress
from typing import Annotated, Final

import psycopg
from litestar import Response, Router, get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import PathParameter, SkipValidation
from litestar.response import Template
from litestar.static_files import create_static_files_router
from msgspec import Struct

from api.console.rendering import STATIC, page, problem_page
from api.doors import ANYONE
from api.problems import INTERNAL, answer, problem_of, report, request_id_of
from api.trading.feed import FEW
from api.trading.overview import overview_of
from api.trading.reads import Reads
from api.trading.viewing import LIVE, AnyRequest, Viewing
from application.gateway import Gateway
from application.refusals import NotFound, Unauthenticated
from infrastructure.identity.seed import DEV_PEOPLE, Seeded
from projections.breaches import breach
from projections.happenings import Happening, handle_of, latest
from projections.leaderboard import MAIN, Ranked, leaderboard
from projections.opening_curve import best_trading

MOST_RANKED: Final = 20
Uuid = Annotated[
    str, PathParameter(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$(?!\n)")
]

ReadsHere = NamedDependency[SkipValidation[Reads]]
ViewingHere = NamedDependency[SkipValidation[Viewing]]
GatewayHere = NamedDependency[SkipValidation[Gateway]]


class Logins(Struct, frozen=True):
    """Whom a page may offer to log in as: nobody, outside development."""

    people: tuple[Seeded, ...] = ()


@get("/")
async def live(reads: ReadsHere) -> Template:
    board: tuple[Ranked, ...] = ()
    feed: tuple[Happening, ...] = ()
    watched: str | None = None
    with suppress(psycopg.errors.UndefinedTable):  # the projector's first start
        board = await leaderboard(reads.pool, MAIN, MOST_RANKED)
        feed = await latest(reads.pool, LIVE, FEW)
        watched = await best_trading(reads.pool, MAIN)
    return page("live.html", board=board, feed=feed, watched=watched)


@get("/accounts/{account_id:str}")
async def account(
    request: AnyRequest, account_id: Uuid, reads: ReadsHere, viewing: ViewingHere
) -> Template:
    viewer = await viewing.viewer(request)
    try:
        seen = viewing.see(account_id, viewer)
    except Unauthenticated:
        return page("guarded.html", what="account")
    return page("account.html", it=await overview_of(reads, viewing, seen))


@get("/breaches/{breach_id:str}")
async def one_breach(
    request: AnyRequest, breach_id: Uuid, reads: ReadsHere, viewing: ViewingHere
) -> Template:
    viewer = await viewing.viewer(request)
    try:
        with suppress(psycopg.errors.UndefinedTable):
            if found := await breach(reads.pool, breach_id):
                viewing.see(found.account_id, viewer)
                handle = await handle_of(reads.pool, found.account_id)
                return page("breach.html", it=found, handle=handle)
    except Unauthenticated:
        return page("guarded.html", what="breach")
    if viewer is None:
        return page("guarded.html", what="breach")
    raise NotFound(breach_id)


@get("/challenges")
async def challenges(gateway: GatewayHere) -> Template:
    plans = sorted(gateway.plans(), key=lambda plan: plan.sizes[0].price)
    return page("challenges.html", plans=plans)


@get("/login")
async def login(logins: NamedDependency[Logins]) -> Template:
    return page("login.html", logins=logins.people)


def told(request: AnyRequest, error: Exception) -> Response[bytes] | Template:
    """Say no to a person in a page, to a program as ever."""
    if "text/html" not in request.headers.get("accept", ""):
        return answer(request, error)
    problem = problem_of(error)
    if problem.code == INTERNAL:
        report(error, request_id_of(request.scope))
    return problem_page(problem)


def console_router() -> Router:
    assets = create_static_files_router(
        path="/static",
        directories=[STATIC],
        opt=dict(ANYONE),
        include_in_schema=False,
        cache_control=CacheControlHeader(no_cache=True),
    )
    return Router(
        "/",
        route_handlers=[
            Router(
                "/",
                route_handlers=[live, account, one_breach, challenges, login],
                opt=dict(ANYONE),
                include_in_schema=False,
                exception_handlers={Exception: told},
            ),
            assets,
        ],
    )


def logins(*, in_dev: bool) -> Logins:
    return Logins(DEV_PEOPLE if in_dev else ())
