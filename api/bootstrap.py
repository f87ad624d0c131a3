"""The one place where the real parts are chosen and joined."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import structlog
from limits.aio.storage import RedisStorage
from litestar import Litestar
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from psycopg_pool import AsyncConnectionPool

from api.app import Lifespan, always, create_app
from api.auth import auth_router
from api.console.pages import console_router, logins
from api.engines import Engines
from api.figures import Figures
from api.health import Lag, Probes, Progress
from api.streaming.accounts import Accounts
from api.streaming.feed import Feed
from api.streaming.hub import Hub
from api.streaming.leaderboards import Leaderboards
from api.streaming.pulse import Pulse, Rhythm
from api.streaming.quotes import Quotes
from api.streaming.router import stream_router
from api.streaming.streams import Streams
from api.trading.curves import Curves
from api.trading.reads import Reads
from api.trading.router import trading_router
from api.trading.viewing import Viewing
from application.engine.deciding import LIVE
from application.engine.host import Host
from application.engine.tally import Tally
from application.gateway import LIVE_PARTITION, SANDBOX_PARTITION
from application.happenings import LocalHappenings
from application.identity import Identity
from application.ports import Attempts
from domain.venue.standard_instruments import LIVE_INSTRUMENTS
from infrastructure.archive.reading import TickArchive
from infrastructure.clock import SystemClock
from infrastructure.embedded.servers import Servers, servers_of
from infrastructure.event_store.timed import TimedJournal
from infrastructure.feeds.chosen import feed_of
from infrastructure.identity.access_tokens import AccessTokens
from infrastructure.identity.attempts import CountedAttempts, UncountedAttempts
from infrastructure.identity.handles import PostgresHandles
from infrastructure.identity.hashing import CHEAP, PRODUCTION, Argon2Hasher
from infrastructure.identity.people import PostgresMail, PostgresPeople
from infrastructure.identity.seed import refuse_seeded
from infrastructure.identity.sessions import PostgresSessions
from infrastructure.identity.signing_key import signing_key
from infrastructure.ids import TimeOrderedIds
from infrastructure.payments.development import DevelopmentPayments
from infrastructure.probes import PostgresAlive, ValkeyAlive
from infrastructure.roles import Role
from infrastructure.settings import Environment, Settings, Switch
from projections.happenings import latest
from projections.leaderboard import leaderboard
from projections.read_positions import ReadPositions

PARTITIONS: Final = (LIVE_PARTITION, SANDBOX_PARTITION)
POOL: Final = 8
WAITING: Final = 256
POOL_WAIT_SECONDS: Final = 2.0
SHORTEST_PASSWORD: Final = 15
SHORTEST_PASSWORD_IN_DEV: Final = 6
MICROSECONDS: Final = 1_000_000  # no stream says more in a second, ever
RHYTHM: Final = Rhythm()


class InThisProcess(Progress):
    """The engines run here; the projector is a process of its own."""

    def __init__(self, engines: Engines, positions: ReadPositions) -> None:
        self._engines = engines
        self._positions = positions

    def engine(self) -> str:
        return self._engines.state()

    async def projector(self) -> Lag:
        lags = await self._positions.lags()
        return Lag(
            lag_events=sum(each.lag_events for each in lags),
            lag_seconds=max((each.lag_seconds for each in lags), default=0.0),
        )


def build(
    settings: Settings,
    servers: Servers | None = None,
    around: Sequence[Lifespan] = (),
    rhythm: Rhythm = RHYTHM,
) -> Litestar:
    """Join the parts; servers start here, connections when the app starts."""
    servers = servers or servers_of(settings)
    clock, ids = SystemClock(), TimeOrderedIds()
    in_production = settings.env is Environment.PRODUCTION
    dsn = servers.database_url(Role.APP)
    pool = connection_pool(dsn)
    people, sessions = PostgresPeople(pool), PostgresSessions(pool)
    tokens = AccessTokens(
        signing_key(settings.data, may_create=not in_production),
        sessions,
        clock,
        ids,
        trusts_strangers=not in_production,
    )
    identity = Identity(
        people=people,
        sessions=sessions,
        tokens=tokens,
        hasher=Argon2Hasher(PRODUCTION if in_production else CHEAP),
        attempts=attempts(settings, clock, servers.redis_url),
        mail=PostgresMail(pool),
        clock=clock,
        ids=ids,
        verifies_at_once=not in_production,
    )

    def host_of(partition: str) -> Host:
        tally = Tally()
        archive = TickArchive(settings.data, partition)
        journal = TimedJournal(dsn, partition, tally, archive)
        return Host(partition, journal, clock, tally)

    happenings = LocalHappenings()
    engines = Engines(
        lambda: happenings.of({name: host_of(name) for name in PARTITIONS}),
        LIVE_INSTRUMENTS,
        feed_of(settings, clock),
    )
    positions = ReadPositions(dsn)
    figures = Figures(engines.running, pool)
    pulse = Pulse(rhythm.apart_seconds)
    hub = Hub(int(clock.now().timestamp() * MICROSECONDS), pulse.ask)
    feed = Feed(hub, happenings, PostgresHandles(pool).of, partial(latest, pool, LIVE))
    boards = Leaderboards(hub, positions, partial(leaderboard, pool))
    streams = Streams(
        hub=hub,
        pulse=pulse,
        rhythm=rhythm,
        sources={
            "quotes": Quotes(hub, happenings),
            "account": Accounts(hub, engines.gateway, happenings),
            "leaderboard": boards,
            "feed": feed,
        },
        works=(feed.run, boards.run),
        gateway=engines.gateway,
        clock=clock,
        authenticate=tokens.caller,
    )
    database, cache = PostgresAlive(dsn), ValkeyAlive(servers.redis_url)
    access_log = structlog.get_logger().bind(logger="tradesense.access")

    @asynccontextmanager
    async def connections(_: Litestar) -> AsyncIterator[None]:
        await pool.open(wait=False)
        await positions.start()
        try:
            if in_production:
                await refuse_seeded(people)
            yield
        finally:
            await positions.close()
            await pool.close()
            await database.close()
            await cache.close()
            servers.close()

    return create_app(
        routes=[
            auth_router(in_dev=settings.env is Environment.DEV),
            trading_router(),
            console_router(),
            stream_router(),
        ],
        dependencies={
            "identity": always(identity),
            "authenticate": always(tokens.caller),
            "gateway": always(engines.gateway),
            "reads": always(Reads(pool, positions, engines.gateway)),
            "viewing": always(
                Viewing(engines.gateway, tokens.caller, shows_live=not in_production)
            ),
            "logins": always(logins(in_dev=settings.env is Environment.DEV)),
            "curves": always(Curves(pool, engines.gateway)),
            "streams": always(streams),
            "figures": always(figures),
            "payments": always(DevelopmentPayments(is_allowed=not in_production)),
            "shortest_password": always(
                SHORTEST_PASSWORD if in_production else SHORTEST_PASSWORD_IN_DEV
            ),
        },
        authenticate=tokens.caller,
        confirm=engines.gateway.confirm,
        probes=Probes(database, cache, InThisProcess(engines, positions)),
        registry=metrics_registry(figures),
        access_log=lambda **line: access_log.info("answered", **line),
        lifespan=[*around, connections, engines.alive, streams.alive],
        metrics_are_public=not in_production,
    )


def connection_pool(dsn: str) -> AsyncConnectionPool[Any]:
    return AsyncConnectionPool(
        dsn,
        min_size=1,
        max_size=POOL,
        max_waiting=WAITING,
        timeout=POOL_WAIT_SECONDS,
        reconnect_timeout=POOL_WAIT_SECONDS,  # then whoever asks tries at once
        kwargs={"autocommit": True},
        check=AsyncConnectionPool.check_connection,
        open=False,
    )


def attempts(settings: Settings, clock: SystemClock, redis_url: str) -> Attempts:
    if settings.rate is Switch.OFF:
        return UncountedAttempts()
    kind = "async+redis+" if redis_url.startswith("unix:") else "async+"
    return CountedAttempts(
        clock, RedisStorage(kind + redis_url, implementation="redispy")
    )


def metrics_registry(figures: Figures) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(figures)
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
