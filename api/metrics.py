"""What Prometheus reads; away from dev, only on the machine itself."""

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from prometheus_client import CollectorRegistry, generate_latest

from api.doors import ANYONE
from api.figures import Figures
from api.problems import Problem

TEXT: Final = "text/plain; version=0.0.4"
LOOPBACK: Final = {"127.0.0.1", "::1", "testclient"}


@get(
    "/metrics",
    opt=dict(ANYONE),
    media_type=TEXT,
    include_in_schema=False,
)
async def metrics(
    request: Request[Any, Any, Any],
    registry: NamedDependency[SkipValidation[CollectorRegistry]],
    figures: NamedDependency[SkipValidation[Figures]],
    metrics_are_public: NamedDependency[bool],
) -> Response[bytes]:
    peer = request.client.host if request.client else ""
    if not metrics_are_public and peer not in LOOPBACK:
        raise Problem("not-found")
    await figures.look()
    return Response(generate_latest(registry), media_type=TEXT)
