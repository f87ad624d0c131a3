"""Doors for machines that watch: alive, ready, and healthy are three questions."""

import asyncio
from typing import Any, Final, Protocol

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Struct

from api.doors import ANYONE

PROBE_SECONDS: Final = 1.0
SERVICE: Final = "tradesense-api"
VERSION: Final = "1.0.0"


class Health(Struct, frozen=True):
    """The body that the product has always answered here."""

    status: str
    service: str
    version: str
    database: str
    cache: str


class Lag(Struct, frozen=True):
    lag_events: int
    lag_seconds: float


class Readiness(Struct, frozen=True):
    engine: str
    projector: Lag | None


class Alive(Struct, frozen=True):
    status: str


class Probe(Protocol):
    """Asks a server for a sign of life; an exception is a no."""

    async def __call__(self) -> object: ...


class Progress(Protocol):
    """What the engine and the projector say about themselves."""

    def engine(self) -> str:
        """Say `ready`, or what it is doing instead."""
        ...

    async def projector(self) -> Lag: ...


class Probes(Struct, frozen=True):
    database: Probe
    cache: Probe
    progress: Progress


async def answers(probe: Probe) -> bool:
    """Ask with a bound, so that a hanging server does not hang its watchers."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe()
    except Exception:  # noqa: BLE001 - whatever it is, the server is not well
        return False
    return True


@get("/health", opt=dict(ANYONE), raises=[])
async def health(
    probes: NamedDependency[SkipValidation[Probes]],
) -> Response[Health]:
    database, cache = await asyncio.gather(
        answers(probes.database), answers(probes.cache)
    )
    return Response(
        Health(
            status="healthy" if database else "unhealthy",
            service=SERVICE,
            version=VERSION,
            database="connected" if database else "disconnected",
            cache="healthy" if cache else "unavailable",
        ),
        status_code=200 if database else 503,
        headers={} if database else {"Retry-After": "1"},
    )


@get("/live", opt=dict(ANYONE))
async def live() -> Alive:
    return Alive("alive")


@get("/ready", opt=dict(ANYONE))
async def ready(
    probes: NamedDependency[SkipValidation[Probes]],
) -> Response[Readiness]:
    engine = probes.progress.engine()
    lag: Lag | None = None
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            lag = await probes.progress.projector()
    except Exception:  # noqa: BLE001 - not knowing the lag is an answer, not an error
        lag = None
    is_ready = engine == "ready" and lag is not None
    return Response(
        Readiness(engine, lag),
        status_code=200 if is_ready else 503,
        headers={} if is_ready else {"Retry-After": "1"},
    )


health_router = Router("/", route_handlers=[health, live, ready], tags=["health"])


@get("/", opt=dict(ANYONE))
async def root() -> dict[str, Any]:
    return {
        "name": "TradeSense API",
        "version": VERSION,
        "status": "running",
        "docs": "/docs",
        "openapi": "/schema/openapi.json",
    }


@get("/ping", opt=dict(ANYONE))
async def ping() -> dict[str, str]:
    return {"message": "pong"}


@get("/info", opt=dict(ANYONE))
async def info() -> dict[str, Any]:
    return {
        "name": "TradeSense API",
        "service": SERVICE,
        "version": VERSION,
        "api": "v1",
        "docs": "/docs",
        "health": "/health",
    }


greeting_router = Router("/api/v1", route_handlers=[root, ping, info], tags=["about"])
